"""What the best of n random trials is worth, from N of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from steepest.core.errors import SettingError


def expected_best(validation: Any) -> np.ndarray:
    """The expected best score of n random trials, for n = 1 … N: unbiased, from N trials drawn independently.

    **Equation** Σᵢ v₍ᵢ₎ · C(i−1, n−1) / C(N, n) over the scores in rising order: the mean of the best over all
    subsets of n.

    **Shapes** validation [..., trials] → [..., trials]; entry n − 1 is the best of n. Leading axes (replicates) are
    kept; their mean is unbiased too. **Raises** SettingError for NaN or no trials.

    >>> expected_best([0.5, 0.9, 0.7]).round(4).tolist()
    [0.7, 0.8333, 0.9]
    """
    scores = np.asarray(validation, dtype=float)
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise SettingError(
            f"validation scores have shape {scores.shape}; they must be [..., trials] with at least one trial"
        )
    if np.isnan(scores).any():
        where = ", ".join(str(i) for i in np.argwhere(np.isnan(scores))[0])
        raise SettingError(f"validation score [{where}] is NaN; score a diverged trial with its last finite weights")
    ranked = np.sort(scores, axis=-1)
    total = scores.shape[-1]
    rank = np.arange(1, total + 1)
    weight = np.full(total, 1.0 / total)
    best = np.empty_like(ranked)
    for n in range(1, total + 1):
        best[..., n - 1] = ranked @ weight
        if n < total:  # from C(i−1, n−1)/C(N, n) to C(i−1, n)/C(N, n+1): no factorial is ever formed
            weight = weight * ((rank - n).clip(0) / n) * ((n + 1) / (total - n))
    return best
