"""Momentum that changes once, early in a training."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from steepest.core.errors import SettingError
from steepest.core.hyper import Hyper, count, fraction
from steepest.core.spec import spec
from steepest.schedules.contract import Moment, Schedule, Tree, changed


@spec
class MomentumSwitch(Schedule):
    """Low momentum until learning is stable, high after: α = `first` in the first `after` epochs, then `then`.

    **Hyperparameters** `first`, `then` in [0, 1) (0.5 and 0.9, as the book chapter advises); `after` whole epochs. It
    replaces the method's momentum and leaves its rate alone; `Chain(MomentumSwitch(), Cosine())` does both.

    **Raises** SettingError for a method without `momentum`.
    """

    equation: ClassVar[str] = "α = first for `after` epochs, then α = then"

    first: Hyper = fraction(default=0.5)
    then: Hyper = fraction(default=0.9)
    after: Hyper = count(default=5, low=0)

    def apply(self, method: Any, moment: Moment, memory: Tree) -> Any:
        needs_momentum(self, method)
        return changed(method, momentum=jnp.where(moment.epoch < self.after, self.first, self.then))


def needs_momentum(schedule: Schedule, method: Any) -> None:
    """Refuse a method that has no momentum to change."""
    if not hasattr(method, "momentum"):
        raise SettingError(
            f"{type(schedule).__name__} changes the momentum, and {type(method).__name__} has none; "
            "use momentum, nesterov, rmsprop-momentum or rmsprop-nesterov"
        )
