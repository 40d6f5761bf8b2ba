"""The max-norm constraint on weights, what dropout's authors use beside it."""

from __future__ import annotations

import jax.numpy as jnp

from steepest.core.hyper import Hyper, Space, positive
from steepest.core.spec import spec
from steepest.techniques.contract import OURS, Array, FanIn, Technique, Tree, change_weights


@spec
class MaxNorm(Technique):
    """Max-norm: after each step w ← w·min(1, limit/‖w‖) for the incoming weights of each unit.  (Srivastava 2014)

    The projection on a ball, unit by unit. It acts on hidden layers and on the output alike; biases and norm parameters
    are spared. Nothing is drawn, nothing is added to the loss.

    **Shapes**: each array W [out, …] under `W`; a unit's incoming weights are W[unit], a filter's all its taps. Of a
    user's own model they are what its products sum over (`models/fan_in.py`), whatever the order of the axes.
    **Hyperparameters**: limit > 0 of the 2-norm, 3 by default (Srivastava et al. use 3 … 4), searched 0.3 … 10,
    log-uniform. **Raises** SettingError for a limit out of its range.
    **Where it ends**: a method that looks ahead (Nesterov) is told what the projection moved, as with a prox
    (`settle`), so that its fixed point is the constraint's: the minimiser within the balls, as for SGD and heavy-ball
    momentum. A method that scales each weight by itself (Adam, RMSProp …) ends elsewhere: a ball is none in its scale.
    **Differs**: Keras's MaxNorm is set for each layer by itself and divides by ‖w‖ + 1e-7; torch has `renorm_`, its
    caller's to call. In neither the method's memory (a velocity) hears of the projection.

    >>> after = MaxNorm(limit=1.0).after({"W": jnp.array([[3.0, 4.0], [0.3, 0.4]])})
    >>> jnp.linalg.norm(after["W"], axis=1).round(3).tolist()
    [1.0, 0.5]
    """

    limit: Hyper = positive(3.0, Space(0.3, 10.0, log=True))

    equation = "w ← w·min(1, limit/‖w‖) after each step"
    paper = "Srivastava et al. 2014"
    needs_units = True

    def after(self, params: Tree, fan_in: FanIn = OURS) -> Tree:
        def within(W: Array, name: str) -> Array:
            incoming = fan_in.get(name) or tuple(range(1, W.ndim))
            norm = jnp.sqrt(jnp.sum(W * W, axis=incoming, keepdims=True))
            over = norm > self.limit
            return jnp.where(over, W * (self.limit / jnp.where(over, norm, 1)), W)

        return change_weights(params, within)
