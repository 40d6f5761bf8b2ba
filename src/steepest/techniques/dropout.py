"""Dropout, on hidden units and on inputs: a unit is left out of a step, and the others make up for it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from steepest.core.hyper import Hyper, Space, fraction
from steepest.core.spec import spec
from steepest.techniques.contract import Array, Facts, Technique, at_layers, check_layers


def dropped(h: Array, u: Array, rate: Any) -> Array:
    """h where the uniform numbers u are at least `rate`, divided by 1 − rate; 0 elsewhere.

    Source E's worked case: of 1 … 6 at 0.5 the kept 5 and 6 become 10 and 12.

    >>> u = jnp.array([0.1, 0.4, 0.2, 0.3, 0.5, 0.9])
    >>> dropped(jnp.arange(1.0, 7.0), u, 0.5).tolist()
    [0.0, 0.0, 0.0, 0.0, 10.0, 12.0]
    """
    return h * jnp.where(u >= rate, 1 / (1 - rate), 0).astype(h.dtype)


def _drawn(key: Array, h: Array) -> Array:
    """Uniform numbers in h's shape; of at least float32, for with a bfloat16's 8 bits a rate would be met roughly."""
    return jax.random.uniform(key, h.shape, jnp.promote_types(h.dtype, jnp.float32))


@spec
class Dropout(Technique):
    """Dropout of hidden units: h ← m·h/(1 − rate), m ∼ Bernoulli(1 − rate) a row and unit.  (Goodfellow et al. 7.12)

    Kept units are scaled up in training ("inverted"), so that a prediction takes the units as they are. Members of a
    replicate compare the same uniform numbers with their rates: a larger rate drops the same units and more.
    `Fitted.uncertainty` draws at prediction, too (Gal & Ghahramani 2016).

    **Shapes**: h [rows, …], any hidden layer; on maps [rows, H, W, channels] single numbers are dropped, not channels.
    **Hyperparameters**: rate, the share dropped, in [0, 1); 0.5 by default (often 0.25 after a convolution), searched
    0.05 … 0.8.
    **Settings**: layers, the hidden layers it acts on, counted from 1; None for all. Two rates: `Dropout(0.5,
    layers=(1,)), Dropout(0.3, layers=(2,))`.
    **Raises** SettingError for a rate out of its range, a layer below 1, or a model without the layers.
    **Differs**: equals torch's `Dropout` and Keras's in distribution, not draw by draw; Srivastava et al. scale at
    prediction instead.

    >>> kept = Dropout(rate=0.75).hidden(jnp.ones(100), jax.random.key(0), layer=1)
    >>> sorted(set(kept.tolist()))
    [0.0, 4.0]
    """

    rate: Hyper = fraction(0.5, Space(0.05, 0.8))
    layers: tuple[int, ...] | None = None

    equation = "h ← m·h/(1 − rate), m = 0 with probability rate, else 1"
    paper = "Srivastava et al. 2014"
    needs_hidden = True
    at_prediction = True

    def __post_init__(self) -> None:
        check_layers(self)

    def hidden(self, h: Array, key: Array, layer: int) -> Array:
        if not at_layers(self.layers, layer):
            return h
        return dropped(h, _drawn(key, h), self.rate)


@spec
class InputDropout(Technique):
    """Dropout of inputs: x ← m·x/(1 − rate), m ∼ Bernoulli(1 − rate) a row and feature.  (Goodfellow et al. 7.12)

    On a linear model with squared error and q = 1 − rate it adds ((1−q)/q)·wᵀdiag(XᵀX)w in expectation: a ridge that
    weighs each feature by its size. Draws as in `Dropout`.

    **Shapes**: X [rows, …]; single numbers are dropped, a pixel's channels each for themselves.
    **Hyperparameters**: rate, the share dropped, in [0, 1); 0.2 by default, as Srivastava et al., searched 0.02 … 0.5.
    **Raises** SettingError for a rate out of its range.
    **Differs**: a dropped number becomes 0, which is the training mean where rows are standardised, black where not.

    >>> X, _ = InputDropout(rate=0.5).rows(jnp.ones((10, 10)), jnp.zeros(10), jax.random.key(0), Facts(None, None, 2))
    >>> sorted(set(X.ravel().tolist()))
    [0.0, 2.0]
    """

    rate: Hyper = fraction(0.2, Space(0.02, 0.5))

    equation = "x ← m·x/(1 − rate), m = 0 with probability rate, else 1"
    paper = "Srivastava et al. 2014"
    at_prediction = True

    def rows(self, X: Array, y: Array, key: Array, facts: Facts) -> tuple[Array, Array]:
        return dropped(X, _drawn(key, X), self.rate), y
