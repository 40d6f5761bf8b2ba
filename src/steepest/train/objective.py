"""What a step minimises: the batch's loss as the techniques have it, and the smooth part of the penalty."""

from __future__ import annotations

import zlib
from typing import Any

import jax
import jax.numpy as jnp

from steepest.models.passes import Predict
from steepest.techniques.contract import Facts, View
from steepest.train.passes import Training, scores_in
from steepest.train.recipe import Recipe
from steepest.train.state import Array, Rows, Tree

EXTRA = 0xFFFFFFFF  # what `extra` draws from, in a place where no hidden layer is


def objective(
    params: Tree, recipe: Recipe, running: Tree, batch: Rows, key: Array, facts: Facts | None
) -> tuple[Array, tuple[Array, Tree]]:
    """Σwℓ/Σw or Σwℓ with the smooth part of the penalty; for the record, the loss alone and batch norm's statistics.

    All members of a replicate are given the same key; each technique draws from its own, by its
    kind: what else acts beside it, and in which order, changes none of its draws.
    """
    smooth = recipe.penalty.smooth(params)
    keys = [jax.random.fold_in(key, zlib.crc32(type(one).__name__.encode())) for one in recipe.techniques]
    X, y = batch.X, recipe.loss.own(batch.y)
    for technique, own in zip(recipe.techniques, keys):
        X, y = technique.rows(X, y, jax.random.fold_in(own, 0), facts)
        params = technique.weights(params, own)
    how = Training(recipe.techniques, keys, batch.weight, running)
    scores = scores_in(recipe.model, params, running, X, how)
    losses = _losses(recipe, scores, y, facts)
    losses += _extra(recipe, params, running, batch._replace(X=X, y=y), losses, how, keys, facts)
    loss = jnp.sum(jnp.where(batch.weight > 0, batch.weight * losses, 0))  # rows without weight may hold anything
    if recipe.reduction == "mean":
        loss = loss / jnp.maximum(jnp.sum(batch.weight), jnp.finfo(recipe.dtype).tiny)
    return loss + smooth, (loss, how.running)


def _losses(recipe: Recipe, scores: Array, y: Array, facts: Any) -> Array:
    losses = recipe.loss.rows(scores, y)
    for technique in recipe.techniques:
        losses = technique.losses(lambda labels: recipe.loss.rows(scores, labels), losses, facts)
    return losses


def _extra(
    recipe: Recipe,
    params: Tree,
    running: Tree,
    batch: Rows,
    losses: Array,
    how: Training,
    keys: list[Array],
    facts: Any,
) -> Array | float:
    """What techniques add to the rows' losses."""
    added: Array | float = 0.0

    def scores(X: Array) -> Array:
        again: Predict = Training(recipe.techniques, keys, batch.weight, running)
        return scores_in(recipe.model, params, running, X, again)

    def losses_at(X: Array) -> Array:
        return _losses(recipe, scores(X), batch.y, facts)

    for technique, key in zip(recipe.techniques, keys):
        own = jax.random.fold_in(key, EXTRA)
        view = View(batch.X, batch.y, batch.weight, scores, losses_at, losses, tuple(how.seen), own, facts)
        extra = technique.extra(view)
        added = added if extra is None else added + extra
    return added
