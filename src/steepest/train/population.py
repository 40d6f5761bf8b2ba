"""Training a population: one block of recipes on one replicate's rows, epoch by epoch."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.stack import stack, structure
from steepest.data.standard import Standard
from steepest.techniques.contract import Facts
from steepest.train import loop, stream
from steepest.train.cache import precision, prepare
from steepest.train.ensemble import bootstrap
from steepest.train.limits import Limits
from steepest.train.recipe import Recipe
from steepest.train.scoring import score
from steepest.train.state import Rows

Tree = Any

KEPT_BYTES = 64 << 20  # of a replicate's batches, made once for all its blocks; beyond it they are made each time


@dataclass(frozen=True, eq=False)
class Replicate:
    """What all recipes of a replicate share: rows, initial key, and the order of rows in each epoch."""

    train: Rows
    validation: Rows | None
    test: Rows | None
    key: Any  # of the initial weights
    noise: Any  # the key of all that is drawn while training
    shape: tuple[int, ...]  # of a row
    outputs_of: Callable[[Recipe], int]
    order: Callable[[int], np.ndarray]  # epoch → a permutation of the training rows that have weight
    rows: int  # how many training rows have weight
    classes: int = 0  # 0 for a regression
    standard: Standard | None = None  # how the rows were standardised, where they were
    limits: Callable[[], Limits] | None = None  # made when a technique or an attack asks; it may read all rows
    groups: np.ndarray | None = None  # of the training rows with weight, one number for duplicates; None: all differ
    _made: dict[tuple[int, int, bool], tuple[Any, Any]] = field(default_factory=dict, repr=False)

    @functools.cached_property
    def facts(self) -> Facts:
        """What techniques and attacks may know of the training rows, the limits of features too."""
        if self.limits is None:
            raise ValueError("a replicate without limits was asked for them")
        low, high = self.limits()
        return replace(self._about, low=low, high=high)

    @functools.cached_property
    def _about(self) -> Facts:
        """What is known without looking at the rows again."""
        dtype = self.train.weight.dtype
        if self.standard is None:
            return Facts(None, None, self.classes, np.zeros(self.shape, dtype), np.ones(self.shape, dtype))
        about = (part.reshape(self.shape).astype(dtype) for part in (self.standard.center, self.standard.scale))
        return Facts(None, None, self.classes, *about)

    def facts_for(self, techniques: tuple[Any, ...]) -> Facts | None:
        """What these techniques ask for; rows on disk are read for `facts` only where one needs limits."""
        if not techniques:
            return None
        return self.facts if any(technique.needs_limits for technique in techniques) else self._about

    @property
    def streamed(self) -> bool:
        """Whether the rows are read from disk while training."""
        return isinstance(self.train.X, stream.Streamed)

    def bags(self, count: int) -> np.ndarray:
        """How often each of `count` bags draws each training row, int32 [count, rows]; rows without weight never."""
        heavy = np.flatnonzero(np.asarray(self.train.weight) > 0)
        counts = np.zeros((count, len(self.train.weight)), np.int32)
        counts[:, heavy] = bootstrap(self.noise, heavy if self.groups is None else self.groups, count)
        return counts

    def batches(self, epoch: int, size: int, shuffle: bool) -> tuple[Any, Any]:
        """Row numbers and weights [steps, size] of an epoch; kept for the other blocks while they are not too many.

        The last partial batch is kept, filled up with rows of weight 0.
        """
        kept = self._made.get((epoch, size, shuffle))
        if kept is None:
            weights = np.asarray(self.train.weight)
            chosen = self.order(epoch) if shuffle else np.flatnonzero(weights > 0)
            steps = -(-len(weights) // size)
            order = np.zeros(steps * size, np.int32)
            order[: len(chosen)] = chosen
            weight = np.zeros(steps * size, weights.dtype)
            weight[: len(chosen)] = weights[chosen]
            kept = jnp.asarray(order.reshape(steps, size)), jnp.asarray(weight.reshape(steps, size))
            if len(self._made) * (order.nbytes + weight.nbytes) < KEPT_BYTES:
                self._made[epoch, size, shuffle] = kept
        return kept


class Trained(NamedTuple):
    """What became of a block's members, in their order; arrays of NumPy."""

    params: Tree  # the reported weights [members, …]
    status: np.ndarray  # "finished", "stopped" or "diverged"
    step: np.ndarray  # where it diverged, else the steps made
    epochs: np.ndarray
    curves: dict[str, np.ndarray]  # [members, epochs], NaN after a member's last epoch
    validation: tuple[np.ndarray, np.ndarray] | None  # predicted [members, rows], mean loss [members]
    test: tuple[np.ndarray, np.ndarray] | None


def train(
    recipes: list[Recipe],
    replicate: Replicate,
    epochs: int,
    width: int | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> Trained:
    """Train recipes of one structure together, padded to `width` members (by repeating the last one).

    `on_epoch(rows)` is called after each epoch with the rows that the recipes have seen in it, all together; what it
    raises ends the training.
    """
    prepare()
    width = width or len(recipes)
    recipe = recipes[0]
    with precision(recipe.dtype, recipe.products):
        padded = recipes + [recipes[-1]] * (width - len(recipes))
        stacked = jax.tree.map(jnp.asarray, stack(padded, recipe.dtype))
        outputs = replicate.outputs_of(recipe)
        bags = None if recipe.bagging is None else jnp.asarray(replicate.bags(recipe.bagging.bags))
        epoch = stream.epoch if replicate.streamed else loop.epoch
        chance = loop.Chance(replicate.noise, replicate.facts_for(recipe.techniques), bags)
        with _first_alone(("begin", structure(recipe), width, replicate.shape, outputs)):
            states = loop.begin(stacked, replicate.key, replicate.shape, outputs)
        measured = []
        for number, (order, weight, clock) in enumerate(_epochs(recipe, replicate, epochs)):
            with _first_alone(("epoch", structure(recipe), width, order.shape, replicate.train.X.shape)):
                states, seen = epoch(
                    stacked, states, replicate.train, order, weight, replicate.validation, clock, chance
                )
            measured.append(jax.tree.map(np.asarray, seen))
            if on_epoch is not None:
                on_epoch(len(recipes) * len(replicate.train.X))
            if number + 1 < epochs and not np.any(np.asarray(states.alive)[: len(recipes)]):
                if on_epoch is not None:
                    on_epoch(len(recipes) * len(replicate.train.X) * (epochs - number - 1))
                break
        return _trained(stacked, states, measured, replicate, epochs, len(recipes))


def _epochs(recipe: Recipe, replicate: Replicate, epochs: int) -> Iterator[tuple[Any, Any, loop.Clock]]:
    """Each epoch's batches (row numbers and weights, [steps, batch]) and clock."""
    size = batch_of(recipe, replicate)
    real = -(-replicate.rows // size)
    for epoch in range(epochs):
        order, weight = replicate.batches(epoch, size, recipe.shuffle)
        numbers = (np.asarray(number, recipe.dtype) for number in (epoch, epochs * real, real))
        yield order, weight, loop.Clock(np.int32(epoch * real), *numbers)


def batch_of(recipe: Recipe, replicate: Replicate) -> int:
    """How many rows a step takes: the batch size, or all rows."""
    rows = replicate.train.X.shape[0]
    return min(recipe.batch_size or rows, rows)


def _trained(
    stacked: Recipe, states: Any, measured: list[Any], replicate: Replicate, epochs: int, members: int
) -> Trained:
    params = loop.finish(stacked, states)
    look = stream.scored if replicate.streamed else score
    with precision(stacked.dtype):  # in full products, as the trained model will predict
        scored = [
            None if rows is None else tuple(np.asarray(part)[:members] for part in look(stacked, params, rows))
            for rows in (replicate.validation, replicate.test)
        ]
    done = np.asarray(states.epochs)[:members]
    diverged = np.asarray(states.diverged)[:members]
    alive = np.asarray(states.alive)[:members]
    status = np.where(diverged > 0, "diverged", np.where(alive | (done == epochs), "finished", "stopped"))
    curves = {}
    for name in loop.Measured._fields:
        curve = np.full((members, epochs), np.nan, np.float64)
        for epoch, seen in enumerate(measured):
            curve[:, epoch] = np.where(epoch < done, getattr(seen, name)[:members], np.nan)
        curves[name] = curve
    return Trained(
        params=jax.tree.map(lambda leaf: np.asarray(leaf)[:members], params),
        status=status,
        step=np.where(diverged > 0, diverged, done * -(-replicate.rows // batch_of(stacked, replicate))),
        epochs=done,
        curves=curves,
        validation=scored[0],  # type: ignore[arg-type]
        test=scored[1],  # type: ignore[arg-type]
    )


_started: set[Any] = set()
_locks: dict[Any, threading.Lock] = {}
_guard = threading.Lock()


@contextlib.contextmanager
def _first_alone(program: Any) -> Iterator[None]:
    """The first call of a program compiles it; other threads that need the same one wait instead of compiling too."""
    if program in _started:
        yield
        return
    with _guard:
        lock = _locks.setdefault(program, threading.Lock())
    with lock:
        yield
        _started.add(program)
