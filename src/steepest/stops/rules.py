"""Stopping rules: good enough, or no gain any more. (A third, N epochs, is `epochs`.)  (source: A 9.1.5)"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, choice, count, hyper
from steepest.core.spec import spec
from steepest.stops.contract import MONITORS, Array, Seen, Stop, Tree, gain, lowest


@spec
class Reached(Stop):
    """Stop once a figure is good enough: a loss at or below `target`, or an accuracy at or above it.

    **Hyperparameters** `target`, finite. **Settings** monitor = "train_loss" (default), "validation_loss" or
    "validation_accuracy" (a share in 0 … 1). No counterpart in torch, a custom callback in Keras.
    """

    equation: ClassVar[str] = "stop when loss ≤ target (or accuracy ≥ target)"

    target: Hyper = hyper(0.0, Domain())
    monitor: str = choice(MONITORS)

    def observe(self, memory: Tree, seen: Seen) -> tuple[Tree, Array, Array]:
        target = self.target if self.monitor.endswith("accuracy") else -self.target
        return memory, gain(self, seen) >= target, jnp.array(True)


@spec
class NoGain(Stop):
    """Early stopping: stop after `patience` epochs without gain, and report the best epoch's weights.

    **Equation** (Goodfellow et al. 2016, alg. 7.1): best ← value where value > best + least; stop when `patience`
    epochs in a row brought no new best. **Hyperparameters** `patience` ≥ 1 epochs (5 is usual), `least` gain ≥ 0 that
    counts. **Settings** monitor = "validation_loss" (default), "validation_accuracy" or "train_loss".
    **Search**: neither has a space declared, for by validation rows more patience is no worse; `--space
    early-stopping.patience=2:20` searches it among whole numbers.
    **Differs** from Keras's EarlyStopping, whose `restore_best_weights` is off by default.
    """

    equation: ClassVar[str] = "stop after `patience` epochs without a new best; report the best weights"
    keeps_best: ClassVar[bool] = True

    patience: Hyper = count(5)
    least: Hyper = hyper(0.0, Domain(low=0.0))
    monitor: str = choice(MONITORS, "validation_loss")

    def start(self, dtype: Any) -> Tree:
        return lowest(dtype), jnp.zeros((), dtype)  # best value, epochs since

    def observe(self, memory: Tree, seen: Seen) -> tuple[Tree, Array, Array]:
        best, waited = memory
        value = gain(self, seen).astype(best.dtype)
        better = value > best + jnp.where(jnp.isfinite(best), self.least, 0)
        waited = jnp.where(better, 0, waited + 1).astype(waited.dtype)
        return (jnp.where(better, value, best), waited), waited >= self.patience, better
