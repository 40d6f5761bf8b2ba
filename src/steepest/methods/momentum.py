"""Heavy-ball momentum in the three forms that users meet; they part where the rate changes."""

from __future__ import annotations

from typing import ClassVar, Literal

from steepest.core.hyper import Hyper, Space, choice, fraction, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod, zeros

FORMS = ("classic", "torch", "averaged")


@spec
class Momentum(LeafMethod):
    """Heavy-ball momentum: v ← αv − εg, θ ← θ + v.

    **Equation** by `form`:

    - `"classic"` (Polyak 1964; Goodfellow et al. 2016, alg. 8.2): v ← αv − εg, θ ← θ + v. The rate is inside the
      velocity, so after a drop of the rate the old, larger moves die away only by α a step.
      The book chapter's V ← γV + ε∇, θ ← θ − V is the same. Equals Keras, and optax's
      `chain(scale_by_learning_rate(ε), trace(α))`.
    - `"torch"`: b ← αb + g, θ ← θ − εb. The rate is outside, so it acts at once. Equals torch (dampening 0) and
      `optax.sgd`. At a constant rate it is `"classic"`.
    - `"averaged"`: v ← αv + (1−α)g, θ ← θ − εv; `"torch"` at the rate ε(1−α). Equals optax's `ema(α, debias=False)`.
      torch's `dampening=α` is not this: its first buffer is g, not (1−α)g.

    **Hyperparameters** `rate` ε, above 0; `momentum` α in [0, 1). **Memory** one array a weight array.

    **Raises** SettingError for a form that is not one of the three.

    >>> Momentum(rate=0.5, momentum=0.5).step([4.0], [1.0], [0.0], 1)      # v = 0.5·1 − 0.5·4
    ([-1.5], [-1.5])
    """

    equation: ClassVar[str] = "v ← αv − εg, θ ← θ + v"
    paper: ClassVar[str] = "Polyak 1964; Goodfellow et al. 2016, alg. 8.2"
    contains: ClassVar[tuple[str, ...]] = ("sgd",)

    rate: Hyper = rate(default=0.01)
    momentum: Hyper = fraction(default=0.9, space=Space(0.5, 0.99))
    form: Literal["classic", "torch", "averaged"] = choice(FORMS)

    def start_leaf(self, p: Array) -> Array:
        return zeros(p)

    def step_leaf(self, g: Array, m: Array, p: Array, t: Array) -> tuple[Array, Array]:
        if self.form == "classic":
            v = self.momentum * m - self.rate * g
            return p + v, v
        if self.form == "torch":
            b = self.momentum * m + g
            return p - self.rate * b, b
        v = self.momentum * m + (1 - self.momentum) * g
        return p - self.rate * v, v

    def stride_leaf(self, m: Array, t: Array) -> Array:
        # under a constant gradient the velocity grows to 1/(1−α) steps; the averaged form keeps to one
        return self.rate if self.form == "averaged" else self.rate / (1 - self.momentum)
