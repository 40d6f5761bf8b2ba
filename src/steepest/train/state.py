"""The state of one member's training, and the rows it trains on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from steepest.models.passes import split_running, with_running
from steepest.train.recipe import Recipe

Array = Any
Tree = Any


class State(NamedTuple):
    """All that a member carries from step to step; in a population every leaf has a member axis in front.

    Where a member is an ensemble, what its bags have of their own (`OWN`) has an axis of bags before all others.
    """

    params: Tree
    running: Tree  # batch norm's statistics
    memory: Tree  # the method's
    schedule: Tree
    average: Tree  # of weights and running statistics, where the recipe averages
    stop: Tree
    best: Tree  # the best epoch's weights where the stopping rule keeps them, else ()
    alive: Array  # still training: neither diverged nor stopped
    diverged: Array  # the step that would have given NaN or inf, 0 while there was none
    epochs: Array  # epochs trained


OWN = ("params", "running", "memory", "average")  # what each bag of an ensemble has of its own
BAGS = State(*[0 if name in OWN else None for name in State._fields])  # the axes of a vmap over bags


class Rows(NamedTuple):
    """Rows of one part: X [n, …], y [n], weight [n] (0 for rows that only fill up)."""

    X: Array
    y: Array
    weight: Array


def first_params(recipe: Recipe, init: Any, key: Array, shape: tuple[int, ...], outputs: int) -> Tree:
    """A member's weights and running statistics before its first step; each bag of an ensemble draws its own."""
    dtype = jnp.dtype(recipe.dtype)
    if recipe.bagging is None:
        return recipe.model.init(key, shape, outputs, init, dtype)
    keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, jnp.arange(recipe.bagging.bags))
    return jax.vmap(lambda own: recipe.model.init(own, shape, outputs, init, dtype))(keys)


def start(recipe: Recipe, key: Array, shape: tuple[int, ...], outputs: int) -> State:
    """One member before its first step."""
    params, running = split_running(first_params(recipe, recipe.initial, key, shape, outputs))
    keeps_best = recipe.stop is not None and recipe.stop.keeps_best
    return State(
        params=params,
        running=running,
        memory=of_each(recipe, recipe.method.start)(params),
        schedule=recipe.schedule.start(),
        average=() if recipe.average is None else of_each(recipe, recipe.average.start)(with_running(params, running)),
        stop=() if recipe.stop is None else recipe.stop.start(jnp.dtype(recipe.dtype)),
        best=jax.tree.map(jnp.copy, with_running(params, running)) if keeps_best else (),
        alive=jnp.array(True),
        diverged=jnp.zeros((), jnp.int32),
        epochs=jnp.zeros((), jnp.int32),
    )


def of_each(recipe: Recipe, what: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one model's weights as one of each bag's, where the recipe is of an ensemble."""
    return what if recipe.bagging is None else jax.vmap(what)


def current(recipe: Recipe, state: State) -> Tree:
    """The weights and running statistics a member would report now: the averages where it averages, else the last."""
    last = with_running(state.params, state.running)
    return last if recipe.average is None else of_each(recipe, recipe.average.value)(state.average, last)


def final(recipe: Recipe, state: State) -> Tree:
    """The weights a member reports at the end: the best epoch's where its stopping rule keeps them."""
    return state.best if recipe.stop is not None and recipe.stop.keeps_best else current(recipe, state)
