"""Predictions under attack: what a model says of rows that were each moved to where its loss is higher.

A comparison attacks its populations and `evaluate` a saved model by `labels_under`: the same labels for the same rows.
In float64 whatever the weights are in: to float32 a confident row's loss is flat, and it would seem beyond attack.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from steepest.core.spec import refuse
from steepest.techniques.adversarial import Attack, attacked
from steepest.techniques.contract import Facts
from steepest.train.cache import precision
from steepest.train.ensemble import scores_of_each
from steepest.train.recipe import Recipe
from steepest.train.scoring import FEWEST_ROWS, rows_at_once, scores_of
from steepest.train.state import Array, Rows, Tree

SEED = 0  # of PGD's starts: the same model, rows and attack always give the same labels


def score_under(recipes: Recipe, params: Tree, rows: Rows, attack: Attack, facts: Facts) -> Array:
    """Predicted labels [members, rows] of the rows as each member's own attack moves them.

    Each member is attacked by its own gradient, at the true labels, in the pass of a prediction (no dropout, batch
    norm's running statistics), within the limits that `facts` names. One compiled program for all members and all sizes
    of an attack of one kind.
    **Raises** SettingError for a regression, which has no labels to be wrong about.
    """
    if recipes.loss.regression:
        raise refuse(recipes.loss, "predicts numbers; accuracy under attack is for classes")
    with precision("float64"):
        return _labels(recipes, params, rows, attack, facts)


@jax.jit
def _labels(recipes: Recipe, params: Tree, rows: Rows, attack: Attack, facts: Facts) -> Array:
    def one(recipe: Recipe, params: Tree) -> Array:
        return labels_under(recipe, params, rows.X, rows.y, attack, (facts.low, facts.high))

    return jax.vmap(one)(recipes, params)


def labels_under(
    recipe: Recipe, params: Tree, X: Array, y: Array, attack: Attack, limits: tuple[Array, Array], first: Array = 0
) -> Array:
    """Labels int32 [rows] of one member's attacked rows, some at a time; limits: the least and most of each feature.

    Of several tasks [rows, tasks].
    first: the number of the first row, where rows come in parts. PGD starts by a row's number, so parts do not matter.
    """
    params, X = (jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), given) for given in (params, X))
    y = recipe.loss.own(y)

    def part(X: Array, y: Array, number: Array) -> Array:
        keys = jax.vmap(partial(jax.random.fold_in, jax.random.key(SEED)))(number)
        moved = attacked(attack, lambda X: _losses(recipe, params, X, y), X, *limits, keys)
        return recipe.loss.labels(scores_of(recipe, params, moved)).astype(jnp.int32)

    outputs = jax.eval_shape(lambda: scores_of(recipe, params, X)).shape[-1]
    most = max(FEWEST_ROWS, rows_at_once(recipe, X.shape[1:], outputs) // 8)  # the way back keeps all layers
    number = first + jnp.arange(len(X), dtype=jnp.uint32)
    if len(X) <= most:
        return part(X, y, number)
    parts = -(-len(X) // most)
    filling = parts * most - len(X)
    filled = [jnp.concatenate([a, jnp.zeros((filling, *a.shape[1:]), a.dtype)]) for a in (X, y, number)]
    shares = tuple(a.reshape(parts, most, *a.shape[1:]) for a in filled)
    said = jax.lax.map(lambda given: part(*given), shares)
    return said.reshape(-1, *said.shape[2:])[: len(X)]


def _losses(recipe: Recipe, params: Tree, X: Array, y: Array) -> Array:
    """The loss of each row [rows]; of an ensemble the mean of its models', for a vote has no slope to climb."""
    if recipe.bagging is None:
        return recipe.loss.reported(recipe.model.apply(params, X), y)
    each = scores_of_each(recipe.model, params, X)
    return jnp.mean(jax.vmap(lambda scores: recipe.loss.reported(scores, y))(each), axis=0)
