"""Blocks: which recipes train as one program, how wide it is, and how much memory it may take.

A block's width is fixed by structure and data shape alone. It is part of the compiled program, and so of the last bits
of a result: were it to depend on how many recipes there are, a member's result would depend on its company.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from steepest.core.stack import structure
from steepest.models.text import parameters
from steepest.train import device
from steepest.train.cache import precision
from steepest.train.recipe import Recipe
from steepest.train.scoring import copies
from steepest.train.state import start

# Measured on two cores, microseconds a member and step (width 8, 16, 32): 64×10 softmax 3.4, 3.4, 3.0; 3072×3 softmax
# 35, 23, 20; 64-128-10 Adam 47, 47, 48; 2×2 softmax, 100 rows (16, 32, 64): 0.9, 0.45, 0.35. Few outputs need many
# members to fill the product; many weights leave the processor's cache.
WIDTHS = (1, 2, 4, 8, 16, 32, 64)
PRODUCT_ROWS = 96  # outputs of the first product, all members together, at which it runs at full speed
CACHE_BYTES = 4 << 20  # weights of a block beyond which a wider one gains nothing


@dataclass(frozen=True)
class Block:
    """Recipes (by their place in the study) that train together, padded to `width`."""

    members: tuple[int, ...]
    width: int
    narrowed: bool = False  # narrower than `exact` wants, for want of memory: results are the same to rounding only


def width_of(recipe: Recipe, shape: tuple[int, ...], outputs: int) -> int:
    """The width of blocks of this structure on rows of this shape: the least that is nearly as fast as wider ones.

    Not wider than that, for a lone recipe pays for the whole block.
    """
    sizes = recipe.model.sizes(shape, outputs)
    models = [w * copies(recipe) for w in WIDTHS]
    wanted = next((w for w, n in zip(WIDTHS, models) if n >= 16 and n * sizes[1] >= PRODUCT_ROWS), WIDTHS[-1])
    return min(wanted, widest(recipe, shape, outputs))


def widest(recipe: Recipe, shape: tuple[int, ...], outputs: int) -> int:
    """The width beyond which a block of this structure gains nothing."""
    if device.accelerated():
        return WIDTHS[-1]
    if _alone(recipe):
        return 1
    weights = copies(recipe) * parameters(recipe.model, shape, outputs) * np.dtype(recipe.dtype).itemsize
    return max((w for w in WIDTHS if w * weights <= CACHE_BYTES), default=1)


def _alone(recipe: Recipe) -> bool:
    """Whether members gain nothing from company; what a lone one then pays for the block's others is lost.

    Convolutions fill the processor alone: digits, two of them, 0.6 ms of one core a member and step, 1 to 16 wide.
    """
    return not recipe.model.wide


def plan(
    recipes: Sequence[Recipe],
    shape: tuple[int, ...],
    outputs: Sequence[int],
    exact: bool,
    threads: int,
    most: Callable[[Recipe, int], int],
) -> list[Block]:
    """Blocks for recipes (already in their general structure): by structure, then by width.

    `exact`: blocks of the structure's own width. Else: as wide as gains anything, little padding, over all `threads`.
    `most(recipe, outputs)` bounds the width of its structure by memory, for either.
    """
    together: dict[object, list[int]] = {}
    for place, recipe in enumerate(recipes):
        together.setdefault((structure(recipe), outputs[place]), []).append(place)
    made: list[tuple[int, Block]] = []
    for places in together.values():
        one = recipes[places[0]], outputs[places[0]]
        natural, room = width_of(one[0], shape, one[1]), most(*one)
        if exact:
            width = min(natural, room)
        else:
            parts = max(-(-len(places) // widest(one[0], shape, one[1])), min(threads, len(places)))
            width = min(-(-len(places) // parts), room)
        starts = range(0, len(places), width)
        narrowed = exact and width < natural
        made += [(turn, Block(tuple(places[i : i + width]), width, narrowed)) for turn, i in enumerate(starts)]
    # structures take turns, so that threads compile different ones side by side instead of waiting for the same
    return [block for _, block in sorted(made, key=lambda entry: entry[0])]


def member_bytes(recipe: Recipe, shape: tuple[int, ...], outputs: int, rows: int) -> int:
    """About how many bytes one member takes while it trains: its state, gradients and copies, and activations."""
    with precision(recipe.dtype):
        state = jax.eval_shape(lambda: start(recipe, jax.random.key(0), shape, outputs))
    held = sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    numbers = copies(recipe) * rows * sum(recipe.model.sizes(shape, outputs)[1:])
    return 4 * held + 3 * numbers * np.dtype(recipe.dtype).itemsize


def members_that_fit(share: float, bytes_each: int, threads: int, beside: int = 0) -> int:
    """How many members a block may have so that all threads together ask for at most `share` of the free memory.

    `beside` are the bytes that lie in memory whatever the width: the rows of the replicates in use.
    """
    room = (device.free_bytes(device.memory()) * share - beside) / threads
    fit = int(room // max(bytes_each, 1))
    return max((w for w in WIDTHS if w <= fit), default=1)
