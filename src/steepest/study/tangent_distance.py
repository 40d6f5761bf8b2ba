"""Tangent distance: how far two images are apart when each may be shifted, turned or stretched a little.

Each image stands for the plane through it that its seven tangents span (`techniques/tangent.py`), x + T·a for any a.

    two-sided   d² = min ‖(x + Tₓ·a) − (e + Tₑ·b)‖² + κ·(‖a‖² + ‖b‖²) over a and b
    one-sided   d² = min ‖x − (e + Tₑ·b)‖² + κ·‖b‖² over b, the tangents of the stored image alone

The spring κ holds images near where they are: planes go on for ever, and with few pixels a 7 is stretched into a 1.
Images are 0 to 1; give those whose strokes touch the edge a border, for they are taken to go on beyond it.
Both are least squares with a closed answer. (Simard, LeCun, Denker & Victorri 1998; the spring is theirs too)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from steepest.core.errors import DataError, SettingError, whole_number
from steepest.techniques.tangent import tangents
from steepest.train.cache import precision, prepare

SMOOTH = 0.5  # pixels; more blurs images of 8×8 away
SPRING = 0.05  # a unit of any tangent but thickness moves the image's edge by a pixel
SIDES = (1, 2)
ALIKE = 1e-6  # singular values below this share of the largest are no direction
PAIRS = 1 << 17  # compared at once


class Planes(NamedTuple):
    """Images with their tangents: rows [n, features], ways W [n, tangents, features] (`planes`)."""

    rows: np.ndarray
    ways: np.ndarray


class TangentDistance(ClassifierMixin, BaseEstimator):
    """Nearest neighbours by tangent distance: a classifier for images that has nothing to train.

    **Settings**: neighbors, how many vote (ties go to the nearest); sides 2 or 1; along, which tangents: "all" 7,
    "affine" 6, "similar" 4 or "shift" 2; spring κ ≥ 0, 0 for planes without end; smooth, the width σ in pixels of the
    derivatives, 0.3 … 4; shape (H, W) or (H, W, channels) of the images where rows come flat; None: square and grey.
    **After fit**: classes_, n_features_in_, planes_, scale_ (the largest value of an image, which is divided by).
    **Shapes**: X [rows, H, W], [rows, H, W, channels] or flat [rows, features], grey or colour values of any scale, not
    standardised by feature; y [rows] labels of any kind.
    **Takes** some 5 to 10 µs for a pair of images (two-sided, 64 pixels), a fifth of it one-sided; the images stored
    take eight times their size in float32.
    **Raises** DataError for rows that are no images, SettingError for settings out of range.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> TangentDistance().fit(X[:300], y[:300]).score(X[300:400], y[300:400]) > 0.9
    True
    """

    def __init__(
        self,
        neighbors: int = 1,
        *,
        sides: int = 2,
        along: str = "all",
        spring: float = SPRING,
        smooth: float = SMOOTH,
        shape: Sequence[int] | None = None,
    ) -> None:
        self.neighbors = neighbors
        self.sides = sides
        self.along = along
        self.spring = spring
        self.smooth = smooth
        self.shape = shape

    def fit(self, X: Any, y: Any) -> TangentDistance:
        """Keep images X with their tangents, and labels y [rows]."""
        whole_number("neighbors", self.neighbors)
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], allow_nd=True)
        check_classification_targets(y)
        if len(X) < self.neighbors:
            raise DataError(f"{len(X)} images, and neighbors = {self.neighbors}; keep more images or ask fewer")
        self.classes_, self._numbers = np.unique(y, return_inverse=True)
        self.scale_ = float(np.abs(X).max()) or 1.0
        self.planes_ = self._planes(X)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The label of each image, [rows]."""
        near = self.kneighbors(X)[1]
        votes = np.zeros((len(near), len(self.classes_)))
        for rank in range(near.shape[1]):  # a nearer one decides a tie
            np.add.at(votes, (np.arange(len(near)), self._numbers[near[:, rank]]), 1 + 0.5 ** (rank + 2))
        return self.classes_[votes.argmax(axis=1)]

    def kneighbors(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Distances and numbers of the `neighbors` nearest stored images, nearest first: [rows, neighbors] each."""
        check_is_fitted(self, "planes_")
        X = np.asarray(validate_data(self, X, reset=False, dtype=[np.float64, np.float32], allow_nd=True))
        found = between(self._planes(X), self.planes_, self.sides)
        near = np.argsort(found, axis=1, kind="stable")[:, : self.neighbors]
        return np.take_along_axis(found, near, axis=1), near

    def _planes(self, X: np.ndarray) -> Planes:
        return planes(_images(X, self.shape) / self.scale_, self.along, self.spring, self.smooth)


def tangent_distance(
    A: Any, B: Any, sides: int = 2, *, along: str = "all", spring: float = SPRING, smooth: float = SMOOTH
) -> np.ndarray:
    """The tangent distance of each image of A from each of B: [n, H, W(, channels)], [m, …] → float64 [n, m].

    Values are taken as from 0 to 1, by which the spring is measured. sides=1: the images of B alone may move. Between
    an image and a transformed one it is small to first order only: the plane is the curve's tangent, not the curve.
    **Raises** DataError for rows that are no images of one size, SettingError for settings out of range.
    """
    A, B = np.asarray(A, np.float64), np.asarray(B, np.float64)
    if A.shape[1:] != B.shape[1:]:
        raise DataError(f"images have shapes {A.shape[1:]} and {B.shape[1:]}; they must be of one size")
    return between(planes(A, along, spring, smooth), planes(B, along, spring, smooth), sides)


def planes(images: np.ndarray, along: str = "all", spring: float = SPRING, smooth: float = SMOOTH) -> Planes:
    """Images [n, H, W(, channels)] with their tangents, in float32.

    The tangents are turned among themselves and shortened, T → C·T with C·(T·Tᵀ + κ)·Cᵀ = 1: without a spring they are
    an orthonormal basis of the plane, and with one the least squares below look the same.
    """
    if not spring >= 0 or not np.isfinite(spring):
        raise SettingError(f"spring = {spring!r}; it must be a finite number of at least 0")
    prepare()
    with precision("float64"):
        given = np.asarray(tangents(jnp.asarray(images, jnp.float64), smooth, along))
    _, long, ways = np.linalg.svd(np.moveaxis(given.reshape(*given.shape[:2], -1), 0, 1), full_matrices=False)
    there = long > ALIKE * np.maximum(long[:, :1], np.finfo(float).tiny)  # an empty image has no tangents
    short = np.where(there, long / np.sqrt(long**2 + spring + np.finfo(float).tiny), 0)
    return Planes(images.reshape(len(images), -1).astype(np.float32), (ways * short[..., None]).astype(np.float32))


def between(A: Planes, B: Planes, sides: int = 2) -> np.ndarray:
    """Tangent distances float64 [n, m], some thousand pairs at a time."""
    if sides not in SIDES:
        raise SettingError(f"sides = {sides!r}; it must be 1 (tangents of the stored image) or 2 (of both)")
    found = np.empty((len(A.rows), len(B.rows)))
    step = max(1, min(len(A.rows), PAIRS // max(len(B.rows), 1)))
    for start in range(0, len(A.rows), step):
        here = slice(start, start + step)
        for first in range(0, len(B.rows), PAIRS):
            there = slice(first, first + PAIRS)
            found[here, there] = _squared(_exact(A, here), _exact(B, there), sides)
    return np.sqrt(np.maximum(found, 0))


def _exact(planes: Planes, which: slice) -> Planes:
    return Planes(planes.rows[which].astype(np.float64), planes.ways[which].astype(np.float64))


def _squared(A: Planes, B: Planes, sides: int) -> np.ndarray:
    """The squared distances [n, m]: ‖r‖² for r = x − e, less what the tangents W can take of it.

    One-sided that is ‖Wₑ·r‖². Two-sided it is ‖Wₓ·r‖², and of what then is left gᵀ·(1 − Mᵀ·M)⁻¹·g, where M = Wₓ·Wₑᵀ is
    what the planes have in common and g = Wₑ·r − Mᵀ·Wₓ·r. (The normal equations of both, solved for a first.)
    """
    straight = (A.rows**2).sum(1)[:, None] + (B.rows**2).sum(1) - 2 * A.rows @ B.rows.T
    by_b = _products(A.rows[:, None], B.ways)[:, 0] - np.einsum("mtd,md->mt", B.ways, B.rows)
    if sides == 1:
        return straight - (by_b**2).sum(-1)
    by_a = np.einsum("ntd,nd->nt", A.ways, A.rows)[:, None] - _products(B.rows[:, None], A.ways)[:, 0].swapaxes(0, 1)
    M = _products(A.ways, B.ways).swapaxes(1, 2)  # [n, m, tangents of x, tangents of e]
    # a direction that both planes have leaves nothing of g; the small number keeps the equations solvable
    left = np.eye(M.shape[-1]) * (1 + 1e-9) - M.swapaxes(-1, -2) @ M
    g = by_b - (by_a[..., None, :] @ M)[..., 0, :]
    moved = np.linalg.solve(left, g[..., None])[..., 0]
    return straight - (by_a**2).sum(-1) - (g * moved).sum(-1)


def _products(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Every inner product of [n, s, features] and [m, t, features], by one product of matrices: [n, s, m, t]."""
    features = some.shape[-1]
    return (some.reshape(-1, features) @ others.reshape(-1, features).T).reshape(*some.shape[:2], *others.shape[:2])


def _images(X: np.ndarray, shape: Sequence[int] | None) -> np.ndarray:
    """Rows in the shape of images."""
    if X.ndim > 2:
        return X
    if shape is None:
        side = int(np.sqrt(X.shape[1]))
        shape = (side, side)
    if int(np.prod(shape)) != X.shape[1] or len(shape) not in (2, 3):
        raise DataError(f"rows have {X.shape[1]} numbers, no image of shape {tuple(shape)}; give shape=(H, W)")
    return X.reshape(len(X), *shape)
