"""The multi-layer perceptron."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from steepest.core.hyper import Hyper, fraction
from steepest.core.spec import spec
from steepest.models.activations import activate, check_activation
from steepest.models.contract import Array, Model, Tree, counts, dense, features, flat, times
from steepest.models.passes import PREDICT, RUNNING, Predict, norm_layer, norm_start


@spec
class MLP(Model):
    """Multi-layer perceptron: h ← φ(W·h + b) for each hidden layer, then s = W·h + b.  (Goodfellow et al. 6)

    **Shapes**: params {"layer1": {"W": [widths[0], features], "b": [widths[0]]}, …, "output": {"W": [outputs,
    widths[-1]], "b": [outputs]}}; rows [rows, …] are flattened → [rows, outputs].
    **Settings**: widths, one for each hidden layer; activation φ = "relu" (0 at 0, gradient 0 there), "leaky-relu",
    "sigmoid" or "tanh"; norm=True puts a batch norm between W·h and φ: "norm1" … with "scale" and "shift" [width]
    in place of the layer's "b", and "mean" and "var" under "running".
    **Hyperparameters**: slope of the leaky ReLU below 0, in [0, 1), 0.01 as in torch (plots often show 0.2, Keras has
    0.3); the other activations ignore it.
    **Raises** SettingError for no widths, a width below 1, or an unknown activation.
    **Differs**: torch draws the biases at random; here they start at zero.
    """

    widths: tuple[int, ...] = (64,)
    activation: str = "relu"
    slope: Hyper = fraction(0.01)
    norm: bool = False

    equation = "h ← φ(W·h + b), s = W·h + b"
    rounds = True

    def __post_init__(self) -> None:
        widths = counts(self, "widths", self.widths, "one a hidden layer")
        object.__setattr__(self, "widths", widths)  # a list would not hash
        check_activation(self.activation)

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        pairs = list(pairwise(self.sizes(shape, outputs)))
        biased = [not self.norm] * len(self.widths) + [True]
        params = {
            name: dense(key, name, pair, init, dtype, bias) for name, pair, bias in zip(self.names(), pairs, biased)
        }
        if self.norm:
            norms = {f"norm{i}": width for i, width in enumerate(self.widths, 1)}
            params |= {name: norm_layer(width, dtype) for name, width in norms.items()}
            params[RUNNING] = {name: norm_start(width, dtype) for name, width in norms.items()}
        return init.tree(params)

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        *hidden, output = [params[name] for name in self.names()]
        h = flat(rows)
        for i, layer in enumerate(hidden, 1):
            z = times(layer["W"], h, layer.get("b"))
            z = how.norm(params, f"norm{i}", z) if self.norm else z
            h = how.hidden(activate(self.activation, z, self.slope))
        return times(output["W"], h, output["b"])

    def names(self) -> list[str]:
        """The layers' names, first to last."""
        return [*(f"layer{i}" for i in range(1, len(self.widths) + 1)), "output"]

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return [features(shape), *self.widths, outputs]
