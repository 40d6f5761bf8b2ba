"""What a penalty is: three functions on one member's weights, so that nothing is counted twice.

    objective = loss + penalty.smooth(params)          the part that acts through the gradient
    params    = penalty.shrink(params, rate)           before the method's step: decoupled decay (only WeightDecay)
    params    = penalty.prox(params, strides)          after it: the part that has no gradient (only proximal L1)
    reported  = penalty.value(params)                  all of it, once

By default a penalty acts on weights only: arrays whose last key in the tree of weights is `W`. Biases (`b`) and norm
parameters are spared; `on="all"` takes them too, as scikit-learn's liblinear and PyTorch's weight_decay do.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

Array = Any
Tree = Any

TARGETS = ("weights", "all")


class Penalty:
    """The contract of a penalty. Subclasses are `@spec` classes; the defaults here do nothing."""

    equation: ClassVar[str] = ""  # one line, shown by `steepest methods`
    paper: ClassVar[str] = ""
    decoupled: ClassVar[bool] = False  # acts by `shrink`

    @property
    def proximal(self) -> bool:
        """Whether `prox` does anything, and so needs a method with a stride. Decided by structure, never by a value."""
        return False

    def value(self, params: Tree) -> Array:
        """The whole penalty, for reports."""
        return self.smooth(params)

    def smooth(self, params: Tree) -> Array:
        """The part that goes into the objective and acts through its gradient."""
        return nothing(params)

    def shrink(self, params: Tree, rate: Array) -> Tree:
        """The weights after decay that is decoupled from the gradient, taken before a step of learning rate `rate`."""
        del rate
        return params

    def prox(self, params: Tree, strides: list[Array]) -> Tree:
        """The weights that minimise ½(w − params)²/stride + the part that is not smooth; strides as jax.tree.leaves."""
        del strides
        return params


def acted_on(params: Tree, on: str) -> list[bool]:
    """For each leaf of params, in the order of jax.tree.leaves, whether a penalty acts on it.

    >>> acted_on({"W": 1.0, "b": 2.0}, "weights"), acted_on({"W": 1.0, "b": 2.0}, "all")
    ([True, False], [True, True])
    """
    paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(params)[0]]
    return [on == "all" or (bool(path) and _last_name(path) == "W") for path in paths]


def _last_name(path: tuple[Any, ...]) -> Any:
    return getattr(path[-1], "key", getattr(path[-1], "name", None))


def chosen(params: Tree, on: str) -> list[Array]:
    """The leaves that a penalty acts on."""
    return [leaf for leaf, yes in zip(jax.tree.leaves(params), acted_on(params, on)) if yes]


def change(params: Tree, on: str, how: Any, *columns: list[Array]) -> Tree:
    """Params with `how(leaf, entry of each column)` in place of each leaf that a penalty acts on."""
    leaves, treedef = jax.tree.flatten(params)
    rows = zip(leaves, acted_on(params, on), *columns)
    return jax.tree.unflatten(treedef, [how(leaf, *more) if yes else leaf for leaf, yes, *more in rows])


def nothing(params: Tree) -> Array:
    """Zero in the dtype of the weights."""
    return jnp.zeros((), jnp.result_type(*jax.tree.leaves(params)))
