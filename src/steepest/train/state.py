"""The state of one member's training, and the rows it trains on."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from steepest.models.passes import split_running, with_running
from steepest.train.recipe import Recipe

Array = Any
Tree = Any


class State(NamedTuple):
    """All that a member carries from step to step; in a population every leaf has a member axis in front."""

    params: Tree
    running: Tree  # batch norm's statistics
    memory: Tree  # the method's
    schedule: Tree
    average: Tree
    stop: Tree
    best: Tree  # the best epoch's weights where the stopping rule keeps them, else ()
    alive: Array  # still training: neither diverged nor stopped
    diverged: Array  # the step that would have given NaN or inf, 0 while there was none
    epochs: Array  # epochs trained


class Rows(NamedTuple):
    """Rows of one part: X [n, …], y [n], weight [n] (0 for rows that only fill up)."""

    X: Array
    y: Array
    weight: Array


def start(recipe: Recipe, key: Array, shape: tuple[int, ...], outputs: int) -> State:
    """One member before its first step."""
    dtype = jnp.dtype(recipe.dtype)
    params, running = split_running(recipe.model.init(key, shape, outputs, recipe.initial, dtype))
    keeps_best = recipe.stop is not None and recipe.stop.keeps_best
    return State(
        params=params,
        running=running,
        memory=recipe.method.start(params),
        schedule=recipe.schedule.start(),
        average=() if recipe.average is None else recipe.average.start(params),
        stop=() if recipe.stop is None else recipe.stop.start(dtype),
        best=jax.tree.map(jnp.copy, with_running(params, running)) if keeps_best else (),
        alive=jnp.array(True),
        diverged=jnp.zeros((), jnp.int32),
        epochs=jnp.zeros((), jnp.int32),
    )


def current(recipe: Recipe, state: State) -> Tree:
    """The weights a member would report now (the average where it averages, else the last), with running statistics."""
    params = state.params if recipe.average is None else recipe.average.value(state.average, state.params)
    return with_running(params, state.running)


def final(recipe: Recipe, state: State) -> Tree:
    """The weights a member reports at the end: the best epoch's where its stopping rule keeps them."""
    return state.best if recipe.stop is not None and recipe.stop.keeps_best else current(recipe, state)
