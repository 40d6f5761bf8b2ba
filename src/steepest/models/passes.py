"""A pass of rows through a model: what differs between training and predicting is in the pass, not in the model.

    model.apply(params, rows)           predicts: hidden units as they are, batch norm by its running statistics
    model.apply(params, rows, how)      `how` is asked at each hidden layer and at each normalisation

A model calls `how.hidden(h)` on what each hidden layer of units gives out, and `how.norm(params, name, h)` where a
batch normalization stands. Training's pass (`train/passes.py`) puts the techniques in there.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

Array = Any
Tree = Any

RUNNING = (
    "running"  # the entry of a model's weights that no gradient moves: batch norm's statistics, by the layer's name
)
EPSILON = 1e-5  # inside the root of batch norm, as in torch (Keras: 1e-3)


class Predict:
    """The pass of a prediction: it changes nothing."""

    def hidden(self, h: Array) -> Array:
        """What the next layer is given of hidden units h [rows, …]."""
        return h

    def norm(self, params: Tree, name: str, h: Array, rows: int = 0, channels: int = -1) -> Array:
        """Batch normalization by the layer `name`: γ·(h − mean)/√(var + ε) + β for each channel.

        (Ioffe & Szegedy 2015; source: M11)  h is [rows, …, channels] unless the two axes are named.
        """
        del rows  # a prediction looks at no other row
        kept = params[RUNNING][name]
        return normalised(params[name], h, kept["mean"], kept["var"], channels)


def normalised(layer: Tree, h: Array, mean: Array, var: Array, channels: int = -1) -> Array:
    """γ·(h − mean)/√(var + ε) + β along the axis `channels`, with γ, β in `layer` as `scale`, `shift`."""
    stretch = layer["scale"] / jnp.sqrt(var + EPSILON)
    return (h - along(mean, h, channels)) * along(stretch, h, channels) + along(layer["shift"], h, channels)


def along(values: Array, h: Array, axis: int) -> Array:
    """Values [n], one for each place on an axis of h, in a shape that meets h there.

    >>> along(jnp.zeros(3), jnp.zeros((3, 8, 8, 5)), 0).shape
    (3, 1, 1, 1)
    """
    shape = [1] * h.ndim
    shape[axis] = h.shape[axis]
    return values.reshape(shape)


def norm_layer(channels: int, dtype: Any) -> Tree:
    """A batch norm that changes nothing: γ = 1, β = 0."""
    return {"scale": jnp.ones((channels,), dtype), "shift": jnp.zeros((channels,), dtype)}


def norm_start(channels: int, dtype: Any) -> Tree:
    """Running statistics before the first batch: mean 0, variance 1, as in torch."""
    return {"mean": jnp.zeros((channels,), dtype), "var": jnp.ones((channels,), dtype)}


def split_running(params: Tree) -> tuple[Tree, Tree]:
    """Weights that are trained, and running statistics ({} where there are none).

    >>> split_running({"W": 1.0, "running": {"norm1": 2.0}})
    ({'W': 1.0}, {'norm1': 2.0})
    """
    if not isinstance(params, dict) or RUNNING not in params:
        return params, {}
    return {name: part for name, part in params.items() if name != RUNNING}, params[RUNNING]


def with_running(params: Tree, running: Tree) -> Tree:
    """Both together, as a model's `apply` takes them and as they are stored."""
    return {**params, RUNNING: running} if running else params


PREDICT = Predict()
