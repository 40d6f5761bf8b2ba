"""what_settles against the comparison that it foretells."""

import math

import numpy as np
import pytest
from scipy import stats

from steepest.study.settling import what_settles
from steepest.study.statistics import Pair, compare_paired


def around(differences, level=0.5):
    """Two candidates with these differences."""
    second = np.full(len(differences), level)
    return np.column_stack([second + differences, second])


def test_what_settles_names_the_fewest_replicates():
    differences = np.array([0.04, 0.00, 0.03, -0.01, 0.05, 0.01, 0.03, 0.00, 0.04, 0.01])
    pair = compare_paired(around(differences), 900, 60)[0]
    spread = differences.std(ddof=1)

    def significant(s):
        return stats.t.ppf(1 - 0.05 / 12, s - 1) * spread * math.sqrt(1 / s + 60 / 900) <= pair.difference

    want = next(s for s in range(10, 1000) if significant(s))
    assert want > 10
    assert what_settles(pair, 10, 900, 60, pairs=6).replicates == want


def test_what_settles_says_when_no_number_of_replicates_would():
    pair = Pair(0, 1, 0.01, -0.03, 0.05, 0.6, "undetermined")
    settling = what_settles(pair, 10, 180, 75)
    assert settling.replicates is None
    assert settling.rows == pytest.approx((0.04 / 0.01) ** 2, rel=5e-3)  # variance falls as 1/rows
    # The more rows, the narrower: with them the same difference is significant.
    assert 0.04 / math.sqrt(settling.rows) <= 0.0101


def test_a_difference_inside_the_margin_settles_as_equivalent():
    pair = Pair(0, 1, 0.0, -0.01, 0.01, 1.0, "undetermined")
    assert what_settles(pair, 10, 180, 75).rows == pytest.approx(4.0)
    nothing = what_settles(pair, 10, 180, 75, margin=0.0)
    assert (nothing.replicates, nothing.rows) == (None, None)
    constant = what_settles(Pair(0, 1, 0.02, 0.02, 0.02, 1.0, "undetermined"), 10, 180, 75)
    assert (constant.replicates, constant.rows) == (None, None)
