"""Adadelta: the rate is replaced by the size of recent moves over the size of recent gradients."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import jax.numpy as jnp

from steepest.core.hyper import Hyper, fraction, positive, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod, zeros


class Sizes(NamedTuple):
    """Memory of Adadelta for one weight array."""

    r: Array  # running average of squared gradients
    u: Array  # running average of squared moves, before the rate
    ratio: Array  # move per gradient of the last step: what the stride needs, and u has already moved on


@spec
class Adadelta(LeafMethod):
    """Adadelta: Δ = √(u + δ)/√(r + δ)·g, θ ← θ − εΔ, with r and u the running averages of g² and Δ².

    **Equation** (Zeiler 2012, alg. 1): r ← ρr + (1−ρ)g²; Δ = √(u + δ)/√(r + δ)·g; u ← ρu + (1−ρ)Δ²; θ ← θ − εΔ.
    The paper has ε = 1.

    **Hyperparameters** `rate` ε and `delta` δ, above 0; `decay` ρ in [0, 1). **Memory** three arrays a weight array.

    **Differs from** torch and optax in nothing but the defaults (ε 1, ρ 0.9, δ 1e-6 there too); Keras: ε 0.001, ρ 0.95,
    δ 1e-7. The paper's own ρ is 0.95.

    **Stride** ε√(u + δ)/√(r + δ), of the last step. Where a penalty holds a weight against a constant gradient the
    ratio creeps up towards 1.
    """

    equation: ClassVar[str] = "Δ = g·√(u + δ)/√(r + δ), θ ← θ − εΔ; r, u: running averages of g², Δ²"
    paper: ClassVar[str] = "Zeiler 2012"

    rate: Hyper = rate(default=1.0, low=1e-2, high=100.0)
    decay: Hyper = fraction(default=0.9)
    delta: Hyper = positive(default=1e-6)

    def start_leaf(self, p: Array) -> Sizes:
        return Sizes(zeros(p), zeros(p), zeros(p))

    def step_leaf(self, g: Array, m: Sizes, p: Array, t: Array) -> tuple[Array, Sizes]:
        r = self.decay * m.r + (1 - self.decay) * g * g
        ratio = jnp.sqrt(m.u + self.delta) / jnp.sqrt(r + self.delta)
        move = ratio * g
        u = self.decay * m.u + (1 - self.decay) * move * move
        return p - self.rate * move, Sizes(r, u, ratio)

    def stride_leaf(self, m: Sizes, t: Array) -> Array:
        return self.rate * m.ratio
