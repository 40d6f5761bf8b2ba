"""Tangent vectors of images: how an image changes when it is shifted, turned, stretched a little; and tangent prop.

Seen as a point among all images, an image that is transformed by α moves along a curve; its *tangent* is where the
curve sets out. For a transformation that moves the point (x, y) with velocity (u, v) it is u·∂I/∂x + v·∂I/∂y.
(Simard, LeCun, Denker & Victorri 1998)

    shift-x   (1, 0)        scale      (x, y)       axis      (y, x)        thickness   (∂I/∂x)² + (∂I/∂y)²
    shift-y   (0, 1)        rotate     (−y, x)      diagonal  (x, −y)

x points right and y down from the image's centre, −1 … 1 along its longer side: one unit of any transformation (but
thickness) moves a point at the edge by one pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.errors import DataError, SettingError, unknown
from steepest.core.hyper import Hyper, choice, strength
from steepest.core.spec import spec
from steepest.techniques.contract import Array, Technique, View

NAMES = ("shift-x", "shift-y", "scale", "rotate", "axis", "diagonal", "thickness")
GROUPS = {"shift": NAMES[:2], "similar": NAMES[:4], "affine": NAMES[:6], "all": NAMES}
REACH = 4  # widths σ to either side that a smoothed derivative looks at
NARROWEST, WIDEST = 0.3, 4.0  # σ in pixels; below, the two neighbours' weights vanish


@spec
class TangentProp(Technique):
    """Tangent prop: scores that stay as they are along the image's tangents.  (Simard et al. 1992; Goodfellow 7.67)

    **Equation**: ℓ ← ℓ + λ·Σₜ ‖(∂s/∂x)·t‖², over the tangents t of the row and all its scores s, by forward
    derivatives of the scores with this step's draws of hidden units. With batch norm the whole batch moves together.
    **Hyperparameters**: strength λ ≥ 0, searched log-uniform 1e-4 … 0.1.
    **Settings**: along "shift" (2 tangents), "similar" (4: and scale and rotate), "affine" (6) or "all" (7: and
    thickness); smooth, the width σ in pixels of the Gaussian whose derivative is taken, 0.3 … 4.
    **Shapes**: rows [H, W] or [H, W, channels]. Tangents are those of the image as it was before standardisation, in
    standardised units as the model sees them. A unit moves the image's edge by a pixel whatever its size.
    **Raises** SettingError for a setting that is none of these, DataError for rows that are no images.
    **Differs**: Simard et al. push derivatives through the network by hand; neither torch nor Keras has it.

    >>> from steepest.techniques.contract import Facts
    >>> def of(images):  # with the pixels for scores
    ...     facts = Facts(None, None, 0)
    ...     view = View(images, None, jnp.ones(1), lambda X: X.reshape(1, -1), None, None, (), None, facts)
    ...     return TangentProp(strength=1.0, along="shift").extra(view).round().tolist()
    >>> of(jnp.ones((1, 8, 8))), of(jnp.tile(jnp.arange(8.0), (1, 8, 1)))  # each pixel by about 1, at edges less
    ([0.0], [51.0])
    """

    strength: Hyper = strength(1e-3, 1e-4, 1e-1)
    along: str = choice(GROUPS, "similar")
    smooth: float = 0.7

    equation = "ℓ ← ℓ + λ·Σₜ ‖(∂s/∂x)·t‖²"
    paper = "Simard et al. 1992"
    needs_images = True
    needs_forward = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "smooth", checked_width("TangentProp", self.smooth))

    @property
    def passes(self) -> float:
        """For each tangent its way forward, and back to two sides."""
        return 3 * len(GROUPS[self.along])

    def extra(self, view: View) -> Array:
        facts = view.facts
        images = view.X * facts.scale + facts.center
        ways = jax.lax.stop_gradient(tangents(images, self.smooth, self.along) / facts.scale)
        return self.strength * change_along(view.scores, view.X, ways)


def change_along(scores: Callable[[Array], Array], X: Array, ways: Array) -> Array:
    """Σₜ ‖(∂s/∂x)·t‖² of each row [rows]; ways t [tangents, rows, …]."""
    _, push = jax.linearize(scores, X)
    # one after the other: each is then a product of the same shape as a plain pass, and as exact in a population
    return sum(jnp.sum(push(way) ** 2, axis=-1) for way in ways)  # type: ignore[return-value]


def tangents(images: Array, smooth: float = 0.7, along: str = "all") -> Array:
    """The tangents of images [rows, H, W] or [rows, H, W, channels]: [tangents, rows, …], in the order of NAMES.

    Derivatives are those of the image under a Gaussian of width `smooth` (pixels); beyond its edge an image goes on as
    it is there.

    >>> ramp = jnp.tile(jnp.arange(9.0), (1, 9, 1))
    >>> tangents(ramp, along="shift")[:, 0, 4, 4].round(4).tolist()
    [1.0, 0.0]
    """
    check_along("tangents", along)
    if images.ndim not in (3, 4):
        raise DataError(f"rows have shape {images.shape[1:]}; tangents are of images, (H, W) or (H, W, channels)")
    high, wide = images.shape[1:3]
    full = images if images.ndim == 4 else images[..., None]
    down, right = (smoothing(n, checked_width("tangents", smooth)) for n in (high, wide))
    dx = _down(down.blur, _across(right.slope, full))
    dy = _down(down.slope, _across(right.blur, full))
    x, y = grid(high, wide)
    ways = {
        "shift-x": lambda: dx,
        "shift-y": lambda: dy,
        "scale": lambda: x * dx + y * dy,
        "rotate": lambda: x * dy - y * dx,
        "axis": lambda: y * dx + x * dy,
        "diagonal": lambda: x * dx - y * dy,
        "thickness": lambda: dx * dx + dy * dy,
    }
    return jnp.stack([ways[name]() for name in GROUPS[along]]).reshape(-1, *images.shape)


def grid(high: int, wide: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of each pixel, [H, W, 1] each, from −1 to 1 along the longer side."""
    y, x = np.mgrid[:high, :wide][..., None]
    edge = max((max(high, wide) - 1) / 2, 0.5)
    return np.asarray((x - (wide - 1) / 2) / edge, np.float32), np.asarray((y - (high - 1) / 2) / edge, np.float32)


class Smoothing(NamedTuple):
    """A line of n pixels → each pixel's smoothed value, and its smoothed derivative: matrices [n, n]."""

    blur: np.ndarray
    slope: np.ndarray


def smoothing(n: int, width: float) -> Smoothing:
    """The Gaussian of `width` pixels and its derivative, right for every straight line; edge pixels go on outside.

    >>> (smoothing(9, 0.7).slope @ np.arange(9.0))[4].round(6)
    np.float64(1.0)
    """
    steps = np.arange(-int(np.ceil(REACH * width)), int(np.ceil(REACH * width)) + 1)
    weight = np.exp(-0.5 * (steps / width) ** 2)
    blur, slope = np.zeros((n, n)), np.zeros((n, n))
    for step, near in zip(steps, weight):
        seen = np.clip(np.arange(n) + step, 0, n - 1)
        np.add.at(blur, (np.arange(n), seen), near / weight.sum())
        np.add.at(slope, (np.arange(n), seen), step * near / (steps**2 @ weight))
    return Smoothing(blur, slope)


def _down(matrix: np.ndarray, images: Array) -> Array:
    """A matrix on each column of pixels."""
    return jnp.einsum("ij,rjwc->riwc", jnp.asarray(matrix, images.dtype), images)


def _across(matrix: np.ndarray, images: Array) -> Array:
    """A matrix on each line of pixels."""
    return jnp.einsum("ij,rhjc->rhic", jnp.asarray(matrix, images.dtype), images)


def check_along(owner: str, along: str) -> None:
    """Refuse a group of tangents that there is not."""
    if along not in GROUPS:
        raise unknown(f"{owner}.along", str(along), GROUPS)


def checked_width(owner: str, width: Any) -> float:
    """σ as a number; text is read, as a command line gives it."""
    try:
        number = float(width)
    except (TypeError, ValueError):
        number = float("nan")
    if not NARROWEST <= number <= WIDEST:
        raise SettingError(f"{owner}.smooth = {width!r}; it must be a width in pixels, {NARROWEST:g} to {WIDEST:g}")
    return number
