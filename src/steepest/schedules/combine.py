"""Schedules made of schedules: both at once, one after the other, and a warm-up before any."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, hyper, part
from steepest.core.spec import spec
from steepest.schedules.contract import Array, Moment, Schedule, Tree, changed
from steepest.schedules.decay import Constant, LinearDecay

OPEN = Domain(low=0.0, high=1.0, open_low=True, open_high=True)


@spec
class Chain(Schedule):
    """Both schedules at every step, the second on what the first gives: factors of the rate multiply.

    `Chain(MomentumSwitch(), Step())` moves momentum and rate. As torch's `ChainedScheduler`.
    """

    equation: ClassVar[str] = "second(first(method))"

    first: Schedule = part(default=Constant())
    second: Schedule = part(default=Constant())

    def start(self) -> Tree:
        return self.first.start(), self.second.start()

    def apply(self, method: Any, moment: Moment, memory: Tree) -> Any:
        return self.second.apply(self.first.apply(method, moment, memory[0]), moment, memory[1])

    def observe(self, memory: Tree, loss: Array) -> Tree:
        return self.first.observe(memory[0], loss), self.second.observe(memory[1], loss)


@spec
class Sequence(Schedule):
    """`first` for the first `at` of the steps, then `second` as if the training began there.

    **Hyperparameters** `at`, a share of all steps in (0, 1), rounded to whole steps. Both see every epoch's loss. As
    torch's `SequentialLR(milestones=[at·T])` and `optax.join_schedules`: each schedule's total is its own part's.
    """

    equation: ClassVar[str] = "first for k < at·T, then second from its start"

    first: Schedule = part(default=Constant())
    second: Schedule = part(default=LinearDecay())
    at: Hyper = hyper(default=0.5, domain=OPEN)

    def start(self) -> Tree:
        return self.first.start(), self.second.start()

    def apply(self, method: Any, moment: Moment, memory: Tree) -> Any:
        steps = jnp.round(self.at * moment.total)
        early = self.first.apply(method, moment._replace(total=steps), memory[0])
        late = self.second.apply(method, moment.since(steps), memory[1])
        return jax.tree.map(lambda a, b: jnp.where(moment.t <= steps, a, b), early, late)

    def observe(self, memory: Tree, loss: Array) -> Tree:
        return self.first.observe(memory[0], loss), self.second.observe(memory[1], loss)


@spec
class WarmUp(Schedule):
    """A linear rise of the rate to ε₀ over the first `share` of the steps, then schedule `then` from its start.

    **Equation** (Goyal et al. 2017): ε = ε₀(start + (1 − start)k/w) for k < w = share·T, rounded. **Hyperparameters**
    `share` in (0, 1); `start_factor` in (0, 1]. As torch's `SequentialLR([LinearLR(start_factor, 1, w), then], [w])`.
    """

    equation: ClassVar[str] = "ε = ε₀(s + (1 − s)k/w) for k < w, then `then`"
    paper: ClassVar[str] = "Goyal et al. 2017"

    then: Schedule = part(default=Constant())
    share: Hyper = hyper(default=0.1, domain=OPEN)
    start_factor: Hyper = hyper(default=0.01, domain=Domain(low=0.0, high=1.0, open_low=True))

    def start(self) -> Tree:
        return self.then.start()

    def apply(self, method: Any, moment: Moment, memory: Tree) -> Any:
        steps = jnp.round(self.share * moment.total)
        rising = method.rate * (self.start_factor + (1 - self.start_factor) * (moment.t - 1) / steps)
        later = self.then.apply(method, moment.since(steps), memory)
        return changed(later, rate=jnp.where(moment.t <= steps, rising, later.rate))

    def observe(self, memory: Tree, loss: Array) -> Tree:
        return self.then.observe(memory, loss)
