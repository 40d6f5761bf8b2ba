"""Confusion matrices of many members at once, by one bincount."""

from __future__ import annotations

from typing import Any

import numpy as np

from steepest.core.errors import DataError, SettingError

_BLOCK = 1 << 22  # predictions counted at once: 32 MB of codes, however many members there are


def confusion(y: Any, predicted: Any, classes: int, weight: Any = None) -> np.ndarray:
    """How often class i (row) was predicted as class j (column), as in scikit-learn's confusion_matrix.

    **Shapes** y [rows], predicted [..., rows] (leading axes: members, replicates …) → [..., classes, classes]: int64
    counts, or float64 sums of `weight` [rows] where given (rows that only fill up have weight 0; weights are finite
    and at least 0). Class numbers are 0 … classes − 1. **Raises** DataError naming the first row with a class number
    out of that range.

    >>> confusion([0, 0, 1], [[0, 1, 1], [1, 1, 1]], classes=2).tolist()
    [[[1, 1], [0, 1]], [[0, 2], [0, 1]]]
    """
    if classes < 1:
        raise SettingError(f"classes = {classes}; there must be at least 1")
    y = _class_numbers("label", y, classes)
    predicted = _class_numbers("prediction", predicted, classes)
    if y.ndim != 1 or predicted.ndim == 0 or predicted.shape[-1] != len(y):
        raise DataError(
            f"labels have shape {y.shape} and predictions {predicted.shape}; they must be [rows] and [..., rows]"
        )
    if weight is not None:
        weight = _weights(weight, len(y))
    members = predicted.reshape(int(np.prod(predicted.shape[:-1], dtype=np.int64)), len(y))
    cells = classes * classes
    counts = np.zeros((len(members), cells), dtype=np.int64 if weight is None else np.float64)
    step = max(1, _BLOCK // max(len(y), 1))
    for start in range(0, len(members), step):
        block = members[start : start + step]
        code = block + y * classes + np.arange(len(block))[:, None] * cells
        heavy = None if weight is None else np.broadcast_to(weight, block.shape).ravel()
        counts[start : start + len(block)] = np.bincount(code.ravel(), heavy, len(block) * cells).reshape(-1, cells)
    return counts.reshape(*predicted.shape[:-1], classes, classes)


def _class_numbers(what: str, values: Any, classes: int) -> np.ndarray:
    values = np.asarray(values)
    if values.size and values.dtype.kind not in "iub":
        raise DataError(f"{what}s must be class numbers (integers), not {values.dtype}")
    values = values.astype(np.int64)
    wrong = (values < 0) | (values >= classes)
    if wrong.any():
        where = np.argwhere(wrong)[0]
        raise DataError(
            f"{what} of row {where[-1]} is {values[tuple(where)]}; class numbers go from 0 to {classes - 1}"
        )
    return values


def _weights(weight: Any, rows: int) -> np.ndarray:
    weight = np.asarray(weight, dtype=np.float64)
    if weight.shape != (rows,):
        raise DataError(f"row weights have shape {weight.shape}; there must be one for each of the {rows} rows")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        row = int(np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))[0])
        raise DataError(f"weight of row {row} is {weight[row]:g}; weights must be finite and at least 0")
    return weight
