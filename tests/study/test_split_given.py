"""A test set that came with the data: the same rows in every replicate, and nothing of it to train on."""

import dataclasses

import numpy as np
import pytest

import steepest as st
from steepest.core.errors import DataError, SettingError
from steepest.study.fit import fit
from steepest.study.split import sizes_given, split_given, usable

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 200)
GIVEN = np.zeros(200, bool)
GIVEN[150:] = True


def test_the_test_part_is_the_given_rows_and_the_rest_is_drawn_by_replicate():
    first, second = (split_given(Y, GIVEN, replicate=r) for r in (0, 1))
    for parts in (first, second):
        assert parts.test.rows.tolist() == list(range(150, 200))
        rows = np.concatenate([parts.train.rows, parts.validation.rows])
        assert sorted(rows) == list(range(150))
        assert sizes_given(Y, GIVEN) == (len(parts.train), len(parts.validation), len(parts.test))
        assert len(parts.validation.rows) == 30
        for part in (parts.train, parts.validation):
            share = np.bincount(Y[part.rows], minlength=3) / len(part.rows)
            np.testing.assert_allclose(share, np.bincount(Y[:150]) / 150, atol=0.03)
    assert first.validation.rows.tolist() != second.validation.rows.tolist()


def test_duplicates_of_test_rows_are_in_no_part_and_others_stay_together():
    groups = np.arange(200)
    groups[[3, 4]] = 170  # duplicates of a test row
    groups[[10, 11, 12]] = 10
    assert np.flatnonzero(~usable(GIVEN, groups)).tolist() == [3, 4, *range(150, 200)]
    for replicate in range(5):
        parts = split_given(Y, GIVEN, groups, replicate=replicate)
        used = np.concatenate([parts.train.rows, parts.validation.rows, parts.test.rows])
        assert sorted(used) == sorted(set(range(200)) - {3, 4})
        assert len({10, 11, 12} & set(parts.validation.rows)) in (0, 3)


def test_a_class_that_is_only_tested_is_named():
    y = np.where(GIVEN, 2, Y % 2)
    with pytest.raises(DataError, match="class 'c' has no rows"):
        split_given(y, GIVEN, classes=("a", "b", "c"))


@pytest.fixture(scope="module")
def wine():
    """A data set that came with its own test rows: a third of wine."""
    data = st.open("wine")
    given = np.arange(len(data)) % 3 == 0
    return dataclasses.replace(data, given_test=given)


def test_fit_and_sweep_test_on_the_given_rows(wine):
    fitted = fit(wine, st.Recipe(), epochs=3, test="given")
    rows = wine.given_test
    labels = fitted.predict(wine.features()[rows])
    assert fitted.scores["test"]["accuracy"] == pytest.approx(np.mean(labels == wine.y[rows]))
    found = st.sweep([st.Recipe()], wine, wine.y, replicates=2, epochs=3, test="given", standardize=True)
    for r in range(2):
        assert found.rows(r).test.rows.tolist() == np.flatnonzero(rows).tolist()
        hits = np.unpackbits(np.frombuffer(found._results[r, 0].hits, np.uint8), count=int(rows.sum()))
        assert hits.mean() == pytest.approx(found.accuracy[r, 0], abs=1e-6)


def test_the_note_on_pooled_parts_is_true_of_how_it_is_tested(wine):
    from steepest.data.parts import pooled
    from steepest.study.compare import plan
    from steepest.study.settings import Settings

    rows = int(wine.given_test.sum())
    data = dataclasses.replace(wine, notes=("one", pooled("folders", ["test", "train"], wine.given_test), "two"))
    given = f"the folders test, train: the {rows} rows that came as the test set are tested on; the rest are pooled"
    assert fit(data, st.Recipe(), epochs=1, test="given").notes == ("one", given, "two")
    assert fit(data, st.Recipe(), epochs=1).notes == data.notes
    settings = Settings(methods=("sgd",), penalties=("none",), test="given")
    assert plan(data, settings).notes == ("one", given, "two")
    assert plan(data, dataclasses.replace(settings, test=0.25)).notes == data.notes


def test_data_without_a_test_set_says_so():
    with pytest.raises(SettingError, match="test = 'given', but iris comes without a test set; give a share such as"):
        fit(st.open("iris"), st.Recipe(), test="given")
    with pytest.raises(SettingError, match="test = 'all'; it must be a share in"):
        fit(st.open("iris"), st.Recipe(), test="all")
