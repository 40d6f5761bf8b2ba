"""Pooling of maps [channels, height, width, rows]: squares of 2×2 become one number."""

from __future__ import annotations

import jax.numpy as jnp

from steepest.models.contract import Array


def max_pool(x: Array) -> Array:
    """The greatest number of each 2×2 square; an odd last row or column is left out, as in torch.

    Numbers that tie for the greatest share the gradient; in torch the first of them gets it.
    """
    return jnp.max(_squares(x), axis=(2, 4))


def average_pool(x: Array) -> Array:
    """The mean of each 2×2 square; an odd last row or column is left out, as in torch."""
    return jnp.mean(_squares(x), axis=(2, 4))


def average_map(x: Array) -> Array:
    """The mean over each map: [channels, height, width, rows] → [channels, rows]."""
    return jnp.mean(x, axis=(1, 2))


def _squares(x: Array) -> Array:
    """[channels, H, W, rows] → [channels, H//2, 2, W//2, 2, rows]; reshape + reduction is faster than a window's."""
    channels, height, width, rows = x.shape
    tall, wide = height // 2, width // 2
    return x[:, : 2 * tall, : 2 * wide].reshape(channels, tall, 2, wide, 2, rows)
