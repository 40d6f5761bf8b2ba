"""What a study trains on: rows, class numbers and groups, from a Dataset or from plain arrays."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.data.classes import check_splittable, encode, label_texts
from steepest.data.content import fingerprint, same_rows
from steepest.data.dataset import Dataset
from steepest.data.labels import Task
from steepest.data.standard import Standard, block_rows
from steepest.train.limits import Limits, of_pixels, of_rows, pixels


class OnDisk:
    """Rows of a Dataset that lie in a mapped file: scaled to float32 when they are asked for, a few at a time."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self.fingerprint = data.fingerprint
        self.shape = data.X.shape
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self._data.X)

    def __getitem__(self, index: np.ndarray) -> np.ndarray:
        return self._data.features(index).reshape(-1, *self.shape[1:])


@dataclass(frozen=True, eq=False)
class Source:
    """Rows for training: X [rows, …] real, y [rows] class numbers (or numbers, with no classes: a regression)."""

    name: str
    X: np.ndarray | OnDisk
    y: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray
    standardised: np.ndarray | None  # which features standardisation scales; None: all of them
    given: np.ndarray | None = None  # [rows] bool: the test rows that came with the data
    missing: bool = False  # NaN stands for an empty cell, to be filled with the training mean
    further: tuple[Task, ...] = ()  # the tasks after the first, whose labels y are
    pixels: tuple[float, float] | None = None  # the values of black and white; None where features are no pixels

    @property
    def regression(self) -> bool:
        """Whether y holds numbers instead of classes."""
        return not self.classes

    @property
    def tasks(self) -> tuple[int, ...]:
        """How many classes each task has, the first in front; () where there is one task."""
        return (len(self.classes), *(len(task.classes) for task in self.further)) if self.further else ()

    def labels(self, index: np.ndarray) -> np.ndarray:
        """What the rows are trained to say: y [rows], or the class numbers of several tasks [rows, tasks]."""
        if not self.further:
            return self.y[index]
        return np.stack([self.y[index], *(task.y[index] for task in self.further)], axis=1)

    def prepared(self, train: np.ndarray, standardize: bool) -> Standard | None:
        """What is learnt from the training rows before a model sees them; None where rows go in as they are."""
        features = math.prod(self.X.shape[1:])
        if standardize:
            return Standard.of_blocks(lambda: self._blocks(train), features, self.standardised)
        which = np.zeros(features, bool)
        return Standard.of_blocks(lambda: self._blocks(train), features, which) if self.missing else None

    def _blocks(self, train: np.ndarray) -> Iterator[np.ndarray]:
        for chosen in self._few(train):
            yield self.X[chosen].reshape(len(chosen), -1).astype(np.float64)

    def _few(self, index: np.ndarray) -> Iterator[np.ndarray]:
        """Numbers of rows some at a time, so that copies of the rows stay small."""
        few = block_rows(math.prod(self.X.shape[1:]))
        for start in range(0, len(index), few):
            yield index[start : start + few]

    def limits(self, train: np.ndarray, standard: Standard | None, dtype: str = "float32") -> Limits:
        """Within which limits each feature stays under attack; a pass over the training rows unless it is a pixel."""
        if self.pixels is not None:
            return of_pixels(self.pixels, standard, self.X.shape[1:], dtype)
        return of_rows(self.rows(few, standard, dtype) for few in self._few(train))

    def rows(self, index: np.ndarray, standard: Standard | None, dtype: str = "float32") -> np.ndarray:
        """Rows as a model of this dtype sees them."""
        chosen = self.X[index]
        if standard is None:
            return chosen.astype(dtype, copy=False)
        return standard.transform(chosen.reshape(len(index), -1), dtype).reshape(chosen.shape)


def from_dataset(data: Dataset) -> Source:
    """A Dataset's rows: images in their own shape."""
    X = OnDisk(data) if data.on_disk else data.features().reshape(len(data.y), *data.shape)
    return Source(
        name=data.name,
        X=X,
        y=data.y,
        classes=data.classes,
        groups=data.groups,
        standardised=data.schema.standardised,
        given=data.given_test,
        missing=not isinstance(X, OnDisk) and bool(np.isnan(X).any()),
        pixels=pixels(data.schema),
        further=data.further,
    )


def from_arrays(X: Any, y: Any, regression: bool, groups: Any = None) -> Source:
    """Arrays as they are: X is not scaled or rounded, labels of any kind become class numbers.

    Raises DataError for rows that are not finite numbers, or labels that do not fit.
    """
    if isinstance(X, Dataset):
        return from_dataset(X)
    rows = np.asarray(X)
    if rows.dtype.kind not in "fiub" or rows.ndim < 2:
        raise DataError(f"X has shape {rows.shape} and type {rows.dtype}; it must be [rows, features] of real numbers")
    rows = rows if rows.dtype == np.float64 else rows.astype(np.float32, copy=False)
    if not np.isfinite(rows).all():
        row, *column = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(f"X has NaN or infinity in row {row}, column {', '.join(map(str, column))}; fill or drop it")
    if regression:
        target = np.asarray(y, np.float64)
        classes: tuple[str, ...] = ()
        if target.shape != (len(rows),) or not np.isfinite(target).all():
            raise DataError(
                f"y has shape {target.shape}; a regression needs one finite number for each of {len(rows)} rows"
            )
    else:
        target, classes = encode(label_texts(y))
        if len(target) != len(rows):
            raise DataError(f"X has {len(rows):,} rows, but y {len(target):,} labels")
    alike = same_rows(rows) if groups is None else np.asarray(groups)
    return Source("arrays", rows, target, classes, alike, None)


def check(source: Source, test: float, validation: float) -> None:
    """Refuse a class too small to be in every part of a split."""
    if not source.regression and test > 0 and validation > 0:
        check_splittable(source.y, source.classes, source.groups, name=source.name)


def identity(source: Source) -> str:
    """A content hash of what is trained on: the rows, and which of their features standardisation scales."""
    which = source.standardised
    scaled = "all" if which is None or which.all() else np.packbits(which).tobytes().hex()
    rows = (
        source.X.fingerprint
        if isinstance(source.X, OnDisk)
        else fingerprint(source.X, source.y, source.classes, source.further)
    )
    return f"{rows}-{hashlib.sha256(scaled.encode()).hexdigest()[:16]}"
