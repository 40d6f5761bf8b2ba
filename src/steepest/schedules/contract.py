"""What a schedule is: it gives the method of this moment, and may learn from the loss at each epoch's end.

    memory = schedule.start()
    method = schedule.apply(method, moment, memory)      before each step; the method as given has the full rate
    memory = schedule.observe(memory, loss)              at an epoch's end

Everything is traced: a schedule never branches in Python on a moment or on a value. A schedule *scales* the rate, so
one schedule goes with every method, and a population may hold many rates under it.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp

from steepest.core.spec import replace

Array = Any
Tree = Any


class Moment(NamedTuple):
    """Where a training stands before a step."""

    t: Array  # the step about to be made: 1, 2, …
    epoch: Array  # whole epochs done: 0, 1, …
    total: Array  # all steps planned
    steps_per_epoch: Array

    def since(self, steps: Array) -> Moment:
        """The moment as it is for a schedule that starts after `steps` steps (before that: its first moment)."""
        done = jnp.maximum(self.t - 1 - steps, 0)
        return Moment(done + 1, done // self.steps_per_epoch, self.total - steps, self.steps_per_epoch)


def changed(method: Any, **values: Array) -> Any:
    """The method with other values, each in the type of the one it replaces (float32 stays float32)."""
    old = {name: getattr(method, name) for name in values}
    return replace(method, **{name: jnp.asarray(v, getattr(old[name], "dtype", None)) for name, v in values.items()})


class Schedule:
    """The contract of a schedule. Subclasses are `@spec` classes; most write `factor` and nothing more."""

    equation: ClassVar[str] = ""
    paper: ClassVar[str] = ""

    def start(self) -> Tree:
        """The memory before the first step."""
        return ()

    def factor(self, moment: Moment, memory: Tree) -> Array:
        """What the rate is multiplied with at this moment."""
        raise NotImplementedError

    def apply(self, method: Any, moment: Moment, memory: Tree) -> Any:
        """The method with the hyperparameters of this moment."""
        return changed(method, rate=method.rate * self.factor(moment, memory))

    def observe(self, memory: Tree, loss: Array) -> Tree:
        """The memory after an epoch whose loss was `loss`."""
        del loss
        return memory
