"""Standardisation against NumPy and scikit-learn, and what it does with constant, empty and one-hot columns."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import steepest.data as data
from steepest.core.errors import DataError
from steepest.data import Standard


def test_equals_scikit_learn():
    from sklearn.preprocessing import StandardScaler

    rows = np.random.default_rng(0).normal(1000, 3, (9001, 7)).astype(np.float32)
    got = Standard.fit(rows).transform(rows)
    assert got.dtype == np.float32
    assert_allclose(got, StandardScaler().fit_transform(rows.astype(np.float64)), rtol=1e-6, atol=1e-6)


def test_missing_cells_become_the_training_mean():
    rows = np.array([[1, 7], [np.nan, 9], [3, 11]], np.float32)
    standard = Standard.fit(rows)
    assert_allclose(standard.center, [2, 9])
    assert_allclose(standard.scale, [1, np.std([7, 9, 11])])
    assert_array_equal(standard.transform(np.array([[np.nan, np.nan]], np.float32)), [[0, 0]])


def test_constant_columns_keep_scale_one():
    rows = np.full((1000, 3), 0.1, np.float32)
    rows[:, 1] = np.nan
    rows[::2, 2] = 5
    standard = Standard.fit(rows)
    assert standard.scale[:2].tolist() == [1, 1]
    assert_array_equal(standard.transform(rows)[:, :2], np.zeros((1000, 2)))
    assert np.isfinite(standard.transform(rows)).all()


def test_one_hot_and_raw_columns_are_left_alone():
    rows = np.array([[1, 0, 5], [3, 1, 7]], np.float32)
    standard = Standard.fit(rows, np.array([True, False, False]))
    assert_array_equal(standard.transform(rows), [[-1, 0, 5], [1, 1, 7]])
    hole = np.array([[1, 0, np.nan]], np.float32)
    assert standard.transform(hole)[0, 2] == 6  # the mean, as promised for empty cells


def test_round_trip_and_refusals():
    rows = np.random.default_rng(1).normal(size=(20, 3))
    standard = Standard.fit(rows)
    again = Standard.from_arrays(standard.to_arrays())
    assert_array_equal(again.transform(rows), standard.transform(rows))
    with pytest.raises(DataError, match="3 features were standardised"):
        standard.transform(rows[:, :2])
    with pytest.raises(DataError, match="at least one"):
        Standard.fit(rows[:0])
    with pytest.raises(DataError, match="lacks the array 'fill'"):
        Standard.from_arrays({"center": np.zeros(2), "scale": np.ones(2)})
    with pytest.raises(DataError, match="'scale' is not one finite number"):
        Standard.from_arrays({"center": np.zeros(2), "scale": np.ones(3), "fill": np.zeros(2)})
    with pytest.raises(DataError, match="above 0"):
        Standard.from_arrays({"center": np.zeros(2), "scale": np.zeros(2), "fill": np.zeros(2)})


def test_only_training_rows_count():
    found = data.open("wine")
    rows = found.features()
    part = Standard.fit(rows[:50], found.schema.standardised)
    assert_allclose(part.center, rows[:50].astype(np.float64).mean(0))
    assert np.abs(part.center - rows.astype(np.float64).mean(0)).max() > 1
