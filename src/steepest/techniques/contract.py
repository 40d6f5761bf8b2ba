"""What a technique is: a place or several in one training step, each of which does nothing by default.

    X, y    = technique.rows(X, y, key, facts)       what the model is shown in place of a batch's rows
    params  = technique.weights(params, key)         the weights at which the gradient is taken
    h       = technique.hidden(h, key, layer)        what the next layer sees of hidden layer 1, 2, …
    losses  = technique.losses(losses_of, losses)    each row's loss, given the loss at any labels
    extra   = technique.extra(view)                  a number a row, added to its loss
    params  = technique.after(params)                the weights after the step

A technique sees one member; its strengths are hyperparameters. Keys are the same for all members of a replicate, so
members draw alike, and differ from step to step. Rows without weight may hold anything and count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

Array = Any
Tree = Any


class Facts(NamedTuple):
    """What a technique may know of the training rows as a whole."""

    classes: Array  # how many
    low: Array  # the least of each feature over the training rows, in a row's shape
    high: Array


class View(NamedTuple):
    """A batch as the model was shown it, for techniques that look at the scores as a function of the rows."""

    X: Array  # [rows, …]
    y: Array  # [rows]
    weight: Array  # [rows]
    scores: Callable[[Array], Array]  # X → [rows, outputs], with this step's draws of hidden units
    losses: Callable[[Array], Array]  # X → [rows], at y
    now: Array  # losses(X), made already
    hidden: tuple[Array, ...]  # what each hidden layer gave out for X, before any technique changed it
    key: Array
    facts: Facts


class Technique:
    """The contract of a technique. Subclasses are `@spec` classes; the defaults here do nothing."""

    equation: ClassVar[str] = ""  # one line, shown by `steepest methods`
    paper: ClassVar[str] = ""
    needs_images: ClassVar[bool] = False  # rows [H, W] or [H, W, channels]
    needs_hidden: ClassVar[bool] = False  # a model with hidden layers

    def rows(self, X: Array, y: Array, key: Array, facts: Facts) -> tuple[Array, Array]:
        """Rows [rows, …] and labels [rows] in place of a batch's own."""
        del key, facts
        return X, y

    def weights(self, params: Tree, key: Array) -> Tree:
        """The weights at which the gradient is taken."""
        del key
        return params

    def hidden(self, h: Array, key: Array, layer: int) -> Array:
        """What is passed on of the hidden units h [rows, …] of layer 1, 2, …"""
        del key, layer
        return h

    def losses(self, losses_of: Callable[[Array], Array], losses: Array, facts: Facts) -> Array:
        """Each row's loss [rows]; losses_of(y) is what it would be at other labels."""
        del losses_of, facts
        return losses

    def extra(self, view: View) -> Array | None:
        """A number a row [rows] to add to its loss; None for nothing."""
        del view
        return None

    def after(self, params: Tree) -> Tree:
        """The weights that a step ends with."""
        return params
