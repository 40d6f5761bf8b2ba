"""expected_best against brute force."""

import itertools

import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.study.best_of import expected_best


def test_expected_best_is_the_mean_over_all_subsets():
    scores = np.array([0.3, 0.9, 0.5, 0.5, 0.7, 0.1])
    got = expected_best(scores)
    for n in range(1, 7):
        want = np.mean([max(subset) for subset in itertools.combinations(scores, n)])
        assert got[n - 1] == pytest.approx(want, abs=1e-14)


def test_expected_best_of_many_trials_is_exact_and_keeps_leading_axes():
    trials = 2000
    ranks = np.arange(1, trials + 1) / trials  # the expected largest of n of 1 … N is n(N + 1)/(n + 1)
    n = np.arange(1, trials + 1)
    got = expected_best(np.stack([ranks, ranks[::-1] / 2]))
    np.testing.assert_allclose(got[0], n * (trials + 1) / (n + 1) / trials, rtol=1e-11)
    np.testing.assert_allclose(got[1], got[0] / 2, rtol=1e-12)


def test_expected_best_is_unbiased():
    rng = np.random.default_rng(5)
    best = expected_best(rng.random((20_000, 8))).mean(0)
    want = np.arange(1, 9) / np.arange(2, 10)  # the mean of the largest of n uniforms
    np.testing.assert_allclose(best, want, atol=4 * 0.29 / np.sqrt(20_000))


def test_expected_best_refuses_nan_and_nothing():
    with pytest.raises(SettingError, match=r"\[1, 0\] is NaN"):
        expected_best([[0.5, 0.6], [float("nan"), 0.4]])
    with pytest.raises(SettingError, match="at least one trial"):
        expected_best(np.zeros((3, 0)))
