"""Techniques of a recipe: putting named ones into it, and refusing what does not go with its model or its rows."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp

from steepest.core.errors import SettingError
from steepest.core.spec import refuse, replace
from steepest.inits.plain import Zeros
from steepest.models.examined import check_forward
from steepest.models.own import FromFile, Own
from steepest.models.passes import Predict
from steepest.techniques.contract import Technique
from steepest.train.recipe import Recipe

Array = Any


def with_techniques(recipe: Recipe, parts: Iterable[Any]) -> Recipe:
    """The recipe with these techniques after its own; a stopping rule among them (early stopping) becomes its `stop`.

    **Raises** SettingError for a second stopping rule, a technique that is there already, or what is no technique.

    >>> from steepest.stops.rules import NoGain
    >>> from steepest.techniques.dropout import InputDropout
    >>> with_techniques(Recipe(), [InputDropout(rate=0.1), NoGain(patience=3)])
    Recipe(stop=NoGain(patience=3), techniques=(InputDropout(rate=0.1),))
    """
    stop, techniques = recipe.stop, list(recipe.techniques)
    for part in parts:
        if isinstance(part, type) or not hasattr(part, "observe"):
            techniques.append(part)
            continue
        if stop is not None:
            raise SettingError(f"{part!r}: the recipe stops by {stop!r} already; use one of the two")
        stop = part
    return replace(recipe, stop=stop, techniques=Recipe(techniques=tuple(techniques)).techniques)


def check_techniques(recipe: Recipe, shape: tuple[int, ...]) -> None:
    """Refuse a technique by name that cannot act: on rows of `shape`, on the recipe's model, or for its loss.

    Raises SettingError; a technique that acted nowhere would be a comparison of something with itself.
    """
    for technique in recipe.techniques:
        if technique.needs_images and len(shape) not in (2, 3):
            raise refuse(technique, f"needs images, and a row has {shape[0]:,} numbers without an order; leave it out")
        if technique.needs_classes and recipe.loss.regression:
            raise refuse(technique, f"is for classes, and {type(recipe.loss).__name__} is for numbers; leave it out")
        if technique.needs_tasks:
            raise refuse(technique, "needs several label columns, as --label a,b; leave it out")
        if technique.needs_units:
            _check_units(technique, recipe.model, shape)
        if technique.needs_forward and isinstance(recipe.model, Own | FromFile):
            _check_forward(type(technique).__name__, recipe.model, shape)
        if technique.needs_hidden:
            _check_hidden(technique, recipe.model, shape)


def _check_hidden(technique: Technique, model: Any, shape: tuple[int, ...]) -> None:
    there = hidden_layers(model, shape)
    if there == 0:
        remedy = "call how.hidden in it" if model.draws else "use a model such as mlp:64"
        raise refuse(technique, f"acts on hidden units, and {model!r} has none; {remedy}")
    for layer in getattr(technique, "layers", None) or ():
        if layer > there:
            has = "1 hidden layer" if there == 1 else f"{there} hidden layers"
            raise refuse(technique, f"acts on hidden layer {layer}, and {model!r} has {has}")


def _check_units(technique: Technique, model: Any, shape: tuple[int, ...]) -> None:
    unknown = units_unknown(model, shape)
    if unknown:
        why = f"acts on each unit's weights, and the products of {model!r} do not show which of {unknown} those are"
        raise refuse(technique, f"{why}; leave it out")


@functools.lru_cache(maxsize=256)
def _check_forward(name: str, model: Any, shape: tuple[int, ...]) -> None:
    check_forward(model, jax.eval_shape(lambda: _begin(model, shape)), shape, f"{name} needs forward derivatives: ")


@functools.lru_cache(maxsize=256)
def units_unknown(model: Any, shape: tuple[int, ...]) -> str:
    """The first of a model's weights whose units cannot be told; "" where all can."""
    params = jax.eval_shape(lambda: _begin(model, shape))
    return next((name for name, axes in model.fan_in(params, shape).items() if axes is None and name.endswith("W")), "")


@functools.lru_cache(maxsize=256)
def hidden_layers(model: Any, shape: tuple[int, ...]) -> int:
    """How many hidden layers of units a model has, as it tells the pass of a prediction; nothing is computed.

    >>> from steepest.models.mlp import MLP
    >>> hidden_layers(MLP(widths=(8, 4)), (3,))
    2
    """
    counted = _Counted()

    def once() -> Array:
        return model.apply(_begin(model, shape), jnp.zeros((2, *shape), jnp.float32), counted)

    jax.eval_shape(once)
    return counted.layers


def _begin(model: Any, shape: tuple[int, ...]) -> Any:
    return model.init(jax.random.key(0), shape, model.fixed_outputs(shape) or 2, Zeros(), jnp.float32)


class _Counted(Predict):
    """A pass that counts hidden layers."""

    def __init__(self) -> None:
        self.layers = 0

    def hidden(self, h: Array) -> Array:
        self.layers += 1
        return h
