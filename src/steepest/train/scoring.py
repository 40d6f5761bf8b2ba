"""Scores of many rows at once: a part of a replicate, some rows at a time where hidden layers take much memory."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from steepest.train.recipe import Recipe
from steepest.train.state import Array, Rows, Tree

NUMBERS_AT_ONCE = 1 << 23  # of all layers of a member together
FEWEST_ROWS = 32


def rows_at_once(model: Any, shape: tuple[int, ...], outputs: int) -> int:
    """How many rows go through a model together: a power of two, fewer the more its layers hold of a row."""
    held = max(sum(model.sizes(shape, outputs)[1:]), 1)
    return max(FEWEST_ROWS, 1 << (NUMBERS_AT_ONCE // held).bit_length() - 1)


def scores_of(recipe: Recipe, params: Tree, X: Array) -> Array:
    """The model's scores [rows, outputs]."""
    outputs = jax.eval_shape(recipe.model.apply, params, X).shape[-1]
    most = rows_at_once(recipe.model, X.shape[1:], outputs)
    if len(X) <= most:
        return recipe.model.apply(params, X)
    parts = -(-len(X) // most)
    filled = jnp.concatenate([X, jnp.zeros((parts * most - len(X), *X.shape[1:]), X.dtype)])
    found = jax.lax.map(partial(recipe.model.apply, params), filled.reshape(parts, most, *X.shape[1:]))
    return found.reshape(parts * most, outputs)[: len(X)]


def evaluate(recipe: Recipe, params: Tree, rows: Rows) -> tuple[Array, Array]:
    """Mean loss and accuracy over rows (accuracy NaN for a regression)."""
    return _measured(recipe, scores_of(recipe, params, rows.X), rows)


def _measured(recipe: Recipe, scores: Array, rows: Rows) -> tuple[Array, Array]:
    total = jnp.sum(rows.weight)
    loss = jnp.sum(jnp.where(rows.weight > 0, rows.weight * recipe.loss.rows(scores, rows.y), 0)) / total
    if recipe.loss.regression:
        return loss, jnp.full((), jnp.nan, loss.dtype)
    hits = recipe.loss.labels(scores) == rows.y
    return loss, (jnp.sum(rows.weight * hits) / total).astype(loss.dtype)


@jax.jit
def score(recipes: Recipe, params: Tree, rows: Rows) -> tuple[Array, Array]:
    """Predicted labels [members, rows] (values for a regression) and mean loss [members] of reported weights."""

    def one(recipe: Recipe, params: Tree) -> tuple[Array, Array]:
        scores = scores_of(recipe, params, rows.X)
        said = scores[..., 0] if recipe.loss.regression else recipe.loss.labels(scores).astype(jnp.int32)
        return said, _measured(recipe, scores, rows)[0]

    return jax.vmap(one)(recipes, params)
