"""The multi-layer perceptron."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

from steepest.core.errors import unknown
from steepest.core.hyper import Hyper, fraction
from steepest.core.spec import refuse, spec
from steepest.models.contract import Array, Model, Tree, dense, features, flat, times
from steepest.models.passes import PREDICT, Predict

ACTIVATIONS = ("relu", "leaky-relu", "sigmoid", "tanh")


@spec
class MLP(Model):
    """Multi-layer perceptron: h ← φ(W·h + b) for each hidden layer, then s = W·h + b.  (Goodfellow et al. 6; J7)

    **Shapes**: params {"layer1": {"W": [widths[0], features], "b": [widths[0]]}, …, "output": {"W": [outputs,
    widths[-1]], "b": [outputs]}}; rows [rows, …] are flattened → [rows, outputs].
    **Settings**: widths, one for each hidden layer; activation φ = "relu" (0 at 0, gradient 0 there), "leaky-relu",
    "sigmoid" or "tanh".
    **Hyperparameters**: slope of the leaky ReLU below 0, in [0, 1), 0.01 as in torch (source E plots 0.2, Keras has
    0.3); the other activations ignore it.
    **Raises** SettingError for no widths, a width below 1, or an unknown activation.
    **Differs**: torch draws the biases at random; here they start at zero.
    """

    widths: tuple[int, ...] = (64,)
    activation: str = "relu"
    slope: Hyper = fraction(0.01)

    equation = "h ← φ(W·h + b), s = W·h + b"

    def __post_init__(self) -> None:
        widths = (self.widths,) if isinstance(self.widths, int) else tuple(self.widths)
        if not widths or any(isinstance(w, bool) or w != int(w) or w < 1 for w in widths):
            raise refuse(self, f"widths = {self.widths!r}; it must be whole numbers of at least 1, one a hidden layer")
        object.__setattr__(self, "widths", tuple(int(w) for w in widths))  # a list would not hash
        if self.activation not in ACTIVATIONS:
            raise unknown("activation", self.activation, ACTIVATIONS)

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        pairs = pairwise(self.sizes(shape, outputs))
        return init.tree({name: dense(key, name, pair, init, dtype) for name, pair in zip(self.names(), pairs)})

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        *hidden, output = [params[name] for name in self.names()]
        h = flat(rows)
        for layer in hidden:
            h = how.hidden(self.activate(times(layer["W"], h, layer["b"])))
        return times(output["W"], h, output["b"])

    def activate(self, z: Array) -> Array:
        """The activation of each number."""
        if self.activation == "relu":
            return jax.nn.relu(z)
        if self.activation == "leaky-relu":
            return jnp.where(z > 0, z, self.slope * z)
        return jax.nn.sigmoid(z) if self.activation == "sigmoid" else jnp.tanh(z)

    def names(self) -> list[str]:
        """The layers' names, first to last."""
        return [*(f"layer{i}" for i in range(1, len(self.widths) + 1)), "output"]

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return [features(shape), *self.widths, outputs]
