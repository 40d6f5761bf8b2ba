"""Nesterov's accelerated gradient: the gradient is taken where the velocity is about to carry the weights."""

from __future__ import annotations

from typing import ClassVar, Literal

from steepest.core.hyper import Hyper, Space, choice, fraction, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod, zeros

FORMS = ("look-ahead", "torch", "keras")


@spec
class Nesterov(LeafMethod):
    """Nesterov momentum: the gradient g is taken at θ + αv; v ← αv − εg, θ ← θ + v.

    **Equation** by `form`:

    - `"look-ahead"` (Sutskever et al. 2013; Goodfellow et al. 2016, alg. 8.3): as above. The default.
    - `"torch"`: gradient at θ; b ← αb + g, θ ← θ − ε(g + αb). Equals torch and optax with `nesterov=True`.
    - `"keras"`: gradient at θ; v ← αv − εg, θ ← θ + αv − εg. What it calls θ is the look-ahead point θ + αv of the
      first form, under any schedule; so `as_optax(Nesterov(…))`, whose loop holds that point, is Keras's rule too.

    The last two agree while the rate is constant. **Hyperparameters** `rate` ε, above 0; `momentum` α in [0, 1).
    **Memory** one array a weight array.

    With a proximal penalty v must be what the weights really moved, prox included, as in FISTA (Beck & Teboulle 2009):
    `settle` sees to it. So the look-ahead point meets θ where nothing moves any more, and the stride is ε, not ε/(1−α).

    **Raises** SettingError for a form that is not one of the three.

    >>> Nesterov(momentum=0.5).look([1.0], [4.0])
    [3.0]
    """

    equation: ClassVar[str] = "g = ∇J(θ + αv), v ← αv − εg, θ ← θ + v"
    paper: ClassVar[str] = "Nesterov 1983; Sutskever et al. 2013; Goodfellow et al. 2016, alg. 8.3"
    contains: ClassVar[tuple[str, ...]] = ("sgd",)

    rate: Hyper = rate(default=0.01)
    momentum: Hyper = fraction(default=0.9, space=Space(0.5, 0.99))
    form: Literal["look-ahead", "torch", "keras"] = choice(FORMS)

    def start_leaf(self, p: Array) -> Array:
        return zeros(p)

    def look_leaf(self, p: Array, m: Array) -> Array:
        return p + self.momentum * m if self.form == "look-ahead" else p

    def step_leaf(self, g: Array, m: Array, p: Array, t: Array) -> tuple[Array, Array]:
        if self.form == "torch":
            b = self.momentum * m + g
            return p - self.rate * (g + self.momentum * b), b
        v = self.momentum * m - self.rate * g
        if self.form == "keras":
            return p + self.momentum * v - self.rate * g, v
        return p + v, v

    def stride_leaf(self, m: Array, t: Array) -> Array:
        return self.rate if self.form == "look-ahead" else self.rate / (1 - self.momentum)

    def settle_leaf(self, m: Array, shift: Array) -> Array:
        return m + shift if self.form == "look-ahead" else m
