"""What an estimator is given: rows that may be images, and how much each row counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from steepest.core.errors import DataError, SettingError


def image_shape(X: Any) -> tuple[int, ...] | None:
    """A row's shape where rows are images, (H, W) or (H, W, channels); None where they are scikit-learn's to check."""
    shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    return tuple(shape[1:]) if len(shape) in (3, 4) else None


def flat(X: Any, shape: tuple[int, ...] | None) -> Any:
    """Images as rows of numbers; pixels in whole numbers as float32, which holds them in half of float64's memory."""
    if shape is None:
        return X
    rows = np.asarray(X)
    rows = rows.astype(np.float32) if rows.dtype.kind in "iub" else rows
    return rows.reshape(len(rows), math.prod(shape))


def row_weights(given: Any, rows: int) -> np.ndarray:
    """Row weights, float64 [rows]."""
    weight = np.ones(rows) if given is None else np.asarray(given, np.float64)
    weight = np.full(rows, float(weight)) if weight.ndim == 0 else weight
    if weight.shape != (rows,) or not np.isfinite(weight).all() or (weight < 0).any():
        raise DataError(
            f"sample_weight has shape {weight.shape}; it must be a finite number of at least 0 for each of {rows} rows"
        )
    return weight


def relative(weight: np.ndarray) -> np.ndarray:
    """Row weights whose mean is 1 where they are not 0: only ratios are to matter, to a batch norm's variance, too.

    >>> relative(np.array([0.0, 1.0, 3.0])).tolist()
    [0.0, 0.5, 1.5]
    """
    used = weight > 0
    return weight / weight[used].mean() if used.any() else weight


def with_class_weight(
    weight: np.ndarray, given: Any, classes: np.ndarray, y: np.ndarray, numbers_: np.ndarray
) -> np.ndarray:
    """Row weights [rows] times those of the rows' classes, by scikit-learn's own rule."""
    if given is None:
        return weight
    try:
        with np.errstate(divide="ignore"):  # a class none of whose rows counts
            of_class = compute_class_weight(given, classes=classes, y=y, sample_weight=weight)
        made = np.where(weight > 0, weight * np.where(weight > 0, of_class[numbers_], 0), 0)
    except (ValueError, TypeError) as error:
        raise SettingError(f"class_weight: {error}") from None
    if not np.isfinite(made).all() or (made < 0).any():
        raise SettingError(f"class_weight = {given!r}; it must be a finite number of at least 0 for each class")
    return made
