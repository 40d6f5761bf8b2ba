"""What a model is: weights made from a key and a row's shape, and scores from weights and rows.

Weights are nested dicts. Dense weights are stored [out, in] under the key `W`, biases [out] under `b`. Products are
written by `times`, which under vmap comes to one matrix product for a whole population.
"""

from __future__ import annotations

import math
import zlib
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from steepest.core.spec import refuse
from steepest.models.passes import PREDICT, Predict
from steepest.models.products import product

Array = Any
Tree = Any


class Model:
    """The contract of a model. Subclasses are `@spec` classes."""

    equation: ClassVar[str] = ""  # one line, shown by `steepest methods`
    draws: ClassVar[bool] = False  # whether it makes its own initial weights, whatever the recipe's `init`
    starts: ClassVar[str] = "he"  # the init, by its name, where a recipe names none
    rounds: ClassVar[bool] = False  # whether all its products are by `times` and `convolve`: a recipe may round them
    wide: ClassVar[bool] = True  # whether many members train faster on a CPU together than one by one

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse rows of a shape that the model cannot read, by name (SettingError)."""

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        """Weights for rows of `shape` and `outputs` scores; `init` is an entry of steepest.inits."""
        raise NotImplementedError

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        """Scores of rows: [rows, …] → [rows, outputs]; `how` is told of each hidden layer (`models/passes.py`)."""
        raise NotImplementedError

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        """How many numbers each stage holds of one row, buffers included, from its features to its scores."""
        raise NotImplementedError

    def stages(self, shape: tuple[int, ...], outputs: int) -> list[str]:
        """How wide each stage is, in words."""
        return [str(size) for size in self.sizes(shape, outputs)]

    def fan_in(self, params: Tree, shape: tuple[int, ...]) -> dict[str, tuple[int, ...] | None]:
        """The axes of weights, by name, that a unit takes in, where they are not all but the first; None: unknown."""
        del params, shape
        return {}

    def fixed_outputs(self, shape: tuple[int, ...]) -> int | None:
        """The only number of scores it can give for rows of `shape`; None where it gives as many as are wanted."""
        del shape
        return None


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
    return (product(W, x.T) if b is None else product(W, x.T) + spread(b, len(x))).T


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def spread(b: Array, count: int) -> Array:
    """[out] as [out, count]. Its derivative is written as a product, so that the gradient is one too: a tenth of a
    small model's step faster than the sum over rows that a broadcast has."""
    return jnp.broadcast_to(b[:, None], (len(b), count))


@spread.defjvp
def _(count: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (b,), (change,) = primals, tangents
    return spread(b, count), change[:, None] @ jnp.ones((1, count), b.dtype)


def counts(owner: Any, name: str, value: Any, each: str) -> tuple[int, ...]:
    """A setting of whole numbers of at least 1, or one alone, as a tuple; else refused by name."""
    numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not numbers or not all(map(_counts, numbers)):
        raise refuse(owner, f"{name} = {value!r}; it must be whole numbers of at least 1, {each}")
    return tuple(int(n) for n in numbers)


def check_count(owner: Any, name: str, most: int | None = None) -> None:
    """Refuse a setting by name that is no whole number of at least 1, or above `most`."""
    value = getattr(owner, name)
    if not _counts(value) or (most is not None and value > most):
        wanted = "of at least 1" if most is None else f"from 1 to {most:,}"
        raise refuse(owner, f"{name} = {value!r}; it must be a whole number {wanted}")


def _counts(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def flat(rows: Array) -> Array:
    """Rows of any shape as [rows, features]."""
    return rows.reshape(rows.shape[0], -1)


def features(shape: tuple[int, ...]) -> int:
    """How many numbers a row of `shape` has.

    >>> features((32, 32, 3)), features((4,))
    (3072, 4)
    """
    return math.prod(shape)
