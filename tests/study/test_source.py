"""What a study trains on, from arrays and from datasets."""

import numpy as np
import pytest

from steepest import DataError, from_arrays
from steepest.study import source as sources

X = np.arange(24, dtype="f4").reshape(8, 3) ** 1.5
Y = np.array(["b", "a"] * 4)


def test_labels_become_numbers_of_sorted_classes():
    made = sources.from_arrays(X, Y, regression=False)
    assert made.classes == ("a", "b")
    assert made.y.tolist() == [1, 0] * 4
    assert not made.regression
    assert made.X is not None
    np.testing.assert_array_equal(made.X, X)


def test_a_dataset_and_its_arrays_are_the_same_source():
    data = from_arrays(X, Y)
    ours, theirs = sources.from_arrays(X, Y, regression=False), sources.from_dataset(data)
    assert sources.from_arrays(data, None, regression=False).name == theirs.name
    np.testing.assert_array_equal(ours.X, theirs.X)
    np.testing.assert_array_equal(ours.y, theirs.y)
    assert ours.classes == theirs.classes
    assert sources.identity(ours) == sources.identity(theirs)


def test_identity_is_that_of_rows_labels_and_class_names():
    def of(X=X, y=Y):
        return sources.identity(sources.from_arrays(X, y, regression=False))

    nudged = X.copy()
    nudged[7, 2] = np.nextafter(nudged[7, 2], np.float32(np.inf))
    assert len({of(), of(nudged), of(X[::-1]), of(X, Y[::-1]), of(X, np.char.upper(Y)), of(X[:, ::-1])}) == 6
    assert of(X.copy(), Y.copy()) == of()


def test_rows_alike_are_one_group_and_given_groups_win():
    doubled = np.concatenate([X, X[:2]])
    labels = np.concatenate([Y, Y[:2]])
    groups = sources.from_arrays(doubled, labels, regression=False).groups
    assert (groups[0] == groups[8], groups[1] == groups[9]) == (True, True)
    assert len(set(groups)) == 8
    given = np.array([5, 5, 5, 5, 1, 1, 1, 1, 2, 2])
    assert list(sources.from_arrays(doubled, labels, regression=False, groups=given).groups) == list(given)


def test_doubles_stay_doubles_and_integers_become_floats():
    assert sources.from_arrays(X.astype("f8"), Y, False).X.dtype == np.float64
    assert sources.from_arrays(X.astype("i4"), Y, False).X.dtype == np.float32
    assert sources.from_arrays(X.astype("?"), Y, False).X.dtype == np.float32


def test_a_regressions_targets_are_numbers_without_classes():
    made = sources.from_arrays(X, np.arange(8) / 3, regression=True)
    assert made.regression
    assert made.classes == ()
    np.testing.assert_array_equal(made.y, np.arange(8) / 3)
    sources.check(made, 0.25, 0.2)  # has no class that could be too small
    for wrong in (np.arange(7), np.r_[np.arange(7), np.nan], np.ones((8, 2))):
        with pytest.raises(DataError, match="a regression needs one finite number for each of 8 rows"):
            sources.from_arrays(X, wrong, regression=True)


def test_standardising_and_missing_cells():
    made = sources.from_arrays(X, Y, regression=False)
    train = np.array([0, 2, 5])
    assert made.prepared(train, standardize=False) is None
    np.testing.assert_array_equal(made.rows(train, None), X[train])
    standard = made.prepared(train, standardize=True)
    np.testing.assert_allclose(made.rows(train, standard).mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(made.rows(train, standard).std(axis=0), 1, atol=1e-6)
    holes = X.copy()
    holes[1, 2] = holes[2, 0] = np.nan
    gaps = sources.Source("gaps", holes, made.y, made.classes, made.groups, None, missing=True)
    filled = gaps.rows(np.arange(8), gaps.prepared(train, standardize=False))
    assert filled[1, 2] == pytest.approx(X[train, 2].mean())
    assert filled[2, 0] == pytest.approx(X[[0, 5], 0].mean()), "the mean of the training rows that have it"
    there = np.isfinite(holes)
    np.testing.assert_array_equal(filled[there], X[there])


def test_images_keep_their_shape():
    images = np.arange(8 * 12, dtype="f4").reshape(8, 2, 2, 3)
    made = sources.from_arrays(images, Y, regression=False)
    standard = made.prepared(np.arange(4), standardize=True)
    assert made.rows(np.arange(3), standard).shape == (3, 2, 2, 3)
    first = images[:4, 1, 0, 2]
    assert made.rows(np.array([6]), standard)[0, 1, 0, 2] == pytest.approx(
        (images[6, 1, 0, 2] - first.mean()) / first.std()
    )


def test_classes_too_small_to_split_are_named():
    small = sources.from_arrays(X, np.array(["a"] * 6 + ["rare"] * 2), regression=False)
    with pytest.raises(DataError, match=r"arrays: class 'rare' has 2 rows; a split .* needs 3: add rows or remove"):
        sources.check(small, 0.25, 0.2)
