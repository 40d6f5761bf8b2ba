"""Gradient clipping, the remedy for cliffs: a function of one member's gradient, called before the method's step."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, Space, hyper, positive
from steepest.core.spec import spec
from steepest.methods.contract import Array, Tree


def global_norm(tree: Tree) -> Array:
    """‖g‖₂ over all leaves together, without the overflow of squaring (float32 squares overflow from 2e19 on)."""
    leaves = jax.tree.leaves(tree)
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(g)) for g in leaves]))
    unit = jnp.where(largest > 0, largest, 1)
    return unit * jnp.sqrt(sum(jnp.sum((g / unit) ** 2) for g in leaves))


@spec
class ClipNorm:
    """Clip by global norm: where ‖g‖ > limit, g ← g·limit/‖g‖, over all weights of a member together.

    **Equation** (Pascanu et al. 2013; Goodfellow et al. 2016, §10.11.1): as above. **Hyperparameters** `limit` above
    0, in the unit of the gradient; `delta` ≥ 0 is added to the norm. **Shapes** any tree, returned as it came.

    **Differs from** optax's `clip_by_global_norm` in nothing; torch's `clip_grad_norm_` is `delta=1e-6`. A gradient
    with NaN or inf passes through (its norm is no number to divide by), so that the training it belongs to is seen to
    have failed.

    >>> ClipNorm(limit=1.0)([3.0, 4.0])
    [Array(0.6, dtype=float32), Array(0.8, dtype=float32)]
    """

    equation: ClassVar[str] = "g ← g·limit/‖g‖ where ‖g‖ > limit"
    paper: ClassVar[str] = "Pascanu et al. 2013; Goodfellow et al. 2016, §10.11.1"

    limit: Hyper = positive(default=1.0, space=Space(0.01, 100.0, log=True))
    delta: Hyper = hyper(default=0.0, domain=Domain(low=0.0))

    def __call__(self, grads: Tree) -> Tree:
        """The clipped gradient."""
        norm = global_norm(grads) + self.delta
        scale = jnp.where(norm > self.limit, self.limit / norm, 1)  # NaN compares false: scale 1
        return jax.tree.map(lambda g: g * scale, grads)


@spec
class ClipValue:
    """Clip by value: every entry of the gradient into [−limit, limit]; unlike `ClipNorm` it turns the direction.

    **Equation** (Mikolov 2012): g ← min(max(g, −limit), limit). **Hyperparameters** `limit` above 0. Equals torch's
    `clip_grad_value_` and `optax.clip`. NaN stays NaN.

    >>> ClipValue(limit=0.5)([jnp.array([-3.0, 0.25])])
    [Array([-0.5 ,  0.25], dtype=float32)]
    """

    equation: ClassVar[str] = "g ← min(max(g, −limit), limit)"
    paper: ClassVar[str] = "Mikolov 2012; Goodfellow et al. 2016, §10.11.1"

    limit: Hyper = positive(default=1.0, space=Space(0.001, 10.0, log=True))

    def __call__(self, grads: Tree) -> Tree:
        """The clipped gradient."""
        return jax.tree.map(lambda g: jnp.clip(g, -self.limit, self.limit), grads)
