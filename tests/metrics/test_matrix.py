"""Confusion matrices against scikit-learn's, member by member."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from steepest.core.errors import DataError, SettingError
from steepest.metrics import confusion, matrix


def test_matches_scikit_learn_over_leading_axes():
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(0, 4, 90), rng.integers(0, 4, (2, 3, 90))
    got = confusion(y, predicted, 5)
    assert got.shape == (2, 3, 5, 5)
    assert got.dtype == np.int64
    for i in range(2):
        for j in range(3):
            assert (got[i, j] == confusion_matrix(y, predicted[i, j], labels=range(5))).all()
    assert (confusion(y, predicted[1, 2], 5) == got[1, 2]).all()


def test_weights_count_and_rows_without_weight_do_not():
    rng = np.random.default_rng(1)
    y, predicted, weight = rng.integers(0, 3, 50), rng.integers(0, 3, (4, 50)), rng.random(50)
    weight[40:] = 0
    got = confusion(y, predicted, 3, weight)
    for k in range(4):
        np.testing.assert_allclose(got[k], confusion_matrix(y, predicted[k], sample_weight=weight), rtol=1e-13)
    assert (confusion(y, predicted, 3, weight > 0) == confusion(y[:40], predicted[:, :40], 3)).all()


def test_blocks_of_members_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    y, predicted = rng.integers(0, 3, 20), rng.integers(0, 3, (11, 20))
    whole = confusion(y, predicted, 3)
    monkeypatch.setattr(matrix, "_BLOCK", 60)
    assert (confusion(y, predicted, 3) == whole).all()


def test_no_members_and_no_rows():
    assert confusion([0, 1], np.zeros((0, 2), int), 2).shape == (0, 2, 2)
    assert confusion([], [], 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (([0, 3], [0, 1], 3), DataError, "label of row 1 is 3; class numbers go from 0 to 2"),
        (([0, 1], [[0, 1], [-1, 1]], 2), DataError, "prediction of row 0 is -1"),
        (([0, 1], [0.2, 0.9], 2), DataError, "class numbers"),
        (([0, 1], [0, 1, 1], 2), DataError, "shape"),
        (([0, 1], [0, 1], 0), SettingError, "classes = 0"),
        (([0, 1], [0, 1], 2, [1.0]), DataError, "row weights"),
        (([0, 1], [0, 1], 2, [1.0, np.nan]), DataError, "weight of row 1"),
        (([0, 1], [0, 1], 2, [-1.0, 1.0]), DataError, "weight of row 0"),
    ],
)
def test_faults_are_named(arguments, error, said):
    with pytest.raises(error, match=said):
        confusion(*arguments)
