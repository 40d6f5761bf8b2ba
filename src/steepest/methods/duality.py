"""What a solver needs of a loss: its rows, its derivatives, and how far a dual point is from the primal one.

For scores s and a dual point θ the duality gap is a sum of terms ℓ(s) + ℓ*(−θ) + θs ≥ 0 (Fenchel–Young), one a row, and
of one a weight; each is computed by itself in a form that loses no digits, unlike P − D, the difference of two numbers
of the size of the objective.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

Array = np.ndarray


class LinearLoss:
    """A loss ℓ(y, s) of scores s [rows]; `pull` is −∂ℓ/∂s, `curvature` is ∂²ℓ/∂s²."""

    def __init__(self, y: Array) -> None:
        self.y = y.astype(np.float64)

    def start(self, omega: Array) -> float:
        """The best intercept without any weights; omega [rows] are row weights of sum 1."""
        raise NotImplementedError

    def rows(self, s: Array) -> Array:
        """ℓ of each row."""
        raise NotImplementedError

    def pull(self, s: Array) -> Array:
        """−∂ℓ/∂s of each row, the dual point that belongs to s."""
        raise NotImplementedError

    def curvature(self, s: Array) -> Array:
        """∂²ℓ/∂s² of each row."""
        raise NotImplementedError

    def balanced(self, pull: Array, omega: Array) -> Array:
        """A dual point near `pull` with Σωθ = 0, which an unpenalised intercept asks for."""
        raise NotImplementedError

    def distance(self, s: Array, theta: Array) -> Array:
        """ℓ(s) + ℓ*(−θ) + θs ≥ 0 of each row; 0 where θ is the pull of s."""
        raise NotImplementedError


class SquaredError(LinearLoss):
    """ℓ = ½(y − s)²."""

    def rows(self, s: Array) -> Array:
        return 0.5 * (self.y - s) ** 2

    def start(self, omega: Array) -> float:
        return float(omega @ self.y)

    def pull(self, s: Array) -> Array:
        return self.y - s

    def curvature(self, s: Array) -> Array:
        return np.ones_like(s)

    def balanced(self, pull: Array, omega: Array) -> Array:
        return pull - omega @ pull

    def distance(self, s: Array, theta: Array) -> Array:
        return 0.5 * (self.pull(s) - theta) ** 2


class LogLoss(LinearLoss):
    """ℓ = log(1 + exp(−ys)), y = ±1."""

    def rows(self, s: Array) -> Array:
        return np.logaddexp(0.0, -self.y * s)

    def start(self, omega: Array) -> float:
        share = float(omega @ (self.y > 0))
        return float(np.log(share / (1 - share)))

    def pull(self, s: Array) -> Array:
        return self.y * expit(-self.y * s)

    def curvature(self, s: Array) -> Array:
        return expit(s) * expit(-s)

    def balanced(self, pull: Array, omega: Array) -> Array:
        up, down = omega @ np.maximum(pull, 0), omega @ np.maximum(-pull, 0)
        least = min(up, down)  # scaling down keeps every θ between 0 and y, where ℓ* is finite
        return pull * np.where(self.y > 0, least / up, least / down)

    def distance(self, s: Array, theta: Array) -> Array:
        # with p = σ(−ys) and q = yθ this is the Kullback–Leibler divergence of q from p
        p, rest, q = expit(-self.y * s), expit(self.y * s), self.y * theta
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.where(q > 0, q * np.log1p((q - p) / p), 0.0)
            return own + (1 - q) * np.log1p((p - q) / rest)
