"""Delta-bar-delta: a rate for every weight, that grows while the gradient keeps its sign."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, Space, fraction, hyper, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod, zeros


class Rates(NamedTuple):
    """Memory of delta-bar-delta for one weight array."""

    rates: Array  # the rate of every weight
    bar: Array  # δ̄, the running average of the gradient
    base: Array  # the rate that training started with: a schedule scales all rates by rate / base


@spec
class DeltaBarDelta(LeafMethod):
    """Delta-bar-delta: a weight's own rate grows by κ while the gradient agrees with its average δ̄, else it shrinks.

    **Equation** (Jacobs 1988, eqs. 5–6), for every weight: ε ← ε + κ where δ̄·g > 0; ε ← ε(1 − φ) where δ̄·g < 0;
    unchanged where it is 0. Then θ ← θ − εg with the new ε, and δ̄ ← (1−θ̄)g + θ̄δ̄.

    **Hyperparameters** `rate`: every weight's first ε, above 0; `growth` κ ≥ 0, in the unit of a rate; `shrink` φ in
    [0, 1); `averaging` θ̄ in [0, 1), Jacobs' θ. **Memory** two arrays a weight array. Jacobs' κ and φ want full batches:
    the sign of a noisy gradient says little.

    **No stride**, so no proximal penalty: at a penalty's optimum the gradient is constant and not zero, and every rate
    would grow without end.

    No counterpart in torch, optax or Keras.
    """

    equation: ClassVar[str] = "ε ← ε + κ if δ̄g > 0, ε(1−φ) if δ̄g < 0; θ ← θ − εg; δ̄ ← (1−θ̄)g + θ̄δ̄"
    paper: ClassVar[str] = "Jacobs 1988"
    contains: ClassVar[tuple[str, ...]] = ("sgd",)
    has_stride: ClassVar[bool] = False

    rate: Hyper = rate(default=0.01)
    growth: Hyper = hyper(default=1e-3, domain=Domain(low=0.0), space=Space(1e-5, 1e-1, log=True))
    shrink: Hyper = fraction(default=0.1)
    averaging: Hyper = fraction(default=0.7)

    def start_leaf(self, p: Array) -> Rates:
        return Rates(jnp.full_like(p, self.rate), zeros(p), jnp.asarray(self.rate, p.dtype))

    def step_leaf(self, g: Array, m: Rates, p: Array, t: Array) -> tuple[Array, Rates]:
        agreement = jnp.sign(m.bar) * jnp.sign(g)  # the product itself underflows for tiny gradients
        rates = jnp.where(agreement > 0, m.rates + self.growth, m.rates)
        rates = jnp.where(agreement < 0, m.rates * (1 - self.shrink), rates)
        bar = (1 - self.averaging) * g + self.averaging * m.bar
        return p - self.rate / m.base * rates * g, Rates(rates, bar, m.base)
