"""Rates that fall by a formula: SGD with any of these is the sources' "SGD with annealing".

Throughout ε₀ is the method's rate, k = t − 1 the steps done (so the first step has the full rate), e the whole epochs
done and T all steps planned.
"""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, Space, count, fraction, hyper, positive
from steepest.core.spec import spec
from steepest.schedules.contract import Array, Moment, Schedule, Tree

SHARE = Domain(low=0.0, high=1.0, open_low=True)  # a share that is not nothing


@spec
class Constant(Schedule):
    """The rate as given: ε = ε₀.

    >>> Constant().factor(Moment(7, 0, 10, 10), ())
    1.0
    """

    equation: ClassVar[str] = "ε = ε₀"

    def factor(self, moment: Moment, memory: Tree) -> Array:
        return 1.0


@spec
class Step(Schedule):
    """Multiply the rate by `by` after every `every` epochs: ε = ε₀ · by^⌊e/every⌋.

    **Hyperparameters** `by` in (0, 1]; `every` whole epochs, at least 1. Equals torch's `StepLR(every, by)` stepped
    once an epoch, and optax's `exponential_decay(staircase=True)`.

    >>> float(Step(by=0.1, every=3).factor(Moment(1, 7, 100, 10), ()))
    0.01...
    """

    equation: ClassVar[str] = "ε = ε₀ · by^⌊epoch/every⌋"

    by: Hyper = hyper(default=0.1, domain=SHARE)
    every: Hyper = count(default=10)

    def factor(self, moment: Moment, memory: Tree) -> Array:
        return self.by ** jnp.floor(moment.epoch / self.every)


@spec
class LinearDecay(Schedule):
    """Linear decay to a floor: ε = (1 − a)ε₀ + a·last·ε₀ with a = min(k/τ, 1) and τ = until·T.

    **Equation** (Goodfellow et al. 2016, eq. 8.14: ε_k = (1−k/τ)ε₀ + (k/τ)ε_τ, constant after τ). **Hyperparameters**
    `until`, the share of the training at which the floor is reached, in (0, 1]; `last` = ε_τ/ε₀ in [0, 1) (the book:
    about 1 %). Equals torch's `LinearLR(start_factor=1, end_factor=last, total_iters=τ)` and `optax.linear_schedule`,
    stepped every step.

    >>> float(LinearDecay(until=1.0, last=0.5).factor(Moment(6, 0, 10, 10), ()))      # half way
    0.75
    """

    equation: ClassVar[str] = "ε = (1 − k/τ)ε₀ + (k/τ)ε_τ, then ε_τ"
    paper: ClassVar[str] = "Goodfellow et al. 2016, eq. 8.14"

    until: Hyper = hyper(default=1.0, domain=SHARE)
    last: Hyper = fraction(default=0.01)

    def factor(self, moment: Moment, memory: Tree) -> Array:
        a = jnp.minimum((moment.t - 1) / (self.until * moment.total), 1)
        return (1 - a) + a * self.last


@spec
class Exponential(Schedule):
    """Exponential decay by epochs: ε = ε₀ · decay^e.

    **Hyperparameters** `decay` in (0, 1], by epoch. `staircase=False` lets it fall at every step instead, with e = k
    / (steps an epoch). Equals torch's `ExponentialLR(decay)` stepped once an epoch, and `optax.exponential_decay`.
    """

    equation: ClassVar[str] = "ε = ε₀ · decay^epoch"

    decay: Hyper = hyper(default=0.95, domain=SHARE)
    staircase: bool = True

    def factor(self, moment: Moment, memory: Tree) -> Array:
        return self.decay ** _epochs(moment, self.staircase)


@spec
class InverseTime(Schedule):
    """Decay with the inverse of time: ε = ε₀ / (1 + decay·e)^power, e = k / (steps an epoch).

    **Hyperparameters** `decay` above 0, by epoch; `power` above 0: 1 (default) is Robbins & Monro's 1/t and Keras's
    `InverseTimeDecay`, ½ is 1/√t. `staircase=True` holds it within an epoch.
    """

    equation: ClassVar[str] = "ε = ε₀ / (1 + decay·epoch)^power"
    paper: ClassVar[str] = "Robbins & Monro 1951"

    decay: Hyper = positive(default=0.1, space=Space(1e-3, 10.0, log=True))
    power: Hyper = positive(default=1.0)
    staircase: bool = False

    def factor(self, moment: Moment, memory: Tree) -> Array:
        return 1 / (1 + self.decay * _epochs(moment, self.staircase)) ** self.power


@spec
class Cosine(Schedule):
    """Half a cosine from ε₀ down to last·ε₀: ε = ε₀(last + (1−last)(1 + cos(πk/T))/2).

    **Equation** (Loshchilov & Hutter 2017, eq. 5, no restarts). **Hyperparameters** `last` in [0, 1). Equals torch's
    `CosineAnnealingLR(T_max=T, eta_min=last·ε₀)` and `optax.cosine_decay_schedule(ε₀, T, alpha=last)`.

    >>> float(Cosine(last=0.0).factor(Moment(1, 0, 10, 10), ()))
    1.0
    """

    equation: ClassVar[str] = "ε = ε₀(last + (1 − last)(1 + cos(πk/T))/2)"
    paper: ClassVar[str] = "Loshchilov & Hutter 2017"

    last: Hyper = fraction(default=0.0)

    def factor(self, moment: Moment, memory: Tree) -> Array:
        progress = jnp.minimum((moment.t - 1) / moment.total, 1)
        return self.last + (1 - self.last) * (1 + jnp.cos(jnp.pi * progress)) / 2


def _epochs(moment: Moment, staircase: bool) -> Array:
    return moment.epoch if staircase else (moment.t - 1) / moment.steps_per_epoch
