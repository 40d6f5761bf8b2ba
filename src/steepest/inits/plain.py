"""Initial weights that do not look at the layer's size."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from steepest.core.hyper import Hyper, positive
from steepest.core.spec import spec
from steepest.inits.contract import Array, Init


@spec
class Zeros(Init):
    """All weights 0. Right for a linear model (its loss is convex); a hidden layer never breaks its symmetry.

    >>> Zeros().weights(jax.random.key(0), (1, 2), 2, 1, "float32").tolist()
    [[0.0, 0.0]]
    """

    equation = "w = 0"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del key, fan_in, fan_out
        return jnp.zeros(shape, dtype)


@spec
class Ones(Init):
    """All weights 1."""

    equation = "w = 1"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del key, fan_in, fan_out
        return jnp.ones(shape, dtype)


@spec
class Normal(Init):
    """Normal weights of standard deviation σ = scale > 0."""

    scale: Hyper = positive(0.01)

    equation = "w ~ N(0, scale²)"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del fan_in, fan_out
        return self.scale * jax.random.normal(key, shape, dtype)


@spec
class Uniform(Init):
    """Uniform weights between −scale and scale; scale > 0, and the standard deviation is scale/√3."""

    scale: Hyper = positive(0.01)

    equation = "w ~ U(−scale, scale)"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del fan_in, fan_out
        return self.scale * jax.random.uniform(key, shape, dtype, -1.0, 1.0)
