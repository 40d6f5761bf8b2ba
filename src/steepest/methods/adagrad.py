"""AdaGrad: each weight's step is divided by the root of all its squared gradients so far."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, hyper, positive, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod


@spec
class AdaGrad(LeafMethod):
    """AdaGrad: r ← r + g², θ ← θ − εg/(δ + √r).

    **Equation** (Duchi et al. 2011; Goodfellow et al. 2016, alg. 8.4): as above; with `inside=True` δ stands inside the
    root, θ ← θ − εg/√(δ + r).

    **Hyperparameters** `rate` ε and `delta` δ, above 0; `initial` r₀ ≥ 0. **Memory** r, one array a weight array.

    **Differs from** torch: same rule, δ = 1e-10 there. optax and Keras: `inside=True, initial=0.1` (δ = 1e-7 as here).
    """

    equation: ClassVar[str] = "r ← r + g², θ ← θ − εg/(δ + √r)"
    paper: ClassVar[str] = "Duchi et al. 2011; Goodfellow et al. 2016, alg. 8.4"

    rate: Hyper = rate(default=0.01, low=1e-4, high=1.0)
    delta: Hyper = positive(default=1e-7)
    initial: Hyper = hyper(default=0.0, domain=Domain(low=0.0))
    inside: bool = False

    def start_leaf(self, p: Array) -> Array:
        return jnp.full_like(p, self.initial)

    def step_leaf(self, g: Array, m: Array, p: Array, t: Array) -> tuple[Array, Array]:
        r = m + g * g
        return p - self.stride_leaf(r, t) * g, r

    def stride_leaf(self, m: Array, t: Array) -> Array:
        return self.rate / (jnp.sqrt(self.delta + m) if self.inside else self.delta + jnp.sqrt(m))
