"""Scores of many rows at once: a part of a replicate, some rows at a time where hidden layers take much memory."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from steepest.train.ensemble import scores
from steepest.train.recipe import Recipe
from steepest.train.state import Array, Rows, Tree

NUMBERS_AT_ONCE = 1 << 23  # of all layers of a member together
FEWEST_ROWS = 32


def rows_at_once(recipe: Recipe, shape: tuple[int, ...], outputs: int) -> int:
    """How many rows go through a model together: a power of two, fewer the more its layers hold of a row."""
    held = max(copies(recipe) * sum(recipe.model.sizes(shape, outputs)[1:]), 1)
    return max(FEWEST_ROWS, 1 << max(NUMBERS_AT_ONCE // held, 1).bit_length() - 1)


def copies(recipe: Recipe) -> int:
    """How many models a member is: as many as it has bags, or one."""
    return 1 if recipe.bagging is None else recipe.bagging.bags


def scores_of(recipe: Recipe, params: Tree, X: Array) -> Array:
    """The model's scores [rows, outputs], or those of an ensemble together."""
    apply = partial(scores, recipe.model, recipe.loss, recipe.bagging, params)
    outputs = jax.eval_shape(apply, X).shape[-1]
    most = rows_at_once(recipe, X.shape[1:], outputs)
    if len(X) <= most:
        return apply(X)
    parts = -(-len(X) // most)
    filled = jnp.concatenate([X, jnp.zeros((parts * most - len(X), *X.shape[1:]), X.dtype)])
    found = jax.lax.map(apply, filled.reshape(parts, most, *X.shape[1:]))
    return found.reshape(parts * most, outputs)[: len(X)]


def evaluate(recipe: Recipe, params: Tree, rows: Rows) -> tuple[Array, Array]:
    """Mean loss and accuracy over rows (accuracy NaN for a regression)."""
    return _measured(recipe, scores_of(recipe, params, rows.X), rows)


def evaluate_all(recipes: Recipe, params: Tree, rows: Rows) -> tuple[Array, Array]:
    """`evaluate` of each member of a population."""
    return jax.vmap(evaluate, in_axes=(0, 0, None))(recipes, params, rows)


def _measured(recipe: Recipe, made: Array, rows: Rows) -> tuple[Array, Array]:
    total = jnp.sum(rows.weight)
    y = recipe.loss.own(rows.y)
    loss = jnp.sum(jnp.where(rows.weight > 0, rows.weight * recipe.loss.reported(made, y), 0)) / total
    if recipe.loss.regression:
        return loss, jnp.full((), jnp.nan, loss.dtype)
    return loss, (jnp.sum(rows.weight * recipe.loss.right(made, y)) / total).astype(loss.dtype)


@jax.jit
def score(recipes: Recipe, params: Tree, rows: Rows) -> tuple[Array, Array]:
    """Predicted labels [members, rows] (values for a regression) and mean loss [members] of reported weights."""

    def one(recipe: Recipe, params: Tree) -> tuple[Array, Array]:
        made = scores_of(recipe, params, rows.X)
        said = made[..., 0] if recipe.loss.regression else recipe.loss.labels(made).astype(jnp.int32)
        return said, _measured(recipe, made, rows)[0]

    return jax.vmap(one)(recipes, params)
