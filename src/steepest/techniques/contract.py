"""What a technique is: a place or several in one training step, each of which does nothing by default.

    X, y    = technique.rows(X, y, key, facts)             what the model is shown in place of a batch's rows
    params  = technique.weights(params, key)               the weights at which the gradient is taken
    h       = technique.hidden(h, key, layer)              what the next layer sees of hidden layer 1, 2, …
    losses  = technique.losses(losses_of, losses, facts)   each row's loss, given the loss at any labels
    extra   = technique.extra(view)                        a number a row, added to its loss
    params  = technique.after(params, fan_in)              the weights after the step

A technique sees one member; its strengths are hyperparameters. Keys are the same for all members of a replicate, so
members draw alike, and differ from step to step. Rows without weight may hold anything and count for nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import jax

from steepest.core.spec import refuse

Array = Any
Tree = Any
FanIn = Mapping[str, tuple[int, ...] | None]
OURS: FanIn = MappingProxyType({})  # every weight is [out, …]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Facts:
    """What a technique may know of the training rows as a whole."""

    # what each feature can be, in a row's shape: black and white, or the least and most of training (train/limits.py)
    low: Array | None  # None where no technique has `needs_limits`: to know them may take a pass over all rows
    high: Array | None
    # how many; a plain number, so that a technique can go through the classes, and 0 for a regression
    classes: int = dataclasses.field(metadata={"static": True})
    # what standardisation took away and divided by, in a row's shape: x·scale + center is the row as it came
    center: Array = 0.0
    scale: Array = 1.0


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
    needs_classes: ClassVar[bool] = False  # labels that are classes, not the numbers of a regression
    needs_tasks: ClassVar[bool] = False  # several label columns
    needs_units: ClassVar[bool] = False  # to know which axes of a weight belong to one unit
    needs_forward: ClassVar[bool] = False  # a model that JAX can differentiate forwards, by `jax.jvp`
    needs_limits: ClassVar[bool] = False  # `facts.low` and `facts.high`
    at_prediction: ClassVar[bool] = False  # Monte Carlo prediction draws `rows` and `hidden` as training does

    @property
    def idle(self) -> tuple[str, ...]:
        """Hyperparameters that do nothing under these settings, and so are not searched."""
        return ()

    @property
    def passes(self) -> float:
        """What it adds to a step, in passes of the batch through the model (a plain step makes 3); to estimate time."""
        return 0.0

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

    def after(self, params: Tree, fan_in: FanIn = OURS) -> Tree:
        """The weights that a step ends with; the method hears how far that is from those it gave (its `settle`).
        `fan_in`: the axes of weights by name that a unit takes in, where they are not all but the first."""
        del fan_in
        return params


def at_layers(layers: tuple[int, ...] | None, layer: int) -> bool:
    """Whether a technique with the setting `layers` (None: all) acts on hidden layer 1, 2, …"""
    return layers is None or layer in layers


def check_layers(technique: Any) -> None:
    """Refuse a setting `layers` that is not None, a whole number of at least 1, or several; kept as a sorted tuple."""
    layers = technique.layers
    if layers is None:
        return
    given = (layers,) if isinstance(layers, int) else tuple(layers)
    if not given or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in given):
        raise refuse(technique, f"layers = {layers!r}; it must be whole numbers of at least 1, or None for all")
    object.__setattr__(technique, "layers", tuple(sorted(set(given))))  # a list would not hash


def change_weights(params: Tree, change: Callable[[Array, str], Array]) -> Tree:
    """Params with change(W, name) in place of every array under the key `W`; biases and norm parameters are spared."""

    def one(path: tuple[Any, ...], leaf: Array) -> Array:
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        return change(leaf, name) if name.rpartition("/")[2] == "W" else leaf

    return jax.tree_util.tree_map_with_path(one, params)
