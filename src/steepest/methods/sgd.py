"""Gradient descent: the same step on all rows (`GD`) or on a batch of them (`SGD`)."""

from __future__ import annotations

from typing import Any, ClassVar

from steepest.core.hyper import Hyper, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, LeafMethod


@spec
class SGD(LeafMethod):
    """Stochastic gradient descent: θ ← θ − εg.

    **Equation** (Goodfellow et al. 2016, alg. 8.1): θ ← θ − εg, with g the mean gradient of a batch.

    **Hyperparameters** `rate` ε, above 0; on a quadratic it must stay below 2/L, L the largest curvature.

    **Differs from** torch, optax and Keras in nothing: their plain SGD is this. "SGD with annealing" is this method
    with a falling rate: `schedule=LinearDecay()` or any other of `steepest.schedules`.

    >>> SGD(rate=0.5).step({"W": 3.0}, [()], {"W": 1.0}, 1)
    ({'W': -0.5}, [()])
    """

    equation: ClassVar[str] = "θ ← θ − εg"
    paper: ClassVar[str] = "Robbins & Monro 1951; Goodfellow et al. 2016, alg. 8.1"

    rate: Hyper = rate(default=0.01)

    def step_leaf(self, g: Array, m: Any, p: Array, t: Array) -> tuple[Array, Any]:
        return p - self.rate * g, m

    def stride_leaf(self, m: Any, t: Array) -> Array:
        return self.rate


@spec
class GD(SGD):
    """Gradient descent on all rows: one update an epoch, so it wants a larger rate than `SGD`.

    **Equation** (Cauchy 1847): θ ← θ − ε∇J(θ), with J the mean over every row. **Hyperparameters** as `SGD`.
    `full_batch` tells a study to give it `batch_size=None`; by itself the method does not see batches.
    """

    equation: ClassVar[str] = "θ ← θ − ε∇J(θ), J over all rows"
    paper: ClassVar[str] = "Cauchy 1847; Goodfellow et al. 2016, §4.3"
    full_batch: ClassVar[bool] = True

    rate: Hyper = rate(default=0.1, low=1e-3, high=10.0)
