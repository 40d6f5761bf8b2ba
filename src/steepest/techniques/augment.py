"""Augmentation: each step sees other versions of its pictures, moved, turned and changed a little at random."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, Space, hyper
from steepest.core.spec import spec
from steepest.techniques.contract import Array, Facts, Technique
from steepest.techniques.resample import resampled

SHARE = Domain(low=0.0, high=1.0)
SHARE_BELOW_1 = Domain(low=0.0, high=1.0, open_high=True)
DRAWS = 11  # uniform numbers a row


@spec
class Augment(Technique):
    """Data augmentation: each picture flipped, shifted, rotated, scaled, cropped, changed in contrast, partly cut out.

    **Equation** (Goodfellow et al. 2016, 7.4): x'(p) = k·x(c + A·(p − c) + o) + (1 − k)·m outside the cut-out
    square and 0 inside it, with A = mirror · (1 − crop·u₁)·e^(scale·u₂) · rotation by rotate·u₃; o from shift and the
    crop's place; k = 1 + contrast·u₄; c the middle of the picture, m the mean of x. All of it is one bilinear reading
    of the batch; outside the picture the nearest edge pixel counts. The u are uniform, drawn anew for each row and
    step, and the same for all members of a replicate, which scale them by ranges of their own.
    **Shapes**: rows [n, H, W] or [n, H, W, channels] → the same. Labels stay.
    **Hyperparameters**, each 0 for not at all: `shift` up to this share of height and width, either way, in [0, 1];
    `rotate` up to these degrees, either way, in [0, 180]; `scale` by a factor within e^±scale, in [0, 1]; `flip` the
    probability of a left-right mirror, in [0, 1]; `crop` zooms into a part anywhere, whose side is shorter by up to
    this share, in [0, 1); `contrast` k within 1 ± contrast, in [0, 1]; `cutout` the side of the square as a share of
    the picture's, in [0, 1], centred anywhere, so that it may stick out (DeVries & Taylor 2017).
    **Settings**: whole=True moves by whole pixels, so that a picture that is only shifted and mirrored stays as sharp
    as those to be predicted: between pixels the bilinear reading blurs it. Of 8×8 digits a small shift rounds to none.
    **Defaults and spaces** suit any pictures, 8×8 digits included: a little shift, rotation and scale, which are also
    what a comparison searches. Mirroring, cropping, contrast and cut-out are held at 0 unless a recipe says otherwise:
    a mirrored digit is no digit. For photos `augment:flip=0.5,shift=0.125,rotate=0,scale=0,whole=true` is the usual
    start.
    **Standardised rows** are resampled as they are, each pixel in units of its own mean and deviation. For photos that
    is nearly the same as before standardising, since neighbouring pixels vary alike; where some pixels hardly ever vary
    (the borders of digits) it is milder: in the pictures' own units a stroke moved there would be a hundred deviations,
    which cost points with 1,350 digits to learn from, and gained half a point with 180. Contrast acts on how a picture
    differs from the mean picture, and what is cut out becomes the mean picture (black, where rows are kept raw).
    **Raises** SettingError for a range outside its bounds; a data set without pictures is refused by the check of
    recipes.
    **Differs** from torchvision: one resampling for all together, edges repeated instead of black, a crop keeps the
    picture's proportions, and m is the mean of all channels before anything was moved. RandomCrop with padding moves by
    whole pixels, as whole=True.

    >>> Augment(flip=0.5, rotate=0.0)
    Augment(rotate=0.0, flip=0.5)
    """

    equation: ClassVar[str] = "x ← k·x(c + A·(p − c) + o) + (1 − k)·mean, 0 where cut out; A, o, k drawn for each row"
    paper: ClassVar[str] = "Goodfellow et al. 2016, 7.4; DeVries & Taylor 2017 (cut-out)"
    needs_images: ClassVar[bool] = True

    shift: Hyper = hyper(0.05, SHARE, Space(0.0, 0.2))
    rotate: Hyper = hyper(10.0, Domain(low=0.0, high=180.0), Space(0.0, 20.0))
    scale: Hyper = hyper(0.1, SHARE, Space(0.0, 0.2))
    flip: Hyper = hyper(0.0, SHARE)
    crop: Hyper = hyper(0.0, SHARE_BELOW_1)
    contrast: Hyper = hyper(0.0, SHARE)
    cutout: Hyper = hyper(0.0, SHARE)
    whole: bool = False

    def rows(self, X: Array, y: Array, key: Array, facts: Facts) -> tuple[Array, Array]:
        del facts
        pictures = X if X.ndim == 4 else X[..., None]
        exact = jnp.promote_types(X.dtype, jnp.float32)  # places in bfloat16 would be off by pixels
        u = jax.random.uniform(key, (DRAWS, len(X)), exact)
        matrix, offset = self._map(u[:8], pictures.shape[1:3])
        moved = resampled(pictures, matrix, offset)
        k = (1 + self.contrast * _either(u[8]))[:, None, None, None].astype(X.dtype)
        moved = k * moved + (1 - k) * jnp.mean(pictures, axis=(1, 2, 3), keepdims=True)
        moved = jnp.where(self._cut(u[9:], pictures.shape[1:3])[..., None], 0, moved)
        return moved.reshape(X.shape).astype(X.dtype), y

    def _map(self, u: Array, sides: tuple[int, int]) -> tuple[Array, Array]:
        """The affine map of each row: matrix [rows, 2, 2] and offset [rows, 2], down before right."""
        mirror = jnp.where(u[0] < self.flip, -1, 1).astype(u.dtype)
        angle = jnp.deg2rad(self.rotate * _either(u[1]))
        part = 1 - self.crop * u[2]  # of the side that is seen
        size = part * jnp.exp(self.scale * _either(u[3]))
        cos, sin = size * jnp.cos(angle), size * jnp.sin(angle)
        matrix = jnp.stack([jnp.stack([cos, -sin]), jnp.stack([mirror * sin, mirror * cos])])
        offset = [
            self.shift * side * _either(shift) + (1 - part) * (side - 1) / 2 * _either(place)
            for side, shift, place in zip(sides, u[4:6], u[6:8])
        ]
        moved = jnp.stack(offset, axis=1)
        return jnp.moveaxis(matrix, 2, 0), jnp.round(moved) if self.whole else moved

    def _cut(self, u: Array, sides: tuple[int, int]) -> Array:
        """Which pixels [rows, H, W] lie in the cut-out square."""
        down, right = (
            jnp.abs(jnp.arange(side) - (side * place[:, None] - 0.5)) < self.cutout * side / 2
            for side, place in zip(sides, u)
        )
        return down[:, :, None] & right[:, None, :]


def _either(u: Any) -> Array:
    """From [0, 1) to [−1, 1)."""
    return 2 * u - 1
