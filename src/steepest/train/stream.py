"""Training on rows that do not fit in memory: they are read from disk some steps at a time.

A part's rows are then `Streamed` instead of an array. The steps of an epoch go through the same program, a stretch of
them after the other with its rows at hand; what looks at many rows (validation, scores) sums over stretches too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.errors import SettingError
from steepest.train import loop
from steepest.train.recipe import Recipe
from steepest.train.scoring import evaluate_all, score
from steepest.train.state import Array, Rows, State, Tree

STRETCH_BYTES = 64 << 20  # of rows at hand at a time
MOST_STRETCHES = 8  # that a single step may take


@dataclass(frozen=True, eq=False)
class Streamed:
    """The rows of a part, on disk: `read(numbers)` gives rows of the source as the model sees them."""

    index: np.ndarray  # [rows] their numbers in the source
    read: Callable[[np.ndarray], np.ndarray]
    shape: tuple[int, ...]  # [rows, …]
    itemsize: int = 4

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """These rows [len(rows), …], each read once and in the order they lie in, for the disk's sake."""
        numbers, back = np.unique(self.index[rows], return_inverse=True)
        return self.read(numbers)[back]

    @property
    def at_once(self) -> int:
        """How many rows are at hand at a time."""
        return max(1, STRETCH_BYTES // (int(np.prod(self.shape[1:])) * self.itemsize))

    def stretches(self) -> Iterator[np.ndarray]:
        """Numbers of rows [at most at_once], one stretch after another."""
        for start in range(0, len(self), self.at_once):
            yield np.arange(start, min(start + self.at_once, len(self)))


_steps = jax.jit(loop.unharmed, donate_argnums=(1,))
_close = jax.jit(loop.close, donate_argnums=(1,))
_now = jax.jit(loop.now)
_evaluate = jax.jit(evaluate_all)


def epoch(
    recipes: Recipe,
    states: State,
    train: Rows,
    order: Array,
    weight: Array,
    validation: Rows | None,
    clock: loop.Clock,
    chance: loop.Chance,
) -> tuple[State, loop.Measured]:
    """As `loop.epoch`, the rows of some steps at hand at a time."""
    numbers, heavy = np.asarray(order), np.asarray(weight)
    steps, batch = numbers.shape
    if batch > MOST_STRETCHES * train.X.at_once:
        raise SettingError(
            f"a step takes {batch:,} rows, which are read in parts, for they exceed memory; use a smaller batch_size "
            "(and a method that takes batches)"
        )
    most = max(1, train.X.at_once // batch)
    losses = []
    for start in range(0, steps, most):
        rows = numbers[start : start + most].ravel()
        here = Rows(jnp.asarray(train.X.take(rows)), train.y[rows], train.weight[rows])
        counts = None if chance.counts is None else chance.counts[:, rows]
        stretch = heavy[start : start + most]
        places = jnp.arange(len(rows), dtype=jnp.int32).reshape(-1, batch)
        done = clock.steps + np.int32((heavy[:start].sum(axis=1) > 0).sum())
        states, found = _steps(
            recipes, states, here, places, stretch, clock._replace(steps=done), chance._replace(counts=counts)
        )
        losses.append(jax.block_until_ready(found))  # JAX runs ahead: all rows would come to lie in memory, waiting
    seen = None if validation is None else _evaluated(recipes, _now(recipes, states), validation)
    return _close(recipes, states, jnp.concatenate(losses), weight, seen, clock)


def _evaluated(recipes: Recipe, params: Tree, rows: Rows) -> tuple[Array, Array]:
    """Mean loss and accuracy of each member, from those of stretches of rows."""
    loss: Any = 0.0
    accuracy: Any = 0.0
    total = 0.0
    for here in _parts(rows):
        share = float(np.sum(np.asarray(here.weight)))
        if share:
            part_loss, part_accuracy = jax.block_until_ready(_evaluate(recipes, params, here))
            loss, accuracy, total = loss + share * part_loss, accuracy + share * part_accuracy, total + share
    return loss / total, accuracy / total


def scored(recipes: Recipe, params: Tree, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """As `score`: predicted labels [members, rows] and mean loss [members]."""
    said, loss, total = [], np.float64(0), 0.0
    for here in _parts(rows):
        labels, part = score(recipes, params, here)
        share = float(np.sum(np.asarray(here.weight)))
        said.append(np.asarray(labels))
        loss, total = loss + (share * np.asarray(part, np.float64) if share else 0.0), total + share
    return np.concatenate(said, axis=1), np.asarray(loss / total)


def _parts(rows: Rows) -> Iterator[Rows]:
    for chosen in rows.X.stretches():
        yield Rows(jnp.asarray(rows.X.take(chosen)), rows.y[chosen], rows.weight[chosen])
