"""Initial weights that somebody already has."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.hyper import part
from steepest.core.spec import refuse, spec
from steepest.inits.contract import Array, Init, Tree


@spec
class Given(Init):
    """The weights given, biases included: a tree of arrays like the model's params, e.g. {"W": [out, in], "b": [out]}.

    The arrays are leaves, so recipes that start at different points train in one program (a descent from many points).

    **Raises** SettingError for weights that are not finite numbers, and (when a model uses them) for weights that are
    missing, too many or of another shape, each by name.

    >>> Given({"W": np.ones((2, 3))}).tree({"W": jnp.zeros((3, 2))})
    Traceback (most recent call last):
    steepest.core.errors.SettingError: Given: W is 2×3, and the model's is 3×2
    """

    values: Any = part()

    equation = "w = the values given"

    def __post_init__(self) -> None:
        for name, leaf in _named(self.values).items():
            array = np.asarray(leaf)
            if array.dtype.kind not in "fiub":
                raise refuse(self, f"{name} is of type {array.dtype}; weights are real numbers")
            if not np.isfinite(array).all():
                raise refuse(self, f"{name} holds NaN or infinity; weights must be finite")

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        """Zeros, to be replaced by `tree`."""
        del key, fan_in, fan_out
        return jnp.zeros(shape, dtype)

    def tree(self, params: Tree) -> Tree:
        have, want = _named(self.values), _named(params)
        for name in [*want, *have]:
            if name not in have:
                raise refuse(self, f"no weights for {name}; the model has {', '.join(want)}")
            if name not in want:
                raise refuse(self, f"weights for {name}, which the model lacks; it has {', '.join(want)}")
            if np.shape(have[name]) != np.shape(want[name]):
                raise refuse(self, f"{name} is {_size(have[name])}, and the model's is {_size(want[name])}")
        leaves, treedef = jax.tree.flatten(params)
        return jax.tree.unflatten(treedef, [jnp.asarray(have[n], leaf.dtype) for n, leaf in zip(want, leaves)])


def _named(tree: Tree) -> dict[str, Any]:
    """Leaves by their path: {"layer1.W": …}; a lone array is "weights"."""
    named = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator=".") or "weights": leaf for path, leaf in named}


def _size(leaf: Any) -> str:
    return "×".join(map(str, np.shape(leaf))) or "a single number"
