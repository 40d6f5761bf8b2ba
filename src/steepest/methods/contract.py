"""What a method is: four pure functions on one member's weights. No method ever sees the member axis.

    memory         = method.start(params)
    point          = method.look(params, memory)              where the gradient is taken
    params, memory = method.step(grads, memory, params, t)    t = 1, 2, …
    stride         = method.stride(memory, t)                 the step a proximal penalty needs, per weight
    memory         = method.settle(memory, shift)             told what a prox or projection moved beyond the step

A `LeafMethod` writes the same for a single weight array and nothing more.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from steepest.core.errors import SettingError

Array = Any
Tree = Any


class Method:
    """The contract of an optimization method. Subclasses are `@spec` classes."""

    equation: ClassVar[str] = ""  # one line, shown by `steepest methods`
    paper: ClassVar[str] = ""
    contains: ClassVar[tuple[str, ...]] = ()  # methods this one becomes for some setting: they cannot beat it honestly
    has_stride: ClassVar[bool] = True
    decays: ClassVar[bool] = False  # has decoupled weight decay of its own
    full_batch: ClassVar[bool] = False  # whether it is meant to see all rows at every step

    def start(self, params: Tree) -> Tree:
        """The memory before the first step."""
        raise NotImplementedError

    def step(self, grads: Tree, memory: Tree, params: Tree, t: Array) -> tuple[Tree, Tree]:
        """One update: new weights and new memory. `t` counts from 1."""
        raise NotImplementedError

    def look(self, params: Tree, memory: Tree) -> Tree:
        """The point at which the gradient is taken."""
        del memory
        return params

    def stride(self, memory: Tree, t: Array) -> Tree:
        """The steady-state step per unit of constant gradient, for each weight (a tree like params, or of scalars)."""
        raise SettingError(f"{type(self).__name__} has no stride, so no proximal penalty can act with it")

    def settle(self, memory: Tree, shift: Tree) -> Tree:
        """The memory after something outside the method (a prox) moved the weights by `shift`."""
        del shift
        return memory


class LeafMethod(Method):
    """A method that treats every weight array by itself: memory is a list, one entry a leaf of params."""

    def start_leaf(self, p: Array) -> Tree:
        """The memory of one weight array."""
        del p
        return ()

    def step_leaf(self, g: Array, m: Tree, p: Array, t: Array) -> tuple[Array, Tree]:
        """New weights and memory of one weight array."""
        raise NotImplementedError

    def look_leaf(self, p: Array, m: Tree) -> Array:
        """Where the gradient of one weight array is taken."""
        del m
        return p

    def stride_leaf(self, m: Tree, t: Array) -> Array:
        """The stride of one weight array: a scalar or an array of its shape."""
        return Method.stride(self, m, t)

    def settle_leaf(self, m: Tree, shift: Array) -> Tree:
        """The memory of one weight array after an outside move by `shift`."""
        del shift
        return m

    def start(self, params: Tree) -> list[Tree]:
        return [self.start_leaf(p) for p in jax.tree.leaves(params)]

    def step(self, grads: Tree, memory: list[Tree], params: Tree, t: Array) -> tuple[Tree, list[Tree]]:
        leaves, treedef = jax.tree.flatten(params)
        moved = [self.step_leaf(g, m, p, t) for g, m, p in zip(jax.tree.leaves(grads), memory, leaves)]
        return jax.tree.unflatten(treedef, [p for p, _ in moved]), [m for _, m in moved]

    def look(self, params: Tree, memory: list[Tree]) -> Tree:
        leaves, treedef = jax.tree.flatten(params)
        return jax.tree.unflatten(treedef, [self.look_leaf(p, m) for p, m in zip(leaves, memory)])

    def stride(self, memory: list[Tree], t: Array) -> Any:
        """One stride a weight array, in the order of `jax.tree.leaves(params)`."""
        return [self.stride_leaf(m, t) for m in memory]

    def settle(self, memory: list[Tree], shift: Tree) -> list[Tree]:
        return [self.settle_leaf(m, s) for m, s in zip(memory, jax.tree.leaves(shift))]


def zeros(p: Array) -> Array:
    """A buffer of zeros like the weights."""
    return jnp.zeros_like(p)
