"""Which axes of a weight its units take in, read off the products that a model makes of it.

Ours are [out, …]. A user's own may lie in any order: `x @ W` and Flax have the units last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Var

Axes = tuple[int, ...]
Held = tuple[int, Axes]  # which weight a value of the program is, and which axes of it its own axes are


def fan_in(scores: Callable[..., Any], weights: Sequence[Any], rows: Any) -> tuple[Axes | None, ...]:
    """The axes of each weight that scores(weights, rows) sums over; None where no product of it is seen, or several
    that sum over different ones.

    >>> W = jax.ShapeDtypeStruct((3, 5), "float32")
    >>> fan_in(lambda weights, rows: rows @ weights[0], [W], jax.ShapeDtypeStruct((2, 3), "float32"))
    ((0,),)
    >>> fan_in(lambda weights, rows: rows @ weights[0].T, [W], jax.ShapeDtypeStruct((2, 5), "float32"))
    ((1,),)
    """
    traced = jax.make_jaxpr(scores)(list(weights), rows).jaxpr
    found: list[set[Axes]] = [set() for _ in weights]
    own = [(place, tuple(range(len(weight.shape)))) for place, weight in enumerate(weights)]
    _walk(traced, dict(zip(traced.invars, own)), found)
    return tuple(next(iter(axes)) if len(axes) == 1 else None for axes in found)


def _walk(jaxpr: Jaxpr, held: dict[Var, Held], found: list[set[Axes]]) -> None:
    """Follow the weights through a program, and through those that it calls."""
    for equation in jaxpr.eqns:
        given = [held.get(value) if isinstance(value, Var) else None for value in equation.invars]
        name, settings = equation.primitive.name, equation.params
        if name == "transpose" and given[0]:
            held[equation.outvars[0]] = given[0][0], tuple(given[0][1][axis] for axis in settings["permutation"])
        elif name in ("convert_element_type", "copy", "stop_gradient") and given[0]:
            held[equation.outvars[0]] = given[0]
        elif name == "dot_general":
            for value, summed in zip(given, settings["dimension_numbers"][0]):
                _note(found, value, summed)
        elif name == "conv_general_dilated":
            _note(found, given[1], settings["dimension_numbers"].rhs_spec[1:])
        for inner in _called(settings):
            if len(inner.invars) == len(given):
                # a loop sees a slice of what it goes through, whose axes are others: that is not followed
                kept = zip(inner.invars, given, map(_shape, inner.invars), map(_shape, equation.invars))
                _walk(inner, {var: one for var, one, here, there in kept if one and here == there}, found)


def _shape(value: Any) -> tuple[int, ...] | None:
    return getattr(value.aval, "shape", None)


def _note(found: list[set[Axes]], value: Held | None, summed: Sequence[int]) -> None:
    if value:
        found[value[0]].add(tuple(sorted(value[1][axis] for axis in summed)))


def _called(settings: dict[str, Any]) -> list[Jaxpr]:
    """The programs that an operation runs: of jit, checkpoint, custom derivatives."""
    closed = [setting.jaxpr for setting in settings.values() if isinstance(setting, ClosedJaxpr)]
    return closed + [setting for setting in settings.values() if isinstance(setting, Jaxpr)]
