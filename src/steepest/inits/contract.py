"""What an init is: the weights of one layer from a key and the layer's sizes; and a last word on the whole tree."""

from __future__ import annotations

from typing import Any, ClassVar

Array = Any
Tree = Any


class Init:
    """The contract of an initialisation. Subclasses are `@spec` classes."""

    equation: ClassVar[str] = ""  # one line, shown by `steepest methods`
    paper: ClassVar[str] = ""

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        """Weights of one layer: `shape`, with fan_in inputs to each output and fan_out outputs of each input."""
        raise NotImplementedError

    def tree(self, params: Tree) -> Tree:
        """All initial weights, given those made layer by layer with zero biases."""
        return params
