"""Weights of a user's own model by names, as nested dicts: whatever tree they come in, penalties, techniques and model
files find them as they find those of other models.

An array of two or more axes is a weight, unless it is called `bias` or `scale` or belongs to a normalisation: it gets
`W` as its last name, which is what penalties act on. All other arrays keep their name, and are spared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from steepest.core.errors import SettingError

Tree = Any
Names = tuple[str, ...]  # of one array, outermost first

SPARED = ("b", "bias", "scale", "shift")
# An entry without arrays: how many scores the weights were made for. A model needs to know to build itself again, and
# plain dicts get through files, averages and gradients unharmed.
MADE_FOR = "(outputs)"


def names_of(weights: Tree, spared: Sequence[Any] = ()) -> tuple[Names, ...]:
    """The names of each array, in the order of jax.tree.leaves; `spared` are paths below which nothing is a weight.

    >>> names_of({"layers": [{"weight": np.ones((3, 2)), "bias": np.ones(3)}], "W": np.ones((1, 3))})
    (('W',), ('layers', '0', 'bias'), ('layers', '0', 'weight', 'W'))
    """
    found = []
    for path, leaf in jax.tree_util.tree_flatten_with_path(weights)[0]:
        names = tuple(jax.tree_util.keystr((key,), simple=True) for key in path) or ("weights",)
        below = any(path[: len(start)] == start for start in spared)
        weight = np.ndim(leaf) >= 2 and names[-1] not in SPARED and not below
        found.append((*names, "W") if weight and names[-1] != "W" else names)
    files = ["/".join(names) for names in found]  # as files call them
    for name in files:
        if files.count(name) > 1 or any(other.startswith(f"{name}/") for other in files):
            raise SettingError(f"two of its weights are called {name}; name them differently")
    return tuple(found)


def nested(names: Sequence[Names], leaves: Sequence[Any], outputs: int) -> dict[str, Any]:
    """Arrays as nested dicts by their names, with the number of scores they were made for."""
    made: dict[str, Any] = {MADE_FOR: {str(outputs): {}}}
    for path, leaf in zip(names, leaves):
        inner = made
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = leaf
    return made


def picked(params: dict[str, Any], names: Sequence[Names]) -> list[Any]:
    """The arrays back, in the order of their names."""
    found = []
    for path in names:
        inner: Any = params
        for name in path:
            inner = inner[name]
        found.append(inner)
    return found


def made_for(params: dict[str, Any]) -> int:
    """How many scores weights were made for."""
    if MADE_FOR not in params:
        raise SettingError("weights of a user's own model come from its `init`, a training or a model file")
    return int(next(iter(params[MADE_FOR])))
