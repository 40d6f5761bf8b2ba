"""Splits: disjoint, complete, stratified, groups whole, and of the same sizes whatever the draw."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steepest.core.errors import DataError, SettingError
from steepest.study.split import TEST_SHARE, VALIDATION_SHARE, Sizes, sizes, split


@st.composite
def labelled(draw):
    """Labels of 1–5 classes with at least 2 groups each, groups of 1–6 rows (some across classes), in any order."""
    classes = draw(st.integers(1, 5))
    y, groups = [], []
    for label in range(classes):
        for size in draw(st.lists(st.sampled_from([1, 1, 1, 2, 6]), min_size=2, max_size=30)):
            groups += [len(set(groups))] * size
            y += [label] * size
    y, groups = np.array(y), np.array(groups)
    across = draw(st.booleans()) and classes > 1
    if across:  # the same picture under two labels
        y, groups = np.append(y, 0), np.append(groups, groups[-1])
    order = np.random.default_rng(draw(st.integers(0, 1000))).permutation(len(y))
    return y[order], groups[order] * 7 - 3


SHARES = st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.5, 0.9])


@settings(max_examples=150, deadline=None)
@given(labelled(), SHARES, SHARES, st.integers(0, 2**31), st.integers(0, 20))
def test_parts_are_disjoint_complete_and_keep_groups_whole(data, test, validation, seed, replicate):
    y, groups = data
    parts = split(y, groups, seed, replicate, test, validation)
    rows = [parts.train.rows, parts.validation.rows, parts.test.rows]
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(y)))
    held = [set(groups[r].tolist()) for r in rows]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]
    for part in (parts.train, parts.validation, parts.test):
        assert (part.index.dtype, part.weight.dtype) == (np.int32, np.float32)
        count = int(part.weight.sum())
        assert (part.weight == np.repeat([1, 0], [count, len(part) - count])).all()
        assert (part.index[count:] == 0).all()
        assert (np.diff(part.rows) > 0).all()


@settings(max_examples=100, deadline=None)
@given(labelled(), SHARES, SHARES)
def test_sizes_do_not_depend_on_the_draw(data, test, validation):
    y, groups = data
    want = sizes(y, groups, test, validation)
    for seed, replicate in ((0, 0), (0, 1), (5, 3), (6, 9)):
        parts = split(y, groups, seed, replicate, test, validation)
        assert Sizes(len(parts.train), len(parts.validation), len(parts.test)) == want


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(2, 40), min_size=1, max_size=6), st.integers(0, 1000))
def test_every_class_of_three_is_in_every_part_and_one_of_two_in_train_and_test(counts, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    parts = split(y, None, seed, 0)
    for label, count in enumerate(counts):
        got = [(y[part.rows] == label).sum() for part in (parts.train, parts.validation, parts.test)]
        assert sum(got) == count
        assert got[0] >= 1
        assert got[2] >= 1
        if count >= 3:
            assert got[1] >= 1
            assert abs(got[2] - TEST_SHARE * count) <= 1
            assert abs(got[1] - VALIDATION_SHARE * (count - got[2])) <= 1


@pytest.mark.parametrize(("test", "validation"), [(0.9, 0.9), (0.01, 0.01), (0.6, 0.2)])
def test_extreme_shares_leave_every_class_in_every_part(test, validation):
    y = np.repeat([0, 1, 2], [3, 4, 50])
    parts = split(y, None, 0, 0, test, validation)
    for part in (parts.train, parts.validation, parts.test):
        assert set(y[part.rows]) == {0, 1, 2}


def test_rows_alone_need_no_filling_and_totals_meet_the_shares():
    y = np.random.default_rng(0).integers(0, 7, 1003)
    parts = split(y, None, 0, 0)
    assert all((part.weight == 1).all() for part in (parts.train, parts.validation, parts.test))
    assert len(parts.test) == round(0.25 * 1003)
    assert len(parts.validation) == round(0.2 * (1003 - len(parts.test)))
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 1003


def test_filling_is_as_long_as_the_largest_draw_and_no_longer():
    y = np.zeros(20, dtype=int)
    groups = np.array([0] * 5 + list(range(1, 16)))  # 16 groups, one of 5 rows; 4 go to the test part
    lengths = [split(y, groups, 0, r, validation=0.0).test.weight.sum() for r in range(60)]
    assert set(lengths) == {4.0, 8.0}
    assert sizes(y, groups, validation=0.0) == (12 - 1 + 5, 0, 4 - 1 + 5)


def test_many_groups_of_many_sizes_need_little_filling():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 3, 3000), rng.integers(0, 1500, 3000)
    y = y[np.unique(groups, return_index=True)[1]][np.unique(groups, return_inverse=True)[1]]  # one class a group
    longest = sizes(y, groups)
    for replicate in range(10):
        parts = split(y, groups, 0, replicate)
        assert abs(len(parts.test.rows) - 750) < 40
        for part in (parts.train, parts.validation, parts.test):
            assert len(part) - len(part.rows) < 110
    assert sum(longest) < 3000 + 200


@pytest.mark.parametrize("test", [0.1, 0.25, 0.5])
def test_every_group_is_as_likely_whatever_its_size(test):
    groups = np.repeat(np.arange(20), [1] * 9 + [2] * 6 + [3] * 4 + [17])
    first = np.unique(groups, return_index=True)[1]
    draws = 3000
    tested, validated = np.zeros(len(groups)), np.zeros(len(groups))
    for replicate in range(draws):
        parts = split(np.zeros(len(groups), int), groups, 2, replicate, test=test)
        tested[parts.test.rows] += 1
        validated[parts.validation.rows] += 1
    for seen, share in ((tested, test), (validated, round(0.2 * 20 * (1 - test)) / 20)):
        assert np.abs(seen[first] / draws - share).max() < 4.5 * np.sqrt(share * (1 - share) / draws)


def test_the_same_draw_again_and_another_for_another_replicate_or_seed():
    y = np.repeat([0, 1], 60)
    first = split(y, None, 4, 2)
    assert (first.test.index == split(y, None, 4, 2).test.index).all()
    assert (first.test.index != split(y, None, 4, 3).test.index).any()
    assert (first.test.index != split(y, None, 5, 2).test.index).any()


def test_every_row_is_as_likely_to_be_tested_as_any_other():
    y = np.repeat([0, 1, 2], [40, 20, 12])
    draws = 2000
    tested = np.zeros(len(y))
    validated = np.zeros(len(y))
    for replicate in range(draws):
        parts = split(y, None, 1, replicate)
        tested[parts.test.rows] += 1
        validated[parts.validation.rows] += 1
    error = np.sqrt(0.25 * 0.75 / draws)
    assert np.abs(tested / draws - 0.25).max() < 4.5 * error  # 10, 5 and 3 of 40, 20 and 12
    kept = sizes(y)
    assert validated.sum() / draws == kept.validation


def test_a_group_across_classes_counts_for_its_rarest():
    y = np.array([0] * 30 + [1, 1, 1])
    groups = np.arange(33)
    groups[[0, 1]] = [31, 32]  # two of the three rows of class 1 are also in class 0
    for replicate in range(20):
        parts = split(y, groups, 0, replicate)
        for part in (parts.train, parts.validation, parts.test):
            assert set(y[part.rows]) == {0, 1}


def test_empty_parts():
    y = np.repeat([0, 1], 10)
    parts = split(y, None, 0, 0, test=0, validation=0)
    assert parts.train.index.tolist() == list(range(20))
    assert len(parts.validation) == len(parts.test) == 0
    parts = split(y, None, 0, 0, test=0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (16, 4, 0)
    assert split([0, 1], None, 0, 0, test=0, validation=0).train.index.tolist() == [0, 1]


def test_targets_of_a_regression_are_not_stratified():
    y = np.linspace(0, 1, 40)
    parts = split(y, None, 0, 0, classes=["ignored"])
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (24, 6, 10)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"y": [0, 0, 0, 1]}, DataError, "class number 1 has only 1 row;"),
        ({"y": [0, 0, 0, 1], "classes": ["cat", "dog"]}, DataError, "class 'dog' has only 1 row;"),
        ({"y": [0, 0, 1, 1], "groups": [0, 1, 2, 2]}, DataError, "class number 1 has only 2 rows, all duplicates"),
        ({"y": [0, 0, 2, 2], "classes": ["cat", "dog", "owl"]}, DataError, "class 'dog' has no rows"),
        ({"y": [0, 0, 2, 2], "classes": ["cat", "dog"]}, DataError, "class number 2 has no name"),
        ({"y": [0, 0, -1]}, DataError, "class numbers"),
        ({"y": ["a", "b"]}, DataError, "class numbers"),
        ({"y": []}, DataError, "at least one row"),
        ({"y": [[0, 1]]}, DataError, "shape"),
        ({"y": [0.5]}, DataError, "the data has only 1 row;"),
        ({"groups": [0, 1]}, DataError, "one for each of the 6 rows"),
        ({"test": 1.0}, SettingError, "test = 1.0"),
        ({"validation": -0.1}, SettingError, "validation = -0.1"),
        ({"test": float("nan")}, SettingError, "test = nan"),
    ],
)
def test_what_cannot_be_split_is_named(change, error, said):
    with pytest.raises(error, match=said):
        split(**{"y": [0, 0, 0, 1, 1, 1], "seed": 0, "replicate": 0, **change})


def test_numbers_that_no_row_has_are_no_fault_without_names():
    parts = split([0, 0, 0, 5, 5, 5], None, 0, 0)
    assert len(parts.train) == 2


def test_sixty_thousand_rows_are_split_at_once():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 10, 60_000), rng.integers(0, 55_000, 60_000)
    best = min(_seconds(lambda: split(y, groups, 0, 0)) for _ in range(3))
    assert best < 0.5  # 0.03 s measured; generous, for a machine that does other things too


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
