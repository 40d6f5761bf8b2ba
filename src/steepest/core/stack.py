"""Stacking: recipes of one structure become one recipe whose every leaf has a member axis in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import jax
import numpy as np

T = TypeVar("T")


def structure(tree: object) -> object:
    """What decides which recipes train together: the tree's structure and the shapes of its array leaves. Hashable."""
    leaves, treedef = jax.tree.flatten(tree)
    return treedef, tuple(np.shape(leaf) for leaf in leaves)


def stack(trees: Sequence[T], dtype: np.dtype | str = "float32") -> T:
    """Stack trees of one structure along a new first axis; numbers become arrays [len(trees)] of `dtype`.

    Raises ValueError where structures differ (the caller splits by `structure` first).
    """
    columns = [jax.tree.leaves(tree) for tree in trees]
    treedef = jax.tree.structure(trees[0])
    if any(structure(tree) != structure(trees[0]) for tree in trees[1:]):
        raise ValueError("only trees of one structure can be stacked")
    return jax.tree.unflatten(treedef, [np.asarray(column, dtype=dtype) for column in zip(*columns)])


def member(tree: T, index: int) -> T:
    """One member of a stacked tree."""
    return jax.tree.map(lambda leaf: leaf[index], tree)
