"""What a model holds of a row, found by looking at what it computes: for models that do not say it themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax


def measure(scores: Callable[[Any, Any], Any], weights: Any, shape: tuple[int, ...], outputs: int) -> tuple[int, ...]:
    """How many numbers of a row each stage holds, features first and scores last.

    A stage is what comes out of a product, or goes into one where that is more than the stage before held (patches of
    an image, for instance). What lies between, XLA does not keep, or the factor that `study.blocks` puts on activations
    covers. Nothing is computed.

    >>> import jax.numpy as jnp
    >>> measure(lambda w, x: jnp.tanh(x @ w[0]) @ w[1], (jnp.ones((4, 7)), jnp.ones((7, 3))), (4,), 3)
    (4, 7, 3)
    """
    two, three = (
        list(_products(jax.make_jaxpr(scores)(weights, jax.ShapeDtypeStruct((rows, *shape), "float32")).jaxpr))
        for rows in (2, 3)
    )
    sizes = [math.prod(shape)]
    for less, more in zip(two, three):
        into, out = (b - a for a, b in zip(less, more))  # what one row more takes
        if out > 0:
            sizes += [into, out] if into > sizes[-1] else [out]
    return tuple(sizes if len(sizes) > 1 and sizes[-1] == outputs else [*sizes, outputs])


def _products(jaxpr: Any, times: int = 1) -> Iterator[tuple[int, int]]:
    """How many numbers go into each product, and come out, in their order; those inside functions and loops too."""
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in ("dot_general", "conv_general_dilated"):
            yield times * _numbers(equation.invars), times * _numbers(equation.outvars)
        again = equation.params.get("length", 1) if name == "scan" else 1
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda part: hasattr(part, "eqns")):
            if hasattr(inner, "eqns"):
                yield from _products(getattr(inner, "jaxpr", inner), times * again)


def _numbers(variables: Any) -> int:
    return sum(math.prod(variable.aval.shape) for variable in variables)
