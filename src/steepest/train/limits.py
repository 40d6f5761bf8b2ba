"""Within which limits a feature stays when rows are moved: what makes an attacked row a row that could be.

    pixels          black and white, as the model sees them, whatever the training rows hold of them
    other features  the least and the most that each is among the training rows; a saved model carries them

Adversarial training, a comparison's score under attack and that of a saved model all keep to the same limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from steepest.data.schema import Schema
from steepest.data.standard import Standard

Limits = tuple[np.ndarray, np.ndarray]  # the least and the most of each feature, as the model sees it, in a row's shape


def pixels(schema: Schema | None) -> tuple[float, float] | None:
    """The values of black and of white before standardisation; None where features are no pixels.

    >>> pixels(Schema("images", (8, 8, 1), top=16.0)), pixels(Schema("images", (8, 8, 1), top=16.0, raw=True))
    ((0.0, 1.0), (0.0, 16.0))
    """
    if schema is None or (schema.kind != "images" and schema.top == 1.0):  # an array of bytes is of pixels, too
        return None
    return 0.0, schema.top if schema.raw else 1.0


def of_pixels(ends: tuple[float, float], standard: Standard | None, shape: tuple[int, ...], dtype: str) -> Limits:
    """Black and white (`pixels`) as a model of this dtype sees them."""
    rows = np.repeat(np.asarray(ends, np.float32)[:, None], int(np.prod(shape)), axis=1)
    low, high = rows.astype(dtype) if standard is None else standard.transform(rows, dtype)
    return low.reshape(shape), high.reshape(shape)


def of_rows(parts: Iterable[Any]) -> Limits:
    """The least and the most of each feature over rows, given some at a time: [rows, …], as the model sees them."""
    low, high = np.inf, -np.inf
    for part in parts:
        rows = np.asarray(part)
        low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
    return np.asarray(low), np.asarray(high)
