"""RMSProp, alone, with momentum and with Nesterov's look-ahead."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import jax.numpy as jnp

from steepest.core.hyper import Hyper, Space, fraction, positive, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod, zeros


class Moving(NamedTuple):
    """Memory of one weight array: the running average r of g², and a velocity (or buffer) v."""

    r: Array
    v: Array


@spec
class RMSProp(LeafMethod):
    """RMSProp: r ← ρr + (1−ρ)g², θ ← θ − εg/√(δ + r).

    **Equation** (Hinton 2012; Goodfellow et al. 2016, alg. 8.5): as above. With `inside=False` δ stands outside the
    root, θ ← θ − εg/(√r + δ), as torch and many lecture notes have it.

    **Hyperparameters** `rate` ε and `delta` δ, above 0; `decay` ρ in [0, 1). **Memory** r, one array a weight array.

    **Differs from** torch: `inside=False, decay=0.99, delta=1e-8, rate=0.01` there. Keras: δ = 1e-7. optax: δ = 1e-8;
    its `eps_in_sqrt=False` is `inside=False`.

    >>> RMSProp(rate=1.0, decay=0.0, delta=1e-6).stride([0.25], 1)[0].round(3).item()
    2.0
    """

    equation: ClassVar[str] = "r ← ρr + (1−ρ)g², θ ← θ − εg/√(δ + r)"
    paper: ClassVar[str] = "Hinton 2012; Goodfellow et al. 2016, alg. 8.5"

    rate: Hyper = rate(default=1e-3, low=1e-5, high=1e-1)
    decay: Hyper = fraction(default=0.9)
    delta: Hyper = positive(default=1e-6)
    inside: bool = True

    def start_leaf(self, p: Array) -> Array:
        return zeros(p)

    def step_leaf(self, g: Array, m: Array, p: Array, t: Array) -> tuple[Array, Array]:
        r = self.decay * m + (1 - self.decay) * g * g
        return p - self.stride_leaf(r, t) * g, r

    def stride_leaf(self, m: Array, t: Array) -> Array:
        return self.rate / (jnp.sqrt(self.delta + m) if self.inside else self.delta + jnp.sqrt(m))


@spec
class RMSPropMomentum(LeafMethod):
    """RMSProp with heavy-ball momentum: v ← αv − εg/√(δ + r), θ ← θ + v.

    **Equation** by `rate_outside`: False (Keras, `optax.rmsprop`): as above, the rate inside the velocity. True
    (torch): b ← αb + g/√(δ + r), θ ← θ − εb. They part only where the rate changes. `inside` as in `RMSProp`.

    **Hyperparameters** as `RMSProp`, and `momentum` α in [0, 1). **Memory** two arrays a weight array.

    **Equal to** torch: `inside=False, rate_outside=True, decay=0.99, delta=1e-8`; Keras: `delta=1e-7`;
    `optax.rmsprop(eps=δ, momentum=α)` and, with `inside=False`, its `eps_in_sqrt=False`.
    """

    equation: ClassVar[str] = "r ← ρr + (1−ρ)g², v ← αv − εg/√(δ + r), θ ← θ + v"
    paper: ClassVar[str] = "Hinton 2012; Polyak 1964"
    contains: ClassVar[tuple[str, ...]] = ("rmsprop",)

    rate: Hyper = rate(default=1e-3, low=1e-5, high=1e-1)
    decay: Hyper = fraction(default=0.9)
    momentum: Hyper = fraction(default=0.9, space=Space(0.5, 0.99))
    delta: Hyper = positive(default=1e-6)
    inside: bool = True
    rate_outside: bool = False

    def start_leaf(self, p: Array) -> Moving:
        return Moving(zeros(p), zeros(p))

    def step_leaf(self, g: Array, m: Moving, p: Array, t: Array) -> tuple[Array, Moving]:
        r = self.decay * m.r + (1 - self.decay) * g * g
        if self.rate_outside:
            b = self.momentum * m.v + g / self._root(r)
            return p - self.rate * b, Moving(r, b)
        v = self.momentum * m.v - self.rate * g / self._root(r)
        return p + v, Moving(r, v)

    def stride_leaf(self, m: Moving, t: Array) -> Array:
        return self.rate / self._root(m.r) / (1 - self.momentum)

    def _root(self, r: Array) -> Array:
        return jnp.sqrt(self.delta + r) if self.inside else self.delta + jnp.sqrt(r)


@spec
class RMSPropNesterov(LeafMethod):
    """RMSProp with Nesterov momentum: g at θ + αv; r ← ρr + (1−ρ)g², v ← αv − εg/√r, θ ← θ + v.

    **Equation** (Goodfellow et al. 2016, alg. 8.6): as above. The book has no δ: here δ = 1e-30 stands inside the root,
    which only makes 0/0 a 0 for a weight that never had a gradient.

    **Hyperparameters** `rate` ε and `delta` δ, above 0; `decay` ρ and `momentum` α in [0, 1). **Memory** two arrays a
    weight array; `settle` as in `Nesterov`, so the stride is ε/√(δ + r).

    **Differs from** torch and Keras: they have none. The look-ahead point θ + αv equals `optax.rmsprop(ε, ρ, eps=1e-30,
    momentum=α, nesterov=True)`.
    """

    equation: ClassVar[str] = "g = ∇J(θ + αv), r ← ρr + (1−ρ)g², v ← αv − εg/√r, θ ← θ + v"
    paper: ClassVar[str] = "Goodfellow et al. 2016, alg. 8.6"
    contains: ClassVar[tuple[str, ...]] = ("rmsprop",)

    rate: Hyper = rate(default=1e-3, low=1e-5, high=1e-1)
    decay: Hyper = fraction(default=0.9)
    momentum: Hyper = fraction(default=0.9, space=Space(0.5, 0.99))
    delta: Hyper = positive(default=1e-30)

    def start_leaf(self, p: Array) -> Moving:
        return Moving(zeros(p), zeros(p))

    def look_leaf(self, p: Array, m: Moving) -> Array:
        return p + self.momentum * m.v

    def step_leaf(self, g: Array, m: Moving, p: Array, t: Array) -> tuple[Array, Moving]:
        r = self.decay * m.r + (1 - self.decay) * g * g
        v = self.momentum * m.v - self.rate * g / jnp.sqrt(self.delta + r)
        return p + v, Moving(r, v)

    def stride_leaf(self, m: Moving, t: Array) -> Array:
        return self.rate / jnp.sqrt(self.delta + m.r)

    def settle_leaf(self, m: Moving, shift: Array) -> Moving:
        return Moving(m.r, m.v + shift)
