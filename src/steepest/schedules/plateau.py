"""Lower the rate when the loss stops falling."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, count, fraction, hyper
from steepest.core.spec import spec
from steepest.schedules.contract import Array, Moment, Schedule, Tree


class Progress(NamedTuple):
    """Memory of `Plateau`: the best loss, the epochs since, and what the rate is multiplied with now."""

    best: Array
    wait: Array
    scale: Array


@spec
class Plateau(Schedule):
    """Multiply the rate by `by` when the loss has not improved for more than `patience` epochs.

    An epoch improves where loss < best·(1 − threshold). **Hyperparameters** `by` in (0, 1); `patience` whole epochs, at
    least 0; `threshold` and `floor` (the least factor) in [0, 1). A loss that is NaN is no improvement. Equals torch's
    `ReduceLROnPlateau(factor=by, patience, threshold, min_lr=floor·ε₀)` in its default relative mode, without cooldown.
    """

    equation: ClassVar[str] = "ε ← by·ε when the loss has not improved for more than `patience` epochs"

    by: Hyper = hyper(default=0.1, domain=Domain(low=0.0, high=1.0, open_low=True, open_high=True))
    patience: Hyper = count(default=5, low=0)
    threshold: Hyper = fraction(default=1e-4)
    floor: Hyper = fraction(default=0.0)

    def start(self) -> Progress:
        return Progress(jnp.asarray(jnp.inf), jnp.asarray(0), jnp.asarray(1.0))

    def factor(self, moment: Moment, memory: Progress) -> Array:
        return memory.scale

    def observe(self, memory: Tree, loss: Array) -> Progress:
        better = loss < memory.best * (1 - self.threshold)
        wait = jnp.where(better, 0, memory.wait + 1)
        reduce = wait > self.patience
        scale = jnp.where(reduce, jnp.maximum(memory.scale * self.by, self.floor), memory.scale)
        best = jnp.where(better, loss, memory.best).astype(memory.best.dtype)
        return Progress(best, jnp.where(reduce, 0, wait), scale.astype(memory.scale.dtype))
