"""Adversarial rows: each row moved a little to where its loss is higher, to train on and to test with.

    FGSM      x̃ = x + ε·sign(∇ℓ(x))             norm "inf"     x̃ = x + ε·∇ℓ(x)/‖∇ℓ(x)‖₂             norm "2"
    PGD       x₀ within ε of x, drawn evenly; then `steps` times an FGSM step of 2.5·ε/steps, brought back to within ε

`Attack` is the one or the other; `Adversarial` trains on what it makes, `train/attack.py` predicts on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, Space, choice, hyper
from steepest.core.spec import refuse, spec
from steepest.techniques.contract import Array, Technique, View

KINDS = ("fgsm", "pgd")
NORMS = ("inf", "2")
REACH = 2.5  # a PGD step is this · ε / steps, so that the steps can reach any point of the ball  (Madry et al. 2018)

Losses = Callable[[Array], Array]  # rows [rows, …] → the loss of each [rows]


def size_of_attack() -> Any:
    """ε: at least 0, searched log-uniformly; rows are standardised, so 1 is a feature's deviation."""
    return hyper(0.1, Domain(low=0.0), Space(0.01, 1.0, log=True))


@spec
class Attack:
    """How rows are attacked, knowing the model: within ε of the row, x̃ has the highest loss that one finds.

    **Hyperparameters**: size ε ≥ 0, in the units in which the model sees its rows: standardised, unless told otherwise.
    **Settings**: kind "fgsm" (one step) or "pgd" (`steps` steps from a start drawn within ε); norm "inf" (no feature
    moves by more than ε) or "2" (the row moves by no more than ε).
    **Raises** SettingError for an unknown kind or norm, a size below 0, or fewer than one step.

    >>> Attack(0.3, kind="pgd")
    Attack(size=0.3, kind='pgd')
    """

    size: Hyper = size_of_attack()
    kind: str = choice(KINDS)
    norm: str = choice(NORMS)
    steps: int = 10

    def __post_init__(self) -> None:
        check_attack(self)


@spec
class Adversarial(Technique):
    """Adversarial training: a·ℓ(x) + (1 − a)·ℓ(x̃), x̃ the row under attack.  (Goodfellow et al. 2014, with a = ½)

    **Acts** through a row's loss; x̃ is made anew from the weights of each step, is a constant to the gradient, and
    stays between black and white, or, where features are no pixels, in the range that the training rows have. Hidden
    units and batch norm see x̃ as another batch, with the step's draws.
    **Shapes**: X [rows, …] of any shape; the limits of each feature in a row's shape.
    **Hyperparameters**: size ε ≥ 0, in standardised units, searched log-uniform 0.01 … 1; share a of the loss at the
    rows themselves, in [0, 1]: 0 trains on attacked rows alone (Madry et al. 2018), 1 on none.
    **Settings**: kind, norm and steps as in `Attack`. With FGSM a step costs 2⅓ plain ones, with PGD 2 and
    ⅔ for each of its own steps.
    **Raises** SettingError as `Attack` does.
    **Differs** from Madry et al. in the defaults: one step of FGSM, and half of the loss at the rows themselves.

    >>> slope = jnp.array([1.0, -2.0])
    >>> far = jnp.full(2, jnp.inf)
    >>> moved = attacked(Adversarial(size=0.5), lambda X: X @ slope, jnp.zeros((1, 2)), -far, far, jax.random.key(0))
    >>> moved.tolist()
    [[0.5, -0.5]]
    """

    size: Hyper = size_of_attack()
    share: Hyper = hyper(0.5, Domain(low=0.0, high=1.0))
    kind: str = choice(KINDS)
    norm: str = choice(NORMS)
    steps: int = 7

    equation = "ℓ ← a·ℓ(x) + (1 − a)·ℓ(x̃), x̃ = x + ε·sign(∇ℓ(x))"
    paper = "Goodfellow et al. 2014; Madry et al. 2018"
    needs_limits = True

    def __post_init__(self) -> None:
        check_attack(self)

    @property
    def passes(self) -> float:
        """For x̃ forward and back to the rows, by FGSM from the step's own way forward; for its loss as a plain step."""
        return 1 + 3 if self.kind == "fgsm" else 2 * self.steps + 3

    def extra(self, view: View) -> Array:
        moved = attacked(self, view.losses, view.X, view.facts.low, view.facts.high, view.key)
        return (1 - self.share) * (view.losses(moved) - view.now)


def attacked(attack: Any, losses: Losses, X: Array, low: Array, high: Array, key: Array) -> Array:
    """Rows under an `Attack` (or what has its fields); the result is a constant to the gradient."""
    if attack.kind == "fgsm":
        return fgsm(losses, X, attack.size, attack.norm, low, high)
    return pgd(losses, X, attack.size, attack.norm, low, high, attack.steps, key)


def fgsm(losses: Losses, X: Array, size: Array, norm: str, low: Array, high: Array) -> Array:
    """Rows [rows, …] after one step of length `size` in `norm`, in the direction in which the loss grows most.

    Where the gradient is zero there is no such direction, and the row stays. `low` and `high` [a row's shape] bound
    each feature; a row that lies outside them already is not moved further out, nor back in.

    >>> X = jnp.array([[0.5, -0.5]])
    >>> fgsm(lambda X: 2 * X[:, 0] - X[:, 1], X, 0.1, "inf", -1.0, 1.0).round(6).tolist()
    [[0.6000000238418579, -0.6000000238418579]]
    """
    return jax.lax.stop_gradient(within(X + size * steepest(losses, X, norm), X, low, high))


def pgd(losses: Losses, X: Array, size: Array, norm: str, low: Array, high: Array, steps: int, key: Array) -> Array:
    """Rows after `steps` steps of 2.5·size/steps, each brought back to within `size` of the row and into the range.

    The start is drawn evenly from the ball of radius `size` about the row.  (Madry et al. 2018)
    """

    def one(_: Any, moved: Array) -> Array:
        ahead = moved + REACH * size / steps * steepest(losses, moved, norm)
        return within(X + projected(ahead - X, size, norm), X, low, high)

    start = within(X + size * drawn(key, X, norm), X, low, high)
    return jax.lax.stop_gradient(jax.lax.fori_loop(0, steps, one, start))


def steepest(losses: Losses, X: Array, norm: str) -> Array:
    """The step of length 1 in `norm` along which each row's loss grows most, to first order; 0 where it is flat."""
    slope = jax.lax.stop_gradient(jax.grad(lambda X: jnp.sum(losses(X)))(X))
    if norm == "inf":
        return jnp.sign(slope)
    # divided by the largest entry first, for the squares of a confident row's slopes are 0 in float32
    largest = jnp.max(jnp.abs(slope), axis=features(X), keepdims=True)
    even = slope / jnp.where(largest > 0, largest, 1)
    return even / jnp.where(largest > 0, length(even), 1)


def projected(change: Array, size: Array, norm: str) -> Array:
    """The nearest change [rows, …] of at most `size` in `norm`."""
    if norm == "inf":
        return jnp.clip(change, -size, size)
    long = length(change)
    return jnp.where(long > size, change * (size / jnp.where(long > 0, long, 1)), change)


def drawn(key: Array, X: Array, norm: str) -> Array:
    """A change for each row, evenly from the ball of radius 1 in `norm`; `key` is one for all rows, or [rows]."""
    if key.ndim:
        return jax.vmap(lambda own, row: drawn(own, row[None], norm)[0])(key, X)
    if norm == "inf":
        return jax.random.uniform(key, X.shape, X.dtype, -1, 1)
    way = jax.random.normal(jax.random.fold_in(key, 0), X.shape, X.dtype)
    share = jax.random.uniform(jax.random.fold_in(key, 1), (len(X), *[1] * (X.ndim - 1)), X.dtype)
    return way / length(way) * share ** (1 / X[0].size)  # the volume within r grows as r to the number of features


def within(moved: Array, X: Array, low: Array, high: Array) -> Array:
    """Moved rows in the range, or as far out of it as the row itself is."""
    return jnp.clip(moved, jnp.minimum(X, low), jnp.maximum(X, high))


def length(change: Array) -> Array:
    """The 2-norm of each row, [rows, 1, …]."""
    return jnp.sqrt(jnp.sum(change * change, axis=features(change), keepdims=True))


def features(X: Array) -> tuple[int, ...]:
    """The axes of a row."""
    return tuple(range(1, X.ndim))


def check_attack(attack: Any) -> None:
    """Refuse settings that no attack has."""
    object.__setattr__(attack, "norm", str(attack.norm))  # 2 is as good as "2"
    steps = int(attack.steps) if str(attack.steps).isdecimal() else attack.steps  # a command line gives text
    object.__setattr__(attack, "steps", steps)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise refuse(attack, f"steps = {steps!r}; it must be a whole number of at least 1")
    if attack.kind == "fgsm" and steps != type(attack).steps:
        raise refuse(attack, f"steps = {steps} does nothing with kind fgsm, which takes one; name kind pgd")
