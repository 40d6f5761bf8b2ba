"""Pictures read at other places: one affine map a row, four neighbours a pixel, the edge repeated outside.

Of the ways tried on the CPU (64 rows of 32×32×3 in a scan, one member, one thread): whole pixels gathered from a flat
batch 1.2 ms, pairs of neighbouring pixels 1.0 ms with more code, windows of 2×2 pixels 1.9 ms, the four neighbours laid
side by side first 2.1 ms, single numbers 3.0 ms, channel planes 1.7 … 3.9 ms; and outside of a scan, with two threads,
as a product with the rows' interpolation matrices 27 ms. (Separable products, 0.6 ms there, cannot rotate.)
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

Array = Any


def resampled(pictures: Array, matrix: Array, offset: Array) -> Array:
    """Each pixel p of the result is read at c + matrix·(p − c) + offset, c the middle of the picture: bilinear.

    **Shapes**: pictures [rows, H, W, channels], matrix [rows, 2, 2] and offset [rows, 2] in pixels, down before right.
    Outside the picture the nearest edge pixel counts. A place on a pixel gives that pixel exactly: the identity,
    mirrors and shifts by whole pixels change no bit.
    **Differs** from torch's `grid_sample`, whose places are shares of the side; the same as SciPy's `affine_transform`
    with order 1 and mode "nearest", but for its offset, which counts from the corner.
    """
    rows, height, width, channels = pictures.shape
    down, right = _places(matrix, offset, height, width)
    top = jnp.clip(down.astype(jnp.int32), 0, max(height - 2, 0))
    left = jnp.clip(right.astype(jnp.int32), 0, max(width - 2, 0))
    flat = pictures.reshape(rows * height * width, channels)
    first = (jnp.arange(rows)[:, None, None] * height + top) * width + left
    below, beside = width * (height > 1), int(width > 1)  # a picture of one line has no second one

    def pixel(further: int) -> Array:
        return flat.at[first + further].get(mode="promise_in_bounds")

    over, across = ((place - whole)[..., None].astype(pictures.dtype) for place, whole in ((down, top), (right, left)))
    upper = _between(pixel(0), pixel(beside), across)
    lower = _between(pixel(below), pixel(below + beside), across)
    return _between(upper, lower, over)


def _places(matrix: Array, offset: Array, height: int, width: int) -> tuple[Array, Array]:
    """Where each pixel is read, down and right [rows, H, W], moved onto the picture."""
    middle, centre = (height - 1) / 2, (width - 1) / 2
    down = (jnp.arange(height, dtype=matrix.dtype) - middle)[:, None]
    right = jnp.arange(width, dtype=matrix.dtype) - centre
    m, o = matrix[:, :, :, None, None], offset[:, :, None, None]
    # the offset is added to the middle first: both are small, and whole places stay whole
    read_down = m[:, 0, 0] * down + m[:, 0, 1] * right + (middle + o[:, 0])
    read_right = m[:, 1, 0] * down + m[:, 1, 1] * right + (centre + o[:, 1])
    return jnp.clip(read_down, 0, height - 1), jnp.clip(read_right, 0, width - 1)


def _between(a: Array, b: Array, share: Array) -> Array:
    """a at share 0 and b at share 1, both exactly; a + share·(b − a) would round b."""
    return (1 - share) * a + share * b
