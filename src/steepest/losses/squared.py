"""Squared error, for regression."""

from __future__ import annotations

from steepest.core.spec import spec
from steepest.losses.contract import Array, Loss


@spec
class Squared(Loss):
    """Squared error of a regression: ℓ = ½(s − y)².  (Goodfellow et al. 5.1.4)

    **Shapes**: scores [rows, 1], y [rows] numbers → [rows]. `labels` are the predicted numbers themselves.
    **Settings**: half=True (default) is ½(ŷ − y)², with the gradient ŷ − y; half=False is twice that: torch's MSELoss,
    and what J4 trains by.
    **Raises** SettingError when asked for probabilities.

    >>> import jax.numpy as jnp
    >>> Squared().rows(jnp.array([[3.0]]), jnp.array([1.0])).tolist()
    [2.0]
    """

    half: bool = True

    equation = "ℓ = ½(s − y)²"
    paper = "Legendre 1805"
    regression = True
    probabilistic = False

    def outputs(self, classes: int = 1) -> int:
        """One score, whatever the number of different targets."""
        del classes
        return 1

    def rows(self, scores: Array, y: Array) -> Array:
        error = scores[..., 0] - y.astype(scores.dtype)
        return (0.5 if self.half else 1.0) * error * error

    def labels(self, scores: Array) -> Array:
        """The predicted numbers [rows]."""
        return scores[..., 0]
