"""Chance: every draw comes from (seed, replicate, purpose), so candidates of one replicate share their draws."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np


def generator(seed: int, replicate: int, purpose: str, *more: int) -> np.random.Generator:
    """A NumPy generator for one purpose ("split", "order", "search" …) of one replicate; independent of all others."""
    entropy = [seed, replicate, zlib.crc32(purpose.encode()), *more]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def key(seed: int, replicate: int, purpose: str) -> Any:
    """A JAX key for one purpose of one replicate (threefry, so the same on every platform)."""
    import jax

    draw = np.random.SeedSequence([seed, replicate, zlib.crc32(purpose.encode())]).generate_state(2, np.uint32)
    return jax.random.wrap_key_data(jax.numpy.asarray(draw, dtype=jax.numpy.uint32), impl="threefry2x32")
