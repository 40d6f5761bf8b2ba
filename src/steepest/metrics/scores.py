"""Scores of confusion matrices [..., classes, classes] (rows are the truth), each in 0 … 1, higher is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from steepest.core.errors import DataError, unknown


def accuracy(confusion: Any) -> np.ndarray:
    """The share of rows (by weight) whose class is predicted right: trace / sum.

    >>> float(accuracy([[3, 1], [2, 4]]))
    0.7
    """
    matrix = _matrix(confusion)
    return np.trace(matrix, axis1=-2, axis2=-1) / matrix.sum(axis=(-2, -1))


def balanced_accuracy(confusion: Any) -> np.ndarray:
    """The mean over classes of recall; classes without rows do not count (as in scikit-learn).

    >>> float(balanced_accuracy([[3, 1], [3, 3]]))
    0.625
    """
    matrix = _matrix(confusion)
    support = matrix.sum(axis=-1)
    return recall(matrix).sum(axis=-1) / (support > 0).sum(axis=-1)


def f1(confusion: Any) -> np.ndarray:
    """Macro F1: the mean over classes of 2·hits / (support + predicted).

    Classes that are neither in the truth nor predicted do not count; a class that is one without the other has 0.
    Both as in scikit-learn's f1_score(average="macro").

    >>> float(f1([[1, 0, 0], [1, 1, 0], [0, 0, 0]]).round(4))
    0.6667
    """
    matrix = _matrix(confusion)
    return f1_by_class(matrix).sum(axis=-1) / occurring(matrix).sum(axis=-1)


METRICS: dict[str, Callable[[Any], np.ndarray]] = {"accuracy": accuracy, "balanced": balanced_accuracy, "f1": f1}


def metric(name: str) -> Callable[[Any], np.ndarray]:
    """The score of that name: a function from confusion matrices [..., classes, classes] to scores [...]."""
    if name not in METRICS:
        raise unknown("metric", name, METRICS)
    return METRICS[name]


def precision(matrix: np.ndarray) -> np.ndarray:
    """hits / predicted for each class; 0 where the class is never predicted."""
    return _ratio(_hits(matrix), matrix.sum(axis=-2))


def recall(matrix: np.ndarray) -> np.ndarray:
    """hits / support for each class; 0 where the class has no rows."""
    return _ratio(_hits(matrix), matrix.sum(axis=-1))


def f1_by_class(matrix: np.ndarray) -> np.ndarray:
    """2·hits / (support + predicted) for each class, the harmonic mean of precision and recall; 0 where it is 0/0."""
    return _ratio(2 * _hits(matrix), matrix.sum(axis=-1) + matrix.sum(axis=-2))


def occurring(matrix: np.ndarray) -> np.ndarray:
    """Which classes are in the truth or predicted."""
    return matrix.sum(axis=-1) + matrix.sum(axis=-2) > 0


def _hits(matrix: np.ndarray) -> np.ndarray:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)


def _matrix(confusion: Any) -> np.ndarray:
    matrix = np.asarray(confusion, dtype=np.float64)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise DataError(f"a confusion matrix has shape {matrix.shape}; it must be [..., classes, classes]")
    if not (matrix.sum(axis=(-2, -1)) > 0).all():
        raise DataError("a confusion matrix without rows has no score; the part to be scored is empty")
    return matrix
