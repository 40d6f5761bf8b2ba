"""Scores of many confusion matrices at once, against scikit-learn on the labels."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from steepest.core.errors import DataError, SettingError
from steepest.metrics import METRICS, confusion, metric

ORACLES = {
    "accuracy": accuracy_score,
    "balanced": balanced_accuracy_score,
    "f1": lambda y, p: f1_score(y, p, average="macro", zero_division=0),
}


@pytest.mark.parametrize("name", METRICS)
def test_matches_scikit_learn_with_absent_and_never_predicted_classes(name):
    rng = np.random.default_rng(0)
    for _ in range(40):
        y = rng.choice(rng.choice(6, rng.integers(1, 5), replace=False), 12)
        predicted = rng.choice(rng.choice(6, rng.integers(1, 5), replace=False), (3, 12))
        got = METRICS[name](confusion(y, predicted, 6))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # predicted classes that the truth lacks
            want = [ORACLES[name](y, p) for p in predicted]
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)


def test_the_oracles_cover_every_metric_and_names_are_looked_up_helpfully():
    assert set(METRICS) == set(ORACLES)
    assert metric("f1") is METRICS["f1"]
    with pytest.raises(SettingError, match="did you mean 'accuracy'"):
        metric("acuracy")


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_and_a_hopeless_matrix(name):
    assert METRICS[name](np.diag([3, 5, 1])) == 1.0
    assert METRICS[name]([[0, 4], [2, 0]]) == 0.0


@pytest.mark.parametrize("name", METRICS)
def test_nothing_to_score_is_an_error_and_not_nan(name):
    with pytest.raises(DataError, match="without rows"):
        METRICS[name](np.stack([np.eye(2), np.zeros((2, 2))]))
    with pytest.raises(DataError, match="shape"):
        METRICS[name](np.zeros((2, 3)))
