"""Tangents that an encoder has learnt, in place of those of known transformations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from steepest.core.hyper import Hyper, part, strength
from steepest.core.spec import refuse, spec
from steepest.techniques.contract import Array, Technique, View
from steepest.techniques.tangent import change_along


@spec
class LearntTangents(Technique):
    """Tangent prop along the directions to which an encoder h = σ(W·x + b) answers most.  (Rifai et al. 2011)

    **Equation**: ℓ ← ℓ + λ·Σₜ ‖(∂s/∂x)·t‖², t the first `count` right singular vectors of ∂h/∂x at the row: the
    directions in which a contractive autoencoder, which is to ignore all it can, still has to follow the data.
    **Shapes**: encoder {"W": [hidden, features], "b": [hidden]}; its arrays are leaves. Rows of any shape.
    **Hyperparameters**: strength λ ≥ 0, searched log-uniform 1e-4 … 1.
    **Settings**: count, tangents a row, at least 1 and at most the hidden units.
    **Raises** SettingError for a count out of range.
    **Differs** from `TangentProp` in the tangents alone; neither torch nor Keras has it.

    >>> encoder = {"W": jnp.array([[1.0, 0.0], [0.0, 2.0]]), "b": jnp.zeros(2)}  # answers most to the second feature
    >>> scores = lambda X: X * jnp.array([5.0, 1.0])
    >>> view = View(jnp.zeros((1, 2)), None, jnp.ones(1), scores, None, None, (), None, None)
    >>> LearntTangents(encoder, strength=0.5, count=1).extra(view).tolist()
    [0.5]
    """

    encoder: Any = part()
    strength: Hyper = strength(1e-2, 1e-4, 1.0)
    count: int = 8

    equation = "ℓ ← ℓ + λ·Σₜ ‖(∂s/∂x)·t‖², t learnt"
    paper = "Rifai et al. 2011"
    needs_forward = True

    def __post_init__(self) -> None:
        most = min(jnp.shape(self.encoder["W"]))
        if isinstance(self.count, bool) or not isinstance(self.count, int) or not 1 <= self.count <= most:
            raise refuse(self, f"count = {self.count!r}; it must be a whole number from 1 to {most}")

    def extra(self, view: View) -> Array:
        found = learnt(self.encoder, view.X.reshape(len(view.X), -1), self.count)
        ways = jnp.moveaxis(found, 1, 0).reshape(self.count, *view.X.shape)
        return self.strength * change_along(view.scores, view.X, jax.lax.stop_gradient(ways))


def learnt(encoder: Any, rows: Array, count: int) -> Array:
    """The `count` directions, of length 1, in which h = σ(W·x + b) changes most: [rows, features] → [rows, count, …].

    ∂h/∂x is diag(h·(1 − h))·W. The smaller of its two squares, JᵀJ or J·Jᵀ, has them for eigenvectors.
    """
    W = encoder["W"]
    h = jax.nn.sigmoid(rows @ W.T + encoder["b"])
    J = (h * (1 - h))[..., None] * W
    if W.shape[1] <= W.shape[0]:
        _, found = jnp.linalg.eigh(jnp.swapaxes(J, 1, 2) @ J)
        return jnp.swapaxes(found[..., ::-1][..., :count], 1, 2)
    _, found = jnp.linalg.eigh(J @ jnp.swapaxes(J, 1, 2))
    ways = jnp.swapaxes(found[..., ::-1][..., :count], 1, 2) @ J
    long = jnp.linalg.norm(ways, axis=-1, keepdims=True)
    return ways / jnp.where(long > 0, long, 1)
