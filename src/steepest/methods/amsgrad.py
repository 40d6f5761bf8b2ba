"""AMSGrad: Adam whose second moment never falls, which mends Adam's failure to converge."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import jax.numpy as jnp

from steepest.core.hyper import Hyper, choice, fraction, positive, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod, zeros

FORMS = ("torch", "optax")


class Peaks(NamedTuple):
    """Memory of one weight array: running averages s of the gradient, r of its square, and the largest r so far."""

    s: Array
    r: Array
    top: Array


@spec
class AMSGrad(LeafMethod):
    """AMSGrad: Adam with the largest r so far in the denominator, θ ← θ − εŝ/(√(max r)^ + δ).

    **Equation** (Reddi et al. 2018, alg. 2) by `form`:

    - `"torch"`: r* ← max(r*, r) of the raw r, then r̂ = r*/(1−ρ₂ᵗ). Equals torch (`amsgrad=True`), and Keras at a
      tiny δ.
    - `"optax"`: r* ← max(r*, r/(1−ρ₂ᵗ)): the early, corrected and therefore large averages count. Equals
      `optax.amsgrad`.

    `correct=False` is the paper's own: no bias correction (the two forms are then one).

    **Hyperparameters** as `Adam`: `rate`, `delta` above 0; `decay1`, `decay2` in [0, 1). **Memory** three arrays a
    weight array. **Raises** SettingError for an unknown form.
    """

    equation: ClassVar[str] = "s, r as Adam; r* ← max(r*, r), θ ← θ − ε ŝ/(√r̂* + δ)"
    paper: ClassVar[str] = "Reddi et al. 2018"

    rate: Hyper = rate(default=1e-3, low=1e-5, high=1e-1)
    decay1: Hyper = fraction(default=0.9)
    decay2: Hyper = fraction(default=0.999)
    delta: Hyper = positive(default=1e-8)
    correct: bool = True
    form: Literal["torch", "optax"] = choice(FORMS)

    def start_leaf(self, p: Array) -> Peaks:
        return Peaks(zeros(p), zeros(p), zeros(p))

    def step_leaf(self, g: Array, m: Peaks, p: Array, t: Array) -> tuple[Array, Peaks]:
        s = self.decay1 * m.s + (1 - self.decay1) * g
        r = self.decay2 * m.r + (1 - self.decay2) * g * g
        corrected_first = self.correct and self.form == "optax"
        memory = Peaks(s, r, jnp.maximum(m.top, r / (1 - self.decay2**t) if corrected_first else r))
        s_hat = s / (1 - self.decay1**t) if self.correct else s
        return p - self.stride_leaf(memory, t) * s_hat, memory

    def stride_leaf(self, m: Peaks, t: Array) -> Array:
        corrected_last = self.correct and self.form == "torch"
        r_hat = m.top / (1 - self.decay2**t) if corrected_last else m.top
        return self.rate / (jnp.sqrt(r_hat) + self.delta)
