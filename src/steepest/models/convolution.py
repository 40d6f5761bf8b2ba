"""Convolution as one matrix product: shifted copies of the maps, one under another, times the weights.

Maps are held as [channels, height, width, rows]. A shifted copy then is made of long runs, the product has the weights
on its left and needs no transposition on either side, and the rows, which lie side by side, fill the processor's
vectors in all that comes between two products.

XLA's own convolution takes a path on the CPU, inside a scan, that is 20 to 50 times slower, and becomes a grouped one
under vmap.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import jax
import jax.numpy as jnp

from steepest.models.contract import Array, spread
from steepest.models.products import product


def maps(rows: Array) -> Array:
    """Rows [rows, height, width] or [rows, height, width, channels] as maps [channels, height, width, rows]."""
    rows = rows[..., None] if rows.ndim == 3 else rows
    return rows.transpose(3, 1, 2, 0)


def image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels of a row that is an image.

    >>> image((28, 28)), image((32, 48, 3))
    ((28, 28, 1), (32, 48, 3))
    """
    height, width, *channels = shape
    return height, width, channels[0] if channels else 1


def convolve(W: Array, x: Array, b: Array | None = None, stride: int = 1, padding: int | None = None) -> Array:
    """Cross-correlation of maps with square kernels, zeros around them, as torch's and Keras's "convolutions".

    **Equation**: out[o, y, x] = Σ W[o, (i·k + j)·C + c]·in[c, s·y + i − p, s·x + j − p] + b[o]
    **Shapes**: W [out, k·k·channels], x [channels, H, W, rows], b [out] → [out, H', W', rows] with
    H' = ⌊(H + 2p − k)/s⌋ + 1. The kernel's side k follows from W; p is (k − 1)/2 unless named, which keeps the size.
    **Differs**: torch holds the weights as [out, channels, k, k], Keras as [k, k, channels, out].
    """
    channels, height, width, rows = x.shape
    k = math.isqrt(W.shape[1] // channels)
    padding = (k - 1) // 2 if padding is None else padding
    tall, wide = ((side + 2 * padding - k) // stride + 1 for side in (height, width))
    if k > 1 or stride > 1:
        x = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
        # to the left and right first, then all that up and down: 2·k copies to compile and to take back, not k²
        x = jnp.concatenate([x[:, :, j : j + stride * (wide - 1) + 1 : stride] for j in range(k)])
        x = jnp.concatenate([x[:, i : i + stride * (tall - 1) + 1 : stride] for i in range(k)])
    x = x.reshape(len(x), -1)
    out = product(W, x) if b is None else product(W, x) + spread(b, x.shape[1])
    return out.reshape(-1, tall, wide, rows)


def kernels(
    key: Array, name: str, channels: tuple[int, int], k: int, init: Any, dtype: Any, bias: bool = True
) -> dict[str, Array]:
    """Weights of one convolution, biases zero; each output sums k·k·channels numbers, each input goes into k·k·out."""
    into, out = channels
    own_key = jax.random.fold_in(key, zlib.crc32(name.encode()))
    layer = {"W": init.weights(own_key, (out, k * k * into), k * k * into, k * k * out, dtype)}
    return {**layer, "b": jnp.zeros((out,), dtype)} if bias else layer
