"""What would settle a comparison that is undetermined: how many more replicates, or how many more rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steepest.study.statistics import FEWEST_REPLICATES, Pair, checked, factor, quantile

MOST_REPLICATES = 1000  # what is still called "more replicates"; beyond it the answer is: more rows


@dataclass(frozen=True)
class Settling:
    """What would settle a comparison, were its difference to stay as observed; None where nothing of the kind would.

    `replicates`: how many in all. `rows`: how many times the rows of now, at the same shares and replicates.
    """

    replicates: int | None
    rows: float | None


def what_settles(
    pair: Pair,
    replicates: int,
    n_train: float,
    n_test: float,
    pairs: int = 1,
    margin: float = 0.005,
    level: float = 0.05,
) -> Settling:
    """What would turn an undetermined pair into a verdict: the fewest replicates, or the least growth of the data.

    S comes from the pair's own interval. Settled means t₍1−level/2m, s−1₎·e ≤ |d̄| (better or worse, at Holm's first
    step among m = `pairs`) or |d̄| + t₍1−level/2, s−1₎·e ≤ margin (equivalent), with e = √(1/s + n_test/n_train)·S.
    Replicates shrink only 1/s: once n_test/n_train alone is too much, no number of them settles anything and
    `replicates` is None (also above 1,000). Rows shrink S² in proportion, for it is mostly chance of the test rows.
    Both are rough: the observed difference is itself uncertain by the pair's half width.

    >>> what_settles(Pair(0, 1, 0.02, -0.004, 0.044, 0.09, "undetermined"), 10, n_train=180, n_test=75)
    Settling(replicates=36, rows=1.44)
    """
    checked(np.zeros((max(replicates, 0), 2)), n_train, n_test, level)
    spread = pair.half_width / (quantile(replicates, level) * factor(replicates, n_train, n_test))
    gap = abs(pair.difference)
    if spread == 0:
        return Settling(None, None)

    def needed(s: int) -> float:
        """The interval's reach over what it may be: settled at or below 1."""
        error = spread * factor(s, n_train, n_test)
        apart = quantile(s, level / pairs) * error / gap if gap > 0 else math.inf
        alike = quantile(s, level) * error / (margin - gap) if margin > gap else math.inf
        return min(apart, alike)

    many = next((s for s in range(max(replicates, FEWEST_REPLICATES), MOST_REPLICATES + 1) if needed(s) <= 1), None)
    reach = needed(max(replicates, FEWEST_REPLICATES))
    return Settling(many, None if math.isinf(reach) else max(1.0, float(f"{reach**2:.3g}")))
