"""Labels become class numbers; classes that cannot be learnt or split are refused by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.data.paths import counted, listed, shown

PLAIN = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?([eE][+-]?\d+)?\Z")  # a number as people write it; "007" is a name
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\Z")
PARTS = 3  # training, validation and test rows


def label_texts(y: Any, where: str = "y") -> list[str]:
    """Labels as text, one a row. Refused: a mixture such as 1, "1" and 1.0; missing labels; more than one axis."""
    if (isinstance(y, Sequence) and not isinstance(y, str)) or (isinstance(y, np.ndarray) and y.dtype.kind == "O"):
        return _texts_of_objects(list(y), where)
    values = np.atleast_1d(np.asarray(y))
    if values.ndim != 1 and values.size != len(values):
        raise DataError(f"{where} has shape {values.shape}; it must hold one label a row")
    values = values.reshape(-1)
    if values.dtype.kind == "O":
        return _texts_of_objects(list(values), where)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise DataError(f"{where}[{row}] is {values[row]}; every row needs a label")
        if (values == np.round(values)).all() and (np.abs(values) < 2**53).all():
            values = values.astype(np.int64)
    if values.dtype.kind not in "iufbUS":
        raise DataError(f"{where} holds {values.dtype}; labels are numbers or text")
    if values.dtype.kind == "S":
        return [bytes(v).decode("utf-8", "backslashreplace") for v in values]
    return [str(v) for v in values.tolist()]


def _texts_of_objects(values: list[Any], where: str) -> list[str]:
    kinds: dict[str, Any] = {}
    plain: list[Any] = []
    for row, value in enumerate(values):
        value = value.item() if isinstance(value, np.generic) or getattr(value, "shape", None) == () else value
        if value is None or (isinstance(value, float) and not np.isfinite(value)):
            raise DataError(f"{where}[{row}] is {value}; every row needs a label")
        if not isinstance(value, bool | int | float | str):
            raise DataError(f"{where}[{row}] is a {type(value).__name__}; labels are numbers or text, one a row")
        kinds.setdefault(type(value).__name__, value)
        plain.append(value)
    if len(kinds) > 1:
        found = ", ".join(f"{value!r} ({kind})" for kind, value in kinds.items())
        raise DataError(f"{where} mixes kinds of labels: {found}; make them all text or all whole numbers")
    if plain and isinstance(plain[0], float) and all(v == int(v) for v in plain):
        plain = [int(v) for v in plain]
    return [str(v) for v in plain]


def spelling_problem(labels: Sequence[str], where: str) -> str | None:
    """What is wrong where one number is spelt in two ways ("1" and "1.0"); "007" and "7" are two names."""
    spelt: dict[float, str] = {}
    for text in dict.fromkeys(labels):
        if PLAIN.match(text):
            other = spelt.setdefault(float(text), text)
            if other != text:
                return f"{where} mixes the labels {other!r} and {text!r} for one number; write them alike"
    return None


def encode(labels: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """int32 [rows] and the class names: in the order of numbers where all are numbers, else of the alphabet.

    >>> encode(["10", "9", "10"])[1]
    ('9', '10')
    """
    names = set(labels)
    numeric = all(NUMBER.match(name) for name in names)
    classes = tuple(sorted(names, key=lambda name: (float(name) if numeric else 0.0, name)))
    number = {name: k for k, name in enumerate(classes)}
    return np.fromiter((number[label] for label in labels), np.int32, len(labels)), classes


def class_problems(y: np.ndarray, classes: tuple[str, ...], where: str) -> list[str]:
    """What keeps the classes from being learnt at all: none, only one, empty ones, or labels that are no classes."""
    counts = np.bincount(y, minlength=len(classes))
    problems = []
    if not len(y):
        return [f"{where} holds no rows"]
    empty = [name for name, n in zip(classes, counts) if n == 0]
    if empty:
        problems.append(f"{where}: class {listed(empty)} has no rows; add some or remove it")
    if len(classes) == 1:
        problems.append(f"{where} holds one class, {shown(classes[0])!r}; at least two are needed")
    if len(y) > 20 and len(classes) > len(y) / 2:
        problems.append(
            f"{where}: the label has {len(classes):,} values in {len(y):,} rows; is it a number to predict? "
            "steepest trains classifiers: choose another label"
        )
    return problems


def check_splittable(
    y: np.ndarray, classes: tuple[str, ...], groups: np.ndarray | None = None, name: str = "the data"
) -> None:
    """Refuse classes with too few different rows for training, validation and test parts (3; duplicates count once)."""
    problems = split_problems(y, classes, groups)
    if problems:
        raise DataError(f"{name}: {problems[0]}")


def split_problems(y: np.ndarray, classes: tuple[str, ...], groups: np.ndarray | None = None) -> list[str]:
    """One line for each class that has fewer than 3 different rows."""
    problems = []
    for k, name in enumerate(classes):
        rows = np.flatnonzero(y == k)
        different = len(rows) if groups is None else len(np.unique(groups[rows]))
        if different < PARTS:
            has = counted(len(rows), "row") if len(rows) else "no rows"
            same = f" ({counted(different, 'different one')})" if different != len(rows) else ""
            problems.append(
                f"class {shown(name)!r} has {has}{same}; a split into training, validation and test rows needs "
                f"{PARTS}: add rows or remove the class"
            )
    return problems
