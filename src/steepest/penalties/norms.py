"""None, L1, L2 and the elastic net.

All four are the elastic net with zeros (`penalties.general` writes them so, that they train as one program):

    R(w) = l1·Σ|w| + ½·l2·Σw²        (factor "half")        R(w) = l1·Σ|w| + l2·Σw²        (factor "one")

The sources differ in the factor of L2, so it is a setting: "half" is D's and E's ½λ‖w‖² (and PyTorch's weight_decay),
"one" is A's and C's λΣW² (and Keras's `L2(λ)`); "half" with 2λ equals "one" with λ.
"""

from __future__ import annotations

import jax.numpy as jnp

from steepest.core.hyper import Hyper, choice, strength
from steepest.core.spec import refuse, spec
from steepest.penalties.contract import TARGETS, Array, Penalty, Tree, change, chosen, nothing

HALVES = {"half": 0.5, "one": 1.0}


@spec
class NoPenalty(Penalty):
    """No penalty: R(w) = 0.

    >>> float(NoPenalty().value({"W": jnp.ones((2, 3))}))
    0.0
    """

    equation = "R(w) = 0"


@spec
class L1(Penalty):
    """Lasso: R(w) = λΣ|w|.  (Tibshirani 1996; Goodfellow et al. 7.1.2)

    **Acts** by its proximal map w ← sign(w)·max(|w| − λ·stride, 0), which gives exact zeros and the lasso's minimiser
    with every method that has a stride; with `subgradient=True` by λ·sign(w) in the gradient (0 at w = 0; Goodfellow
    7.20, and what torch and Keras do), which gives small weights but no exact zeros.

    **Hyperparameters**: strength λ ≥ 0, searched log-uniform 1e-5 … 1e-2 (mean loss, standardised rows).
    **Settings**: subgradient; on = "weights" or "all" (biases too).
    **Raises** SettingError for a strength below 0 or an unknown `on`.

    >>> L1(1.0).prox({"W": jnp.array([0.5, -3.0])}, [1.0])["W"].tolist()
    [0.0, -2.0]
    """

    strength: Hyper = strength(1e-4, 1e-5, 1e-2)
    subgradient: bool = False
    on: str = choice(TARGETS)

    equation = "R(w) = λΣ|w|"
    paper = "Tibshirani 1996"

    @property
    def proximal(self) -> bool:
        return not self.subgradient

    def value(self, params: Tree) -> Array:
        return absolute(params, self.on, self.strength)

    def smooth(self, params: Tree) -> Array:
        return self.value(params) if self.subgradient else nothing(params)

    def prox(self, params: Tree, strides: list[Array]) -> Tree:
        return shrink_to_zero(params, self.on, self.strength, strides) if self.proximal else params


@spec
class SubgradientL1(L1):
    """L1 by its subgradient λ·sign(w) instead of its prox: for methods without a stride. See `L1`."""

    subgradient: bool = True

    equation = "R(w) = λΣ|w|, as λ·sign(w) in the gradient"

    def __post_init__(self) -> None:
        if not self.subgradient:
            raise refuse(self, "subgradient = False; use L1 for the proximal form")


@spec
class L2(Penalty):
    """Ridge, weight decay in the gradient: R(w) = ½λΣw², so that ∇R = λw.  (Goodfellow et al. 7.1.1)

    **Differs**: `factor="half"` (default) is ½λ‖w‖² of sources D and E; torch's weight_decay adds the same λw to the
    gradient. `factor="one"` is λΣW² of sources A and C and Keras's `regularizers.L2(λ)`: half with 2λ.
    scikit-learn: `LogisticRegression(C=1/(λn))`, `Ridge(alpha=λn)`, `SGDClassifier(alpha=λ)` equal "half".
    With momentum or an adaptive method λw goes through the method's memory; `WeightDecay` and `AdamW` keep it apart.

    **Hyperparameters**: strength λ ≥ 0, searched log-uniform 1e-5 … 1e-1.
    **Settings**: factor = "half" or "one"; on = "weights" or "all" (biases too, as torch does).
    **Raises** SettingError for a strength below 0, an unknown factor or an unknown `on`.

    >>> float(L2(0.1).value({"W": jnp.array([3.0, 4.0])})), float(L2(0.1, "one").value({"W": jnp.array([3.0, 4.0])}))
    (1.25, 2.5)
    """

    strength: Hyper = strength(1e-4, 1e-5, 1e-1)
    factor: str = choice(HALVES)
    on: str = choice(TARGETS)

    equation = "R(w) = ½λΣw²"
    paper = "Hoerl & Kennard 1970"

    def smooth(self, params: Tree) -> Array:
        return squares(params, self.on, self.strength, self.factor)


@spec
class ElasticNet(Penalty):
    """Elastic net: R(w) = l1·Σ|w| + ½·l2·Σw².  (Zou & Hastie 2005)

    **Acts**: the L2 part through the gradient, the L1 part through its prox (or, with `subgradient=True`, through
    its subgradient too).

    **Differs**: the form λ(βΣW² + Σ|W|) is `ElasticNet(l1=λ, l2=λβ, factor="one")`, or with "half" l2 = 2λβ.
    scikit-learn's ElasticNet(alpha, l1_ratio) is l1 = alpha·l1_ratio, l2 = alpha·(1 − l1_ratio) with "half".

    **Hyperparameters**: l1 ≥ 0, searched log-uniform 1e-5 … 1e-2; l2 ≥ 0, searched log-uniform 1e-5 … 1e-1.
    **Settings**: factor, subgradient and on, as for L1 and L2.
    **Raises** SettingError for a strength below 0, an unknown factor or an unknown `on`.

    >>> float(ElasticNet(l1=1.0, l2=0.5, factor="one").value({"W": jnp.array([1.0, -2.0])}))
    5.5
    """

    l1: Hyper = strength(1e-4, 1e-5, 1e-2)
    l2: Hyper = strength(1e-4, 1e-5, 1e-1)
    factor: str = choice(HALVES)
    subgradient: bool = False
    on: str = choice(TARGETS)

    equation = "R(w) = l1·Σ|w| + ½·l2·Σw²"
    paper = "Zou & Hastie 2005"

    @property
    def proximal(self) -> bool:
        return not self.subgradient

    def value(self, params: Tree) -> Array:
        return absolute(params, self.on, self.l1) + squares(params, self.on, self.l2, self.factor)

    def smooth(self, params: Tree) -> Array:
        return self.value(params) if self.subgradient else squares(params, self.on, self.l2, self.factor)

    def prox(self, params: Tree, strides: list[Array]) -> Tree:
        return shrink_to_zero(params, self.on, self.l1, strides) if self.proximal else params


def absolute(params: Tree, on: str, strength: Hyper) -> Array:
    """strength·Σ|w|; its gradient is strength·sign(w), 0 at w = 0 (that of jnp.abs is 1 there)."""
    return sum((jnp.sum((strength * jnp.sign(w)) * w) for w in chosen(params, on)), start=nothing(params))


def squares(params: Tree, on: str, strength: Hyper, factor: str) -> Array:
    """strength·Σw² times ½ or 1. Multiplied in before it is squared: strength 0 stays 0 where w² would overflow."""
    total = sum((jnp.sum((strength * w) * w) for w in chosen(params, on)), start=nothing(params))
    return HALVES[factor] * total


def shrink_to_zero(params: Tree, on: str, strength: Hyper, strides: list[Array]) -> Tree:
    """Soft-threshold by strength·stride each array that the penalty acts on."""

    def one(w: Array, stride: Array) -> Array:
        # a weight that never moved can have an infinite stride (ε/√0), and 0·∞ is not 0
        return soft_threshold(w, jnp.where(strength == 0, 0.0, strength * stride).astype(w.dtype))

    return change(params, on, one, strides)


def soft_threshold(w: Array, threshold: Array) -> Array:
    """sign(w)·max(|w| − threshold, 0): exact zeros; bit for bit w where the threshold is 0; NaN stays NaN.

    >>> soft_threshold(jnp.array([0.3, -0.3, 2.0]), 0.5).tolist()
    [0.0, 0.0, 1.5]
    """
    return jnp.where(threshold == 0, w, w - jnp.clip(w, -threshold, threshold))
