"""Monte Carlo dropout: units are dropped at prediction, too, and the predictions' spread says how sure they are."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.errors import SettingError, whole_number
from steepest.train.ensemble import scores
from steepest.train.passes import Drawn
from steepest.train.recipe import Recipe

Array = Any
Tree = Any


class Uncertainty(NamedTuple):
    """What the predictions of many draws come to, float64 [rows, classes] each."""

    mean: np.ndarray  # of the probabilities; rows sum to 1
    spread: np.ndarray  # their standard deviation (divisor: samples − 1)


def check_sampling(recipe: Recipe, samples: int, seed: int) -> None:
    """Refuse what gives no spread: a model without dropout, a loss without probabilities, fewer than two samples."""
    whole_number("samples", samples, 2)
    whole_number("seed", seed, 0)
    if not drawn_at_prediction(recipe):
        raise SettingError(
            "the model was trained without dropout, so nothing can be drawn at prediction; train with the technique "
            "dropout or input-dropout, or leave samples out"
        )
    if not recipe.loss.probabilistic:
        name = type(recipe.loss).__name__
        raise SettingError(f"the model was trained with {name}, which gives no probabilities; leave samples out")


def drawn_at_prediction(recipe: Recipe) -> tuple[Any, ...]:
    """The techniques that Monte Carlo prediction draws: dropout on hidden units and on inputs."""
    return tuple(technique for technique in recipe.techniques if technique.at_prediction)


class _Thinned:
    """A model with units dropped: one draw for all rows, so that a sample is one network.

    A row's numbers then do not hang on the rows that come with it.
    """

    def __init__(self, model: Any, techniques: tuple[Any, ...], keys: list[Array]) -> None:
        self._model, self._techniques, self._keys = model, techniques, keys

    def apply(self, params: Tree, rows: Array) -> Array:
        return jax.vmap(partial(self._one, params))(rows)

    def _one(self, params: Tree, row: Array) -> Array:
        X, y = row[None], jnp.zeros(1, jnp.int32)
        for technique, key in zip(self._techniques, self._keys):
            X, y = technique.rows(X, y, jax.random.fold_in(key, 0), None)
        return self._model.apply(params, X, Drawn(self._techniques, self._keys))[0]


@partial(jax.jit, static_argnums=3)
def sampled(
    techniques: tuple[Any, ...],
    samples: Array,
    key: Array,
    own: bool,
    model: Any,
    loss: Any,
    bagging: Any,
    params: Tree,
    X: Array,
) -> Array:
    """Mean and standard deviation [rows, 2, classes] of the probabilities over samples 0, 1, … of `key`."""

    def once(sample: Array) -> Array:
        drawn = jax.random.fold_in(key, sample)
        keys = [jax.random.fold_in(drawn, place) for place in range(len(techniques))]
        return loss.probabilities(scores(_Thinned(model, techniques, keys), loss, bagging, params, X, own))

    def add(sample: Array, so_far: tuple[Array, Array]) -> tuple[Array, Array]:
        mean, squares = so_far  # Welford's: a difference of large sums would lose a small spread
        off = once(sample) - mean
        return mean + off / (sample + 1), squares + off * off * (sample / (sample + 1))

    nothing = jnp.zeros_like(jax.eval_shape(once, 0))
    mean, squares = jax.lax.fori_loop(0, samples, add, (nothing, nothing))
    return jnp.stack([mean, jnp.sqrt(squares / (samples - 1))], axis=1)
