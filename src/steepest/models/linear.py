"""The linear model."""

from __future__ import annotations

from typing import Any

from steepest.core.spec import spec
from steepest.models.contract import Array, Model, Tree, dense, features, flat, times
from steepest.models.passes import PREDICT, Predict


@spec
class Linear(Model):
    """Linear scores: s = W·x + b.  (Softmax or logistic regression, a linear SVM, ridge or lasso by its loss)

    **Shapes**: params {"W": [outputs, features], "b": [outputs]}; rows [rows, …] are flattened → [rows, outputs].
    **Settings**: bias=False leaves `b` out. A column of ones in the data (the "bias trick") gives the same
    model, but then a penalty acts on the bias too, since it is a column of `W`.

    >>> import jax.numpy as jnp
    >>> Linear().apply({"W": jnp.array([[1.0, 2.0]]), "b": jnp.array([0.5])}, jnp.array([[3.0, 4.0]])).tolist()
    [[11.5]]
    """

    bias: bool = True

    equation = "s = W·x + b"
    rounds = True
    starts = "zeros"  # a convex loss needs no chance

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        return init.tree(dense(key, "output", (features(shape), outputs), init, dtype, self.bias))

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        del how  # nothing is hidden
        return times(params["W"], flat(rows), params["b"] if self.bias else None)

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return [features(shape), outputs]
