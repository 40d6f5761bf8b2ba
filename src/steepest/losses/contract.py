"""What a loss is: scores of a model and the rows' classes in, one number per row out.

Labels are class numbers 0 … classes − 1. A loss says how many scores a model must give (`outputs`), and turns scores
into labels and probabilities, so that nothing else needs to know which loss trained a model.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from steepest.core.errors import SettingError
from steepest.core.spec import refuse

Array = Any


class Loss:
    """The contract of a loss. Subclasses are `@spec` classes."""

    equation: ClassVar[str] = ""  # one line, shown by `steepest methods`
    paper: ClassVar[str] = ""
    regression: ClassVar[bool] = False  # y is a number, not a class
    probabilistic: ClassVar[bool] = True  # whether `probabilities` can be asked for

    def outputs(self, classes: int) -> int:
        """How many scores the model must give for a row."""
        return at_least_two(self, classes)

    def rows(self, scores: Array, y: Array) -> Array:
        """The loss of each row: scores [rows, outputs], y [rows] → [rows]."""
        raise NotImplementedError

    def own(self, y: Array) -> Array:
        """The labels it is about: of several tasks [rows, tasks] the first one's."""
        return y[..., 0] if y.ndim > 1 and not self.regression else y

    def reported(self, scores: Array, y: Array) -> Array:
        """The loss of each row that is reported and stopped by, where that is not the one trained by."""
        return self.rows(scores, y)

    def labels(self, scores: Array) -> Array:
        """The class number of each row; a tie goes to the lower number."""
        return jnp.argmax(scores, axis=-1)

    def right(self, scores: Array, y: Array) -> Array:
        """Whether each row is right, 0 … 1."""
        return self.labels(scores) == y

    def average(self, scores: Array, share: Array) -> Array:
        """The scores [rows, outputs] of an ensemble, of scores [members, rows, outputs] and shares [members, rows].

        A row's shares sum to 1. Where scores stand for probabilities, those are averaged.
        """
        return jnp.sum(share[..., None] * scores, axis=0)

    def voted(self, shares: Array) -> Array:
        """Scores that stand for shares of votes: [rows, classes] → [rows, outputs]."""
        return shares

    def probabilities(self, scores: Array) -> Array:
        """How probable each class is: [rows, classes], rows sum to 1."""
        del scores
        raise refuse(self, "gives scores, not probabilities; train with cross-entropy or one-vs-rest to get them")


def at_least_two(loss: Loss, classes: int) -> int:
    """The number of classes, refused below two."""
    if classes < 2:
        raise SettingError(f"{type(loss).__name__}: {classes} class; a classifier needs at least 2")
    return classes


def hot(scores: Array, y: Array) -> Array:
    """Whether each score is that of the row's own class: [rows, outputs]."""
    # a mask, not a gather: the gradient of a gather is a scatter, slow under vmap
    return jnp.arange(scores.shape[-1]) == y[..., None]
