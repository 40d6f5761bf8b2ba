"""Adam, and AdamW: Adam with weight decay that does not pass through the gradient."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp

from steepest.core.errors import SettingError
from steepest.core.hyper import Hyper, choice, fraction, positive, rate, strength
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod, Tree, zeros

FORMS = ("paper", "keras")
LEAVES = ("weights", "all")


class Moments(NamedTuple):
    """Memory of one weight array: running averages s of the gradient and r of its square."""

    s: Array
    r: Array


@spec
class Adam(LeafMethod):
    """Adam: s ← ρ₁s + (1−ρ₁)g, r ← ρ₂r + (1−ρ₂)g², θ ← θ − εŝ/(√r̂ + δ), with ŝ = s/(1−ρ₁ᵗ), r̂ = r/(1−ρ₂ᵗ).

    **Equation** (Kingma & Ba 2015, alg. 1; Goodfellow et al. 2016, alg. 8.7): as above. By option:

    - `correct=False`: no bias correction, ŝ = s and r̂ = r.
    - `inside=True`: εŝ/√(r̂ + δ), as alg. 8.7 is sometimes printed; optax's `eps=0, eps_root=δ`.
    - `form="keras"` (Kingma & Ba, end of §2): ε√(1−ρ₂ᵗ)/(1−ρ₁ᵗ)·s/(√r + δ), so that δ is not scaled by the correction.

    **Hyperparameters** `rate` ε and `delta` δ, above 0; `decay1` ρ₁ and `decay2` ρ₂ in [0, 1) (betas elsewhere).
    **Memory** two arrays a weight array.

    **Differs from** torch and optax in nothing. Keras: `form="keras", delta=1e-7`.

    **Raises** SettingError for an unknown form.

    >>> step, _ = Adam(rate=0.5).step([jnp.array(8.0)], Adam().start([jnp.array(0.0)]), [jnp.array(0.0)], 1)
    >>> step[0].round(3).item()      # the first step is −ε·sign(g)
    -0.5
    """

    equation: ClassVar[str] = "s ← ρ₁s + (1−ρ₁)g, r ← ρ₂r + (1−ρ₂)g², θ ← θ − ε ŝ/(√r̂ + δ)"
    paper: ClassVar[str] = "Kingma & Ba 2015; Goodfellow et al. 2016, alg. 8.7"
    contains: ClassVar[tuple[str, ...]] = ("sgd", "momentum")  # for a large δ, with rate/δ in the place of the rate

    rate: Hyper = rate(default=1e-3, low=1e-5, high=1e-1)
    decay1: Hyper = fraction(default=0.9)
    decay2: Hyper = fraction(default=0.999)
    delta: Hyper = positive(default=1e-8)
    correct: bool = True
    inside: bool = False
    form: Literal["paper", "keras"] = choice(FORMS)

    def start_leaf(self, p: Array) -> Moments:
        return Moments(zeros(p), zeros(p))

    def step_leaf(self, g: Array, m: Moments, p: Array, t: Array) -> tuple[Array, Moments]:
        s = self.decay1 * m.s + (1 - self.decay1) * g
        r = self.decay2 * m.r + (1 - self.decay2) * g * g
        s_hat = s / (1 - self.decay1**t) if self.correct else s
        return p - self.stride_leaf(Moments(s, r), t) * s_hat, Moments(s, r)

    def stride_leaf(self, m: Moments, t: Array) -> Array:
        share = 1 - self.decay2**t if self.correct else 1.0  # how much of r's weight the gradients so far have filled
        if self.form == "keras":
            return self.rate * jnp.sqrt(share) / self._root(m.r)
        return self.rate / self._root(m.r / share)

    def _root(self, r: Array) -> Array:
        return jnp.sqrt(r + self.delta) if self.inside else jnp.sqrt(r) + self.delta


@spec
class AdamW(Adam):
    """AdamW: θ ← θ(1 − ελ), then Adam's step.

    **Equation** (Loshchilov & Hutter 2019, alg. 2, with the rate in the decay as in torch): θ ← (1 − ελ)θ, then
    θ ← θ − εŝ/(√r̂ + δ) with ŝ, r̂ of the gradient alone.

    **Hyperparameters** as `Adam`, and `weight_decay` λ ≥ 0. `on="weights"` (default) spares biases and norm
    parameters, as penalties do: it decays the leaves whose last key is `W` (a bare array counts as weights).
    `on="all"` decays every leaf.

    **Differs from** torch: `on="all"` there, λ = 0.01 as here. optax: λ = 1e-4, `mask` chooses the leaves. Keras: λ =
    0.004 and `form="keras"`.

    **Stride** as Adam's, but a proximal penalty then acts beside the decay: the minimiser is the lasso's only at λ = 0.

    **Raises** SettingError where `on="weights"` finds no leaf named `W`.
    """

    equation: ClassVar[str] = "θ ← θ(1 − ελ), then Adam"
    paper: ClassVar[str] = "Loshchilov & Hutter 2019"
    contains: ClassVar[tuple[str, ...]] = ("sgd", "momentum", "adam")
    decays: ClassVar[bool] = True

    weight_decay: Hyper = strength(default=0.01, low=1e-4, high=1.0)
    on: Literal["weights", "all"] = choice(LEAVES)

    def start(self, params: Tree) -> list[Any]:
        if not any(self._decays(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)):
            raise SettingError("AdamW decays the leaves named W, and these weights have none; use on='all'")
        return super().start(params)

    def step(self, grads: Tree, memory: list[Any], params: Tree, t: Array) -> tuple[Tree, list[Any]]:
        kept = 1 - self.rate * self.weight_decay
        decayed = jax.tree_util.tree_map_with_path(lambda path, p: p * kept if self._decays(path) else p, params)
        return super().step(grads, memory, decayed, t)

    def _decays(self, path: tuple[Any, ...]) -> bool:
        last = getattr(path[-1], "key", getattr(path[-1], "name", None)) if path else "W"
        return self.on == "all" or last == "W"
