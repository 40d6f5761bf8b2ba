"""A multi-layer perceptron that applies one layer several times."""

from __future__ import annotations

from typing import Any

from steepest.core.spec import spec
from steepest.models.activations import activate, check_activation
from steepest.models.contract import Array, Model, Tree, check_count, dense, features, flat, times
from steepest.models.passes import PREDICT, Predict

MOST = 1000  # times the layer is applied: each is written out, of a model file's settings, too


@spec
class SharedMLP(Model):
    """Perceptron with a shared layer: h ← φ(V·x + c), then `repeat` times h ← φ(W·h + b), and s = U·h + d.

    Parameter sharing (Goodfellow et al. 7.9): the uses of a layer have the same weights, so the gradient of W is the
    sum of the gradients of its uses, and a penalty counts it once.

    **Shapes**: params {"layer1": {"W": [width, features], "b"}, "shared": {"W": [width, width], "b"}, "output": {"W":
    [outputs, width], "b"}}; rows [rows, …] are flattened → [rows, outputs].
    **Settings**: width of all hidden layers; repeat, how often the shared layer is applied; activation as in `MLP`.
    **Differs** from an MLP of repeat + 1 hidden layers in that those have weights of their own.

    >>> SharedMLP(width=32).sizes((8, 8), 10)
    [64, 32, 32, 32, 10]
    """

    width: int = 64
    repeat: int = 2
    activation: str = "relu"

    equation = "h ← φ(W·h + b) several times by the same W, s = U·h + d"
    rounds = True

    def __post_init__(self) -> None:
        check_count(self, "width")
        check_count(self, "repeat", MOST)
        check_activation(self.activation)

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        wide = self.width
        pairs = {"layer1": (features(shape), wide), "shared": (wide, wide), "output": (wide, outputs)}
        return init.tree({name: dense(key, name, pair, init, dtype) for name, pair in pairs.items()})

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        h = flat(rows)
        for name in ("layer1", *["shared"] * self.repeat):
            h = how.hidden(activate(self.activation, times(params[name]["W"], h, params[name]["b"])))
        return times(params["output"]["W"], h, params["output"]["b"])

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return [features(shape), *[self.width] * (1 + self.repeat), outputs]
