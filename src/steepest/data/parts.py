"""Data that comes in parts, train and test: which rows were given for testing, and what is said about it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from steepest.data.paths import counted, listed

PART = re.compile(
    r"(?<![a-z])(train(ing)?|test(ing)?|t10k|val(id(ation)?)?)(?![a-z])", re.IGNORECASE
)  # in a file's name
TESTS = frozenset(("test", "testing", "t10k"))
POOLED = "are pooled; splits are drawn anew"  # untrue of a split on the given test rows: `as_tested`
PARTS = TESTS | {"train", "training", "val", "valid", "validation"}


def is_test(part: str) -> bool:
    """Whether a part of that name holds the rows that were given for testing."""
    return part.lower() in TESTS


def given_rows(rows: Iterable[bool]) -> np.ndarray | None:
    """bool [rows] that say which rows were given for testing; None where all or none were, so that nothing was given.

    >>> given_rows([True, False]), given_rows([True, True])
    (array([ True, False]), None)
    """
    marks = np.fromiter(rows, bool)
    return marks if marks.any() and not marks.all() else None


def pooled(what: str, names: Iterable[str], given_test: np.ndarray | None) -> str:
    """The note on parts that became one data set.

    >>> pooled("folders", ["test", "train"], np.array([True, False, False]))
    'the folders test, train are pooled; splits are drawn anew (1 row was given for testing: --test given)'
    """
    note = f"the {what} {listed(names)} {POOLED}"
    if given_test is None:
        return note
    rows = int(given_test.sum())
    return f"{note} ({counted(rows, 'row')} {'was' if rows == 1 else 'were'} given for testing: --test given)"


def as_tested(notes: Iterable[str], given_test: np.ndarray | None) -> tuple[str, ...]:
    """The notes of a data set where its given rows are tested on, and only the rest is drawn anew.

    >>> as_tested(["the folders test, train are pooled; splits are drawn anew (…)"], np.array([True, True, False]))
    ('the folders test, train: the 2 rows that came as the test set are tested on; the rest are pooled',)
    """
    if given_test is None:
        return tuple(notes)
    rows = int(given_test.sum())
    said = f"the {counted(rows, 'row')} that came as the test set {'is' if rows == 1 else 'are'} tested on"
    return tuple(
        f"{note.partition(f' {POOLED}')[0]}: {said}; the rest are pooled" if POOLED in note else note for note in notes
    )
