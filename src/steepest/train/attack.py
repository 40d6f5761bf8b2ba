"""Predictions under attack: what a population says of rows that were each moved to where its loss is higher."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from steepest.core.spec import refuse
from steepest.techniques.adversarial import Attack, attacked
from steepest.techniques.contract import Facts
from steepest.train.ensemble import scores_of_each
from steepest.train.recipe import Recipe
from steepest.train.scoring import FEWEST_ROWS, rows_at_once, scores_of
from steepest.train.state import Array, Rows, Tree

SEED = 0  # of PGD's starts: the same model, rows and attack always give the same labels


def score_under(recipes: Recipe, params: Tree, rows: Rows, attack: Attack, facts: Facts) -> Array:
    """Predicted labels [members, rows] of the rows as each member's own attack moves them.

    Each member is attacked by its own gradient, at the true labels, in the pass of a prediction (no dropout, batch
    norm's running statistics), within the range of the training rows (`facts`). One compiled program for all members
    and all sizes of an attack of one kind.
    **Raises** SettingError for a regression, which has no labels to be wrong about.
    """
    if recipes.loss.regression:
        raise refuse(recipes.loss, "predicts numbers; accuracy under attack is for classes")
    return _labels(recipes, params, rows, attack, facts)


@jax.jit
def _labels(recipes: Recipe, params: Tree, rows: Rows, attack: Attack, facts: Facts) -> Array:
    def one(recipe: Recipe, params: Tree) -> Array:
        return labels_under(recipe, params, rows.X, rows.y, attack, (facts.low, facts.high))

    return jax.vmap(one)(recipes, params)


def labels_under(
    recipe: Recipe, params: Tree, X: Array, y: Array, attack: Attack, limits: tuple[Array, Array]
) -> Array:
    """Labels int32 [rows] of one member's attacked rows, some at a time; limits: the least and most of each feature."""

    def part(X: Array, y: Array, key: Array) -> Array:
        moved = attacked(attack, lambda X: _losses(recipe, params, X, y), X, *limits, key)
        return recipe.loss.labels(scores_of(recipe, params, moved)).astype(jnp.int32)

    outputs = jax.eval_shape(lambda: scores_of(recipe, params, X)).shape[-1]
    most = max(FEWEST_ROWS, rows_at_once(recipe, X.shape[1:], outputs) // 4)  # the way back keeps every layer
    if len(X) <= most:
        return part(X, y, jax.random.key(SEED))
    parts = -(-len(X) // most)
    filling = parts * most - len(X)
    filled = [jnp.concatenate([a, jnp.zeros((filling, *a.shape[1:]), a.dtype)]) for a in (X, y)]
    keys = jax.random.split(jax.random.key(SEED), parts)
    shares = [a.reshape(parts, most, *a.shape[1:]) for a in filled]
    return jax.lax.map(lambda given: part(*given), (*shares, keys)).reshape(-1)[: len(X)]


def _losses(recipe: Recipe, params: Tree, X: Array, y: Array) -> Array:
    """The loss of each row [rows]; of an ensemble the mean of its models', for a vote has no slope to climb."""
    if recipe.bagging is None:
        return recipe.loss.rows(recipe.model.apply(params, X), y)
    return jnp.mean(jax.vmap(lambda scores: recipe.loss.rows(scores, y))(scores_of_each(recipe.model, params, X)), 0)
