"""Squared error of several numbers a row."""

from __future__ import annotations

import jax.numpy as jnp

from steepest.core.spec import spec
from steepest.losses.contract import Array, Loss


@spec
class Reconstruction(Loss):
    """Mean squared error of a row's numbers: ℓ = (1/D)·Σᵢ(sᵢ − yᵢ)².  (of an autoencoder; Goodfellow et al. 14.1)

    **Shapes**: scores [rows, D], y [rows, …] of D numbers each → [rows]. **Settings**: size D.
    **Differs**: equals torch's MSELoss and Keras's mse, which average over the numbers, too; `Squared` is ½ of one.

    >>> Reconstruction(size=2).rows(jnp.array([[3.0, 0.0]]), jnp.array([[1.0, 0.0]])).tolist()
    [2.0]
    """

    size: int = 1

    equation = "ℓ = (1/D)·Σᵢ(sᵢ − yᵢ)²"
    paper = "Bengio et al. 2007"
    regression = True
    probabilistic = False

    def outputs(self, classes: int = 0) -> int:
        """One score for each number."""
        del classes
        return self.size

    def rows(self, scores: Array, y: Array) -> Array:
        error = scores - y.reshape(scores.shape).astype(scores.dtype)
        return jnp.mean(error * error, axis=-1)

    def labels(self, scores: Array) -> Array:
        """The numbers themselves [rows, D]."""
        return scores
