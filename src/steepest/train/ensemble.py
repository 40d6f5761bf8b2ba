"""Ensembles: the rows that each bag draws, and the scores that several models give together.

An ensemble's weights are a model's, with an axis of bags in front of every leaf. `scores` is all that predicting,
scoring and reporting need: an ensemble has scores as a lone model has, from which its loss makes labels, probabilities
and losses.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.keys import generator
from steepest.techniques.bagging import Bagging

Array = Any
Tree = Any


def bootstrap(key: Any, groups: np.ndarray, bags: int) -> np.ndarray:
    """How often each bag draws each row, int64 [bags, rows]. Bag i hangs on i only.

    groups [rows]: the same number for rows that are duplicates of one another. As many groups as there are are drawn
    with replacement, each with all its rows: a bag that lacks a row then lacks its duplicates, and has not seen it.
    """
    words = [int(word) for word in np.asarray(jax.random.key_data(key)).ravel()]
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))[group]  # by each group's first row, so that lone rows are drawn as rows
    count = len(first)
    draws = [generator(words[0], words[1], "bags", bag).integers(count, size=count) for bag in range(bags)]
    return np.stack([np.bincount(drawn, minlength=count)[place] for drawn in draws])


def scores(model: Any, loss: Any, bagging: Bagging | None, params: Tree, X: Array, own: bool = False) -> Array:
    """The scores [rows, outputs] of a model, or of an ensemble of its kind; `own`: X [rows, bags, …] is each bag's."""
    if bagging is None:
        return model.apply(params, X)
    each = scores_of_each(model, params, X, own)
    return together(loss, bagging.combine, each, jnp.full(each.shape[:2], 1 / len(each), each.dtype))


def scores_of_each(model: Any, params: Tree, X: Array, own: bool = False) -> Array:
    """The scores of each bag [bags, rows, outputs]."""
    return jax.vmap(model.apply, in_axes=(0, 1 if own else None))(params, X)


def together(loss: Any, combine: str, each: Array, share: Array) -> Array:
    """One row of scores out of those of each bag [bags, rows, outputs], a bag counting by its share [bags, rows].

    The shares of a row sum to 1. A vote is told in scores whose probabilities are the shares of the votes; the average
    has half a vote among them.
    """
    average = loss.average(each, share)
    if combine == "average":
        return average
    probable = loss.probabilities(average) if loss.probabilistic else jax.nn.softmax(average, axis=-1)
    votes = loss.labels(each)[..., None] == jnp.arange(probable.shape[-1])
    voters = jnp.sum(share > 0, axis=0)[:, None]
    found = voters * jnp.sum(share[..., None] * votes, axis=0)
    return loss.voted((found + probable / 2) / (voters + 0.5))


def out_of_bag(loss: Any, combine: str, each: Array, counts: Array) -> Array:
    """Scores [rows, outputs] of each row by the bags that did not draw it: counts [bags, rows] are 0 there.

    Meaningless where all bags drew a row.
    """
    absent = counts == 0
    share = absent / jnp.maximum(jnp.sum(absent, axis=0), 1)
    return together(loss, combine, each, share.astype(each.dtype))
