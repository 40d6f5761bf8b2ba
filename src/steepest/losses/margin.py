"""Multi-class support vector machine."""

from __future__ import annotations

import jax.numpy as jnp

from steepest.core.hyper import Hyper, positive
from steepest.core.spec import spec
from steepest.losses.contract import Array, Loss, hot


@spec
class Hinge(Loss):
    """Multi-class hinge: ℓ = Σ_{j≠y} max(0, sⱼ − s_y + Δ).  (Weston & Watkins 1999)

    **Shapes**: scores [rows, classes], y [rows] class numbers → [rows]. Two classes have two scores.
    **Hyperparameters**: margin Δ > 0, 1 by default; it only sets the scale of the weights.
    **Gradient**: at the kink (sⱼ − s_y + Δ = 0) the subgradient 0 is taken, as torch and Keras do.
    **Differs**: torch's MultiMarginLoss divides by the number of classes; scikit-learn's hinge is one-vs-rest.
    **Raises** SettingError when asked for probabilities: a margin is none.

    >>> Hinge().rows(jnp.array([[3.0, 2.5, -1.0]]), jnp.array([0])).tolist()
    [0.5]
    """

    margin: Hyper = positive(1.0)

    equation = "ℓ = Σ_{j≠y} max(0, sⱼ − s_y + Δ)"
    paper = "Weston & Watkins 1999"
    probabilistic = False

    def rows(self, scores: Array, y: Array) -> Array:
        mine = hot(scores, y)
        own = jnp.sum(jnp.where(mine, scores, 0), axis=-1, keepdims=True)
        over = scores - own + self.margin
        # where, not maximum: maximum halves the gradient at the kink
        return jnp.sum(jnp.where(~mine & ~(over <= 0), over, 0), axis=-1)
