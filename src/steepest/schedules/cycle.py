"""One-cycle: up to the full rate, then far below where it began."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, fraction, hyper
from steepest.core.spec import spec
from steepest.schedules.contract import Array, Moment, Schedule, Tree, changed
from steepest.schedules.switch import needs_momentum


@spec
class OneCycle(Schedule):
    """One cycle: by cosines from ε₀/div up to ε₀ in the first `peak` of the training, then down to ε₀/(div·final).

    **Equation** (Smith & Topin 2019, with cosines as fast.ai): with k₁ = peak·T − 1, k₂ = T − 1 and mix(a, b, x) = b
    + (a − b)(1 + cos πx)/2:  ε = mix(ε₀/div, ε₀, k/k₁) up to k₁, then mix(ε₀, ε₀/(div·final), (k−k₁)/(k₂−k₁)).
    `cycle_momentum=True` moves the momentum the other way: `high` at the start and the end, `low` at the peak.

    **Hyperparameters** `peak` in (0, 1); `div` and `final` at least 1; `low`, `high` in [0, 1). The method's rate is
    the peak. Equals torch's `OneCycleLR(max_lr=ε₀, total_steps=T, pct_start=peak, div_factor=div,
    final_div_factor=final)` (there `cycle_momentum` is on by default). optax's `cosine_onecycle_schedule` peaks one
    step later.

    **Raises** SettingError where the momentum is to be moved and the method has none.
    """

    equation: ClassVar[str] = "ε₀/div ↗ ε₀ over the first `peak` of the steps, then ↘ ε₀/(div·final), by cosines"
    paper: ClassVar[str] = "Smith & Topin 2019"

    peak: Hyper = hyper(default=0.3, domain=Domain(low=0.0, high=1.0, open_low=True, open_high=True))
    div: Hyper = hyper(default=25.0, domain=Domain(low=1.0))
    final: Hyper = hyper(default=1e4, domain=Domain(low=1.0))
    low: Hyper = fraction(default=0.85)
    high: Hyper = fraction(default=0.95)
    cycle_momentum: bool = False

    def factor(self, moment: Moment, memory: Tree) -> Array:
        return self._between(moment, 1 / self.div, 1.0, 1 / (self.div * self.final))

    def apply(self, method: object, moment: Moment, memory: Tree) -> object:
        scaled = super().apply(method, moment, memory)
        if not self.cycle_momentum:
            return scaled
        needs_momentum(self, method)
        return changed(scaled, momentum=self._between(moment, self.high, self.low, self.high))

    def _between(self, moment: Moment, first: Array, peak: Array, last: Array) -> Array:
        """The value at this moment of a curve that runs first → peak → last."""
        k, top, end = moment.t - 1, self.peak * moment.total - 1, moment.total - 1
        up = _mix(first, peak, k / jnp.maximum(top, 1))
        down = _mix(peak, last, (k - top) / (end - top))
        return jnp.where(k <= top, up, down)


def _mix(a: Array, b: Array, x: Array) -> Array:
    """Half a cosine from a (x = 0) to b (x = 1)."""
    return b + (a - b) * (1 + jnp.cos(jnp.pi * jnp.clip(x, 0, 1))) / 2
