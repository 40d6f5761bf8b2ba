"""What a model is: weights made from a key and a row's shape, and scores from weights and rows.

Weights are nested dicts. Dense weights are stored [out, in] under the key `W`, biases [out] under `b`. Products are
written by `times`, which under vmap comes to one matrix product for a whole population.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from steepest.models.passes import PREDICT, Predict

Array = Any
Tree = Any


class Model:
    """The contract of a model. Subclasses are `@spec` classes."""

    equation: ClassVar[str] = ""  # one line, shown by `steepest methods`
    convex: ClassVar[bool] = False  # whether its scores are linear in its weights, so that no chance is needed to start

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        """Weights for rows of `shape` and `outputs` scores; `init` is an entry of steepest.inits."""
        raise NotImplementedError

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        """Scores of rows: [rows, …] → [rows, outputs]; `how` is told of each hidden layer (`models/passes.py`)."""
        raise NotImplementedError

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        """How wide each stage is, from the features of a row to its scores."""
        raise NotImplementedError


def dense(key: Array, name: str, sizes: tuple[int, int], init: Any, dtype: Any, bias: bool = True) -> dict[str, Array]:
    """Weights of one dense layer, biases zero. Its draw hangs on its own name and size only, not on other layers."""
    fan_in, fan_out = sizes
    own_key = jax.random.fold_in(key, zlib.crc32(name.encode()))
    layer = {"W": init.weights(own_key, (fan_out, fan_in), fan_in, fan_out, dtype)}
    return {**layer, "b": jnp.zeros((fan_out,), dtype)} if bias else layer


def times(W: Array, x: Array, b: Array | None = None) -> Array:
    """x @ W.T + b, with the weights as the left factor: [out, in], [rows, in], [out] → [rows, out].

    Under vmap the members' weights [members, out, in] then lie as the product needs them. Written x @ W.T, XLA on the
    CPU copies them into another order at every step (twice the time at 3,072 features), and its kernel for that order
    rounds a member differently by where it stands among the others, which would break the promise of `exact`. The bias
    is added before the transposition, and `CrossEntropy` takes it back: no step copies scores into another order.
    """
    return (W @ x.T if b is None else W @ x.T + _spread(b, x)).T


@jax.custom_jvp
def _spread(b: Array, x: Array) -> Array:
    """[out] as [out, rows of x]. Its derivative is written as a product, so that the gradient is one too: a tenth of a
    small model's step faster than the sum over rows that a broadcast has."""
    return jnp.broadcast_to(b[:, None], (len(b), len(x)))


@_spread.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    b, x = primals
    return _spread(b, x), tangents[0][:, None] @ jnp.ones((1, len(x)), b.dtype)


def flat(rows: Array) -> Array:
    """Rows of any shape as [rows, features]."""
    return rows.reshape(rows.shape[0], -1)


def features(shape: tuple[int, ...]) -> int:
    """How many numbers a row of `shape` has.

    >>> features((32, 32, 3)), features((4,))
    (3072, 4)
    """
    return math.prod(shape)
