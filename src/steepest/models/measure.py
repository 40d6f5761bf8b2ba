"""What a model holds and computes for a row, found by looking at it: for models that do not say it themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax


class Product(NamedTuple):
    """A matrix product or a convolution, in numbers of all its rows together."""

    into: int
    out: int
    work: int  # multiplications


def measure(
    scores: Callable[[Any, Any], Any], weights: Any, shape: tuple[int, ...], outputs: int
) -> tuple[tuple[int, ...], int]:
    """How many numbers of a row each stage holds, features first and scores last; and how often a row is multiplied.

    A stage is what comes out of a product, or goes into one where that is more than the stage before held (patches of
    an image, for instance). What lies between, XLA does not keep, or the factor that `study.blocks` puts on activations
    covers. Nothing is computed.

    >>> import jax.numpy as jnp
    >>> measure(lambda w, x: jnp.tanh(x @ w[0]) @ w[1], (jnp.ones((4, 7)), jnp.ones((7, 3))), (4,), 3)
    ((4, 7, 3), 49)
    """
    two, three = (
        list(_products(jax.make_jaxpr(scores)(weights, jax.ShapeDtypeStruct((rows, *shape), "float32")).jaxpr))
        for rows in (2, 3)
    )
    sizes, work = [math.prod(shape)], 0
    for less, more in zip(two, three):
        into, out, times = (b - a for a, b in zip(less, more))  # what one row more takes
        if out > 0:
            sizes += [into, out] if into > sizes[-1] else [out]
            work += times
    return tuple(sizes if len(sizes) > 1 and sizes[-1] == outputs else [*sizes, outputs]), work


def _products(jaxpr: Any, times: int = 1) -> Iterator[Product]:
    """Each product in its order, those inside functions and loops too."""
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in ("dot_general", "conv_general_dilated"):
            into = sum(_size(variable) for variable in equation.invars)
            out = sum(_size(variable) for variable in equation.outvars)
            yield Product(times * into, times * out, times * out * _terms(equation))
        again = equation.params.get("length", 1) if name == "scan" else 1
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda part: hasattr(part, "eqns")):
            if hasattr(inner, "eqns"):
                yield from _products(getattr(inner, "jaxpr", inner), times * again)


def _terms(equation: Any) -> int:
    """How many products are summed into one number of what comes out."""
    left, right = (variable.aval.shape for variable in equation.invars)
    if equation.primitive.name == "dot_general":
        (summed, _), _ = equation.params["dimension_numbers"]
        return math.prod(left[axis] for axis in summed)
    return math.prod(right) // right[equation.params["dimension_numbers"].rhs_spec[0]]


def _size(variable: Any) -> int:
    return math.prod(variable.aval.shape)
