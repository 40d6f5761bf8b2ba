"""The pass of a training step: techniques act on hidden units, and batch norm learns its running statistics."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from steepest.models.passes import Predict, along, normalised, with_running
from steepest.techniques.contract import Technique

Array = Any
Tree = Any

MOMENTUM = 0.1  # weight of a batch in the running statistics, as in torch (Keras: 0.01)


class Drawn(Predict):
    """A prediction's pass in which techniques act on hidden units, each drawing from its key; `seen` came by."""

    def __init__(self, techniques: tuple[Technique, ...], keys: list[Array]) -> None:
        self._techniques, self._keys = techniques, keys
        self.seen: list[Array] = []  # what each hidden layer gave out

    def hidden(self, h: Array) -> Array:
        self.seen.append(h)
        layer = len(self.seen)
        for technique, key in zip(self._techniques, self._keys):
            h = technique.hidden(h, jax.random.fold_in(key, layer), layer)
        return h


class Training(Drawn):
    """One pass of a batch's rows with `weight`; afterwards `seen` and `running` say what came by."""

    def __init__(self, techniques: tuple[Technique, ...], keys: list[Array], weight: Array, running: Tree) -> None:
        super().__init__(techniques, keys)
        self._weight = weight
        self.running = dict(running)

    def norm(self, params: Tree, name: str, h: Array, rows: int = 0, channels: int = -1) -> Array:
        weight = along(self._weight, h, rows)
        axes = tuple(axis for axis in range(h.ndim) if axis != channels % h.ndim)
        places = h.size // (h.shape[rows] * h.shape[channels])  # of a map: each counts as much as its row
        total = jnp.maximum(jnp.sum(self._weight) * places, jnp.finfo(h.dtype).tiny)
        h_or_0 = jnp.where(weight > 0, h, 0)
        mean = jnp.sum(weight * h_or_0, axes) / total
        var = jnp.sum(weight * (h_or_0 - along(mean, h, channels)) ** 2, axes) / total
        kept = self.running[name]
        unbiased = var * total / jnp.maximum(total - 1, 1)
        self.running[name] = {
            "mean": kept["mean"] + MOMENTUM * (jax.lax.stop_gradient(mean) - kept["mean"]),
            "var": kept["var"] + MOMENTUM * (jax.lax.stop_gradient(unbiased) - kept["var"]),
        }
        return normalised(params[name], h_or_0, mean, var, channels)


def scores_in(model: Any, params: Tree, running: Tree, X: Array, how: Predict) -> Array:
    """A model's scores of rows, by weights and running statistics."""
    return model.apply(with_running(params, running), X, how)
