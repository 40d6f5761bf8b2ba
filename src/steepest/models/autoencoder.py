"""An autoencoder whose decoder has the encoder's weights."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from steepest.core.errors import SettingError
from steepest.core.hyper import Hyper, fraction
from steepest.core.spec import spec
from steepest.models.activations import activate, check_activation
from steepest.models.contract import Array, Model, Tree, check_count, dense, features, flat, times
from steepest.models.passes import PREDICT, Predict


@spec
class TiedAutoencoder(Model):
    """Tied autoencoder: h = φ(W·x + b), x̂ = Wᵀ·h + c.  (Bengio et al. 2007; Goodfellow et al. 7.9, 14)

    Encoder and decoder share W, so that its gradient is the sum of both uses. `study.pretrain` trains it and hands W
    and b to a perceptron's layer.

    **Shapes**: params {"encode": {"W": [width, features], "b": [width]}, "decode": {"b": [features]}}; rows [rows, …]
    are flattened → x̂ [rows, features], to be trained with `Reconstruction`.
    **Settings**: width of h; activation φ as in `MLP`, with its slope. x̂ has none: rows may hold any numbers.
    **Raises** SettingError for a number of outputs that is not that of the features.

    >>> TiedAutoencoder(width=16).sizes((8, 8), 64)
    [64, 16, 64]
    """

    width: int = 64
    activation: str = "relu"
    slope: Hyper = fraction(0.01)

    equation = "h = φ(W·x + b), x̂ = Wᵀ·h + c"
    rounds = True

    def __post_init__(self) -> None:
        check_count(self, "width")
        check_activation(self.activation)

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        if outputs != features(shape):
            raise SettingError(
                f"TiedAutoencoder gives back a row's {features(shape):,} numbers, not {outputs:,} scores; "
                f"train it with the loss Reconstruction"
            )
        encode = dense(key, "encode", (outputs, self.width), init, dtype)
        return init.tree({"encode": encode, "decode": {"b": jnp.zeros((outputs,), dtype)}})

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        h = how.hidden(self.encode(params, rows))
        return times(params["encode"]["W"].T, h, params["decode"]["b"])

    def encode(self, params: Tree, rows: Array) -> Array:
        """The hidden units h [rows, width] of rows."""
        return activate(self.activation, times(params["encode"]["W"], flat(rows), params["encode"]["b"]), self.slope)

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return [features(shape), self.width, outputs]

    def fixed_outputs(self, shape: tuple[int, ...]) -> int | None:
        return features(shape)
