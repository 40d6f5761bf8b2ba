"""The one training loop: a step of one member, and an epoch of a population.

`step` reads like the textbook and sees one member; `vmap` over members inside `scan` over batches makes it a
population. Rows are shared by all members. A member whose loss or weights would become NaN or inf keeps its last
finite state (`unharmed`); the others never notice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from steepest.models.passes import with_running
from steepest.schedules.contract import Moment
from steepest.stops.contract import Seen
from steepest.techniques.contract import Facts
from steepest.train.objective import objective
from steepest.train.recipe import Recipe
from steepest.train.scoring import evaluate_all
from steepest.train.state import BAGS, OWN, Array, Rows, State, Tree, current, final, start


class Clock(NamedTuple):
    """Where a population stands at the beginning of an epoch; in numbers of the recipe's dtype, but for the first."""

    steps: Array  # steps made, int32: a float32 counts to 2²⁴
    epoch: Array  # epochs done
    total: Array  # steps planned
    steps_per_epoch: Array


class Chance(NamedTuple):
    """What techniques draw from and know: a key that all members share, and facts about the training rows."""

    key: Array
    facts: Facts | None  # None where no technique asks
    counts: Array | None = None  # how often each bag of an ensemble draws each row [bags, rows]


def step(recipe: Recipe, state: State, batch: Rows, moment: Moment, chance: Chance) -> tuple[State, Array]:
    """One update of one model: a member, or a bag of one."""
    method = recipe.schedule.apply(recipe.method, moment, state.schedule)
    point = method.look(state.params, state.memory)
    grads, (loss, running) = jax.grad(objective, has_aux=True)(
        point, recipe, state.running, batch, chance.key, chance.facts
    )
    grads = grads if recipe.clip is None else recipe.clip(grads)
    before = recipe.penalty.shrink(state.params, getattr(method, "rate", None))
    stepped, memory = method.step(grads, state.memory, before, moment.t)
    params = stepped
    if recipe.penalty.proximal:
        params = recipe.penalty.prox(params, method.stride(memory, moment.t))
    for technique in recipe.techniques:
        params = technique.after(params, recipe.model.fan_in(params, batch.X.shape[1:]))
    if params is not stepped:  # a prox or a projection moved them further
        memory = method.settle(memory, jax.tree.map(jnp.subtract, params, stepped))
    average = state.average
    if recipe.average is not None:
        average = recipe.average.update(average, with_running(params, running), moment.t, moment.total)
    return state._replace(params=params, running=running, memory=memory, average=average), loss


def bags_step(recipe: Recipe, state: State, batch: Rows, moment: Moment, chance: Chance) -> tuple[State, Array]:
    """One update of a member that is an ensemble: each bag's own `step`, rows weighted by how often it drew them."""

    def one(state: State, weight: Array, bag: Array) -> tuple[State, Array]:
        own = chance._replace(key=jax.random.fold_in(chance.key, bag))
        moved, loss = step(recipe, state, batch._replace(weight=weight), moment, own)
        kept = _chosen(jnp.sum(weight) > 0, moved, state)
        return state._replace(**{name: getattr(kept, name) for name in OWN}), loss

    weights = batch.weight * chance.counts
    bags = jnp.arange(len(weights))
    state, losses = jax.vmap(one, in_axes=(BAGS, 0, 0), out_axes=(BAGS, 0))(state, weights, bags)
    if recipe.reduction == "sum":
        return state, jnp.mean(losses)
    share = jnp.sum(weights, axis=1)
    return state, jnp.sum(share * losses) / jnp.maximum(jnp.sum(share), jnp.finfo(recipe.dtype).tiny)


def _sound(state: State, loss: Array) -> Array:
    """Whether a step gave numbers; an infinite memory counts, for it would stop AdaGrad for good, unseen."""
    return jnp.isfinite(loss) & all_finite((state.params, state.running, state.memory))


def _chosen(which: Array, new: State, old: State) -> State:
    """The new state of one member or its old one; by where, not by multiplication with a mask: 0·NaN is NaN."""
    return jax.tree.map(lambda n, o: jnp.where(which, n, o), new, old)


def all_finite(tree: Tree) -> Array:
    """Whether every number of a tree is finite; counters, which cannot be anything else, are passed over."""
    # a product with zeros, which is 0 or NaN: one pass over the weights, where all(isfinite) takes three on the CPU
    products = [
        jnp.ravel(leaf) @ jnp.zeros(leaf.size, leaf.dtype)
        for leaf in jax.tree.leaves(tree)
        if jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    return sum(products) == 0


class Measured(NamedTuple):
    """What an epoch is recorded by, one number a member."""

    train_loss: Array
    validation_loss: Array
    validation_accuracy: Array


@partial(jax.jit, donate_argnums=(1,))
def epoch(
    recipes: Recipe,
    states: State,
    train: Rows,
    order: Array,
    weight: Array,
    validation: Rows | None,
    clock: Clock,
    chance: Chance,
) -> tuple[State, Measured]:
    """One epoch of a population: batches of rows `order` [steps, batch] with `weight` [steps, batch]."""
    states, losses = unharmed(recipes, states, train, order, weight, clock, chance)
    seen = None if validation is None else evaluate_all(recipes, now(recipes, states), validation)
    return close(recipes, states, losses, weight, seen, clock)


def now(recipes: Recipe, states: State) -> Tree:
    """The weights each member would report now."""
    return jax.vmap(current)(recipes, states)


def close(
    recipes: Recipe, states: State, losses: Array, weight: Array, seen: tuple[Array, Array] | None, clock: Clock
) -> tuple[State, Measured]:
    """The end of an epoch whose steps had `losses` [steps, members]; `seen`: loss and accuracy of validation rows."""
    share = jnp.sum(weight, axis=1) if recipes.reduction == "mean" else (jnp.sum(weight, axis=1) > 0)
    train_loss = jnp.sum(jnp.where(share[:, None] > 0, share[:, None] * losses, 0), axis=0) / jnp.sum(share)
    axes = (0, 0, 0, None if seen is None else 0, None)
    return jax.vmap(_close_epoch, in_axes=axes)(recipes, states, train_loss, seen, clock)


def unharmed(
    recipes: Recipe, states: State, train: Rows, order: Array, weight: Array, clock: Clock, chance: Chance
) -> tuple[State, Array]:
    """The states after an epoch's steps and its losses [steps, members]; a member that diverges keeps its last numbers.

    To look at the new weights before they replace the old ones would cost every step another pass over all weights.
    So a member diverges first, and where one did, the epoch is run again with each of those stopped before that step.
    """

    def attempt(carry: tuple[State, State, Array, Array]) -> tuple[State, State, Array, Array]:
        begun = carry[0]
        (after, _), losses = jax.lax.scan(batch_step, (begun, clock.steps), (order, weight))
        again = jnp.any(after.diverged != begun.diverged)
        return begun._replace(diverged=after.diverged), after, losses, again

    def batch_step(carry: tuple[State, Array], chosen: tuple[Array, Array]) -> tuple[tuple[State, Array], Array]:
        states, done = carry
        index, row_weight = chosen
        batch = Rows(train.X[index], train.y[index], row_weight)
        heavy = jnp.sum(row_weight) > 0
        acts = heavy & states.alive & ((states.diverged == 0) | (done + 1 < states.diverged))
        moment = Moment((done + 1).astype(recipes.dtype), clock.epoch, clock.total, clock.steps_per_epoch)
        counts = None if chance.counts is None else chance.counts[:, index]
        here = chance._replace(key=jax.random.fold_in(chance.key, done + 1), counts=counts)
        one = step if counts is None else bags_step
        moved, losses = _members(one, len(states.alive))(recipes, states, batch, moment, here)
        states = jax.vmap(_chosen)(acts, moved, states)
        diverged = jnp.where(acts & ~jax.vmap(_sound)(states, losses), done + 1, states.diverged)
        return (states._replace(diverged=diverged), done + heavy), losses

    losses = jnp.zeros((len(order), len(states.alive)), recipes.dtype)
    first = (states, states, losses, jnp.array(True))
    _, after, losses, _ = jax.lax.while_loop(lambda carry: carry[3], attempt, first)
    return after._replace(alive=after.alive & (after.diverged == 0)), losses


def _members(one: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A member's step as that of `count` members, who share all but recipe and state.

    A lone member goes without `vmap`: as batches of one, its products cost a CNN a third of its speed.
    """
    if count > 1:
        return jax.vmap(one, in_axes=(0, 0, None, None, None))

    def alone(recipes: Recipe, states: State, *shared: Any) -> Any:
        recipe, state = jax.tree.map(lambda leaf: leaf[0], (recipes, states))
        return jax.tree.map(lambda leaf: leaf[None], one(recipe, state, *shared))

    return alone


def _close_epoch(
    recipe: Recipe, state: State, train_loss: Array, watched: tuple[Array, Array] | None, clock: Clock
) -> tuple[State, Measured]:
    """What one member does at an epoch's end: tell schedule and stopping rule how the validation rows fared."""
    nothing = jnp.full((), jnp.nan, train_loss.dtype)
    loss, accuracy = (nothing, nothing) if watched is None else watched
    schedule = recipe.schedule.observe(state.schedule, train_loss if watched is None else loss)
    stop, done, best = state.stop, jnp.array(False), state.best
    if recipe.stop is not None:
        seen = Seen(clock.epoch + 1, train_loss, loss, accuracy)
        stop, done, better = recipe.stop.observe(stop, seen)
        if recipe.stop.keeps_best:
            best = jax.tree.map(lambda n, o: jnp.where(better & state.alive, n, o), current(recipe, state), best)
    keep = state.alive
    schedule, stop = jax.tree.map(lambda n, o: jnp.where(keep, n, o), (schedule, stop), (state.schedule, state.stop))
    epochs = state.epochs + keep
    new = state._replace(schedule=schedule, stop=stop, best=best, epochs=epochs, alive=keep & ~done)
    return new, Measured(train_loss, loss, accuracy)


@partial(jax.jit, static_argnums=(2, 3))
def begin(recipes: Recipe, key: Array, shape: tuple[int, ...], outputs: int) -> State:
    """A population before its first step; all members draw from the same key."""
    return jax.vmap(lambda recipe: start(recipe, key, shape, outputs))(recipes)


@jax.jit
def finish(recipes: Recipe, states: State) -> Tree:
    """The weights each member reports."""
    return jax.vmap(final)(recipes, states)
