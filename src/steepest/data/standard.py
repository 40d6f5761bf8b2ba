"""Standardisation, learnt from training rows only: (x − mean) / deviation, feature by feature."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from steepest.core.errors import DataError

BLOCK_ROWS, BLOCK_NUMBERS = 4096, 1 << 22  # at most, at a time, so that float64 copies stay small


@dataclass(frozen=True)
class Standard:
    """x ← (x − center) / scale; a missing cell becomes `fill` (0 where standardised: the training mean).

    Shapes: center, scale, fill float64 [features]. Rows go in as [rows, features] with NaN for a missing cell and come
    out as float32, computed in float64. A feature that is constant over the training rows gets scale 1.
    Differs from scikit-learn's StandardScaler in that: missing cells are filled, one-hot features can be left alone.
    """

    center: np.ndarray
    scale: np.ndarray
    fill: np.ndarray

    @classmethod
    def fit(cls, rows: np.ndarray, which: np.ndarray | None = None) -> Standard:
        """Learn from training rows. `which`, bool [features] (`schema.standardised`): the others are left alone.

        >>> Standard.fit(np.array([[1.0, 5.0], [3.0, 5.0]])).transform(np.array([[5.0, 5.0], [np.nan, 6.0]])).tolist()
        [[3.0, 0.0], [0.0, 1.0]]
        """
        if rows.ndim != 2 or not len(rows):
            raise DataError(f"standardising needs rows [rows, features], at least one; got shape {rows.shape}")
        return cls.of_blocks(lambda: _blocks(rows), rows.shape[1], which)

    @classmethod
    def of_blocks(
        cls, blocks: Callable[[], Iterator[np.ndarray]], features: int, which: np.ndarray | None = None
    ) -> Standard:
        """As `fit`, from float64 blocks [rows, features] that are gone through twice."""
        total, known = np.zeros(features), np.zeros(features)
        low, high = np.full(features, np.inf), np.full(features, -np.inf)
        for block in blocks():
            there = ~np.isnan(block)
            total += np.where(there, block, 0.0).sum(0)
            known += there.sum(0)
            low = np.fmin(low, np.fmin.reduce(block, axis=0))
            high = np.fmax(high, np.fmax.reduce(block, axis=0))
        mean = total / np.maximum(known, 1)
        squares = np.zeros(features)
        for block in blocks():
            squares += np.nansum((block - mean) ** 2, axis=0)
        varies = high > low  # the deviation of a constant column is rounding, not 0
        deviation = np.sqrt(squares / np.maximum(known, 1))
        use = np.ones(features, bool) if which is None else np.asarray(which, bool)
        return cls(
            center=np.where(use, mean, 0.0),
            scale=np.where(use & varies & (deviation > 0), deviation, 1.0),
            fill=np.where(use, 0.0, mean),
        )

    def transform(self, rows: np.ndarray, dtype: str = "float32") -> np.ndarray:
        """[rows, features] of `dtype`, no NaN left."""
        if rows.ndim != 2 or rows.shape[1] != len(self.center):
            raise DataError(f"rows have shape {rows.shape}, but {len(self.center)} features were standardised")
        out = np.empty(rows.shape, dtype)
        few = block_rows(rows.shape[1])
        for start in range(0, len(rows), few):
            block = (rows[start : start + few].astype(np.float64) - self.center) / self.scale
            out[start : start + few] = np.where(np.isnan(block), self.fill, block)
        return out

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Name → float64 array, for a model file."""
        return {"center": self.center, "scale": self.scale, "fill": self.fill}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Standard:
        """What `to_arrays` gave; DataError where an array is missing, misshapen or not finite."""
        made = {}
        for name in ("center", "scale", "fill"):
            if name not in arrays:
                raise DataError(f"standardisation lacks the array {name!r}")
            made[name] = np.asarray(arrays[name], np.float64)
            if made[name].ndim != 1 or len(made[name]) != len(made["center"]) or not np.isfinite(made[name]).all():
                raise DataError(f"standardisation's array {name!r} is not one finite number a feature")
        if (made["scale"] <= 0).any():
            raise DataError("standardisation's scales must be above 0")
        return cls(**made)


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    few = block_rows(rows.shape[1])
    for start in range(0, len(rows), few):
        yield rows[start : start + few].astype(np.float64)


def block_rows(features: int) -> int:
    """How many rows to copy at a time."""
    return max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // features))
