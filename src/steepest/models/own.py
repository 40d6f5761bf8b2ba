"""Users' own models: what the kinds of them share, and the plainest kind, a pair of functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from steepest.core.hyper import part
from steepest.core.spec import refuse, spec
from steepest.models.contract import Array, Model, Tree
from steepest.models.examined import examined, explained
from steepest.models.names import made_for, nested, picked
from steepest.models.passes import PREDICT, Predict
from steepest.models.source import Source


class Own(Model):
    """A model that somebody wrote as they like. A kind of it says how weights are made and scores are given.

    It is looked at once for each shape of rows (`examined`), before anything trains. Its weights become nested dicts
    of named arrays (`names`), and it draws them itself: a recipe's `init` has no say, but for `Given`.
    """

    source: Source | None  # the file it was read from; None for one made in Python, which is named when it is loaded
    draws: ClassVar[bool] = True
    keeps_running: ClassVar[bool] = False  # whether its weights may hold batch norm's running statistics

    def build(self, key: Array, shape: tuple[int, ...], outputs: int) -> tuple[Tree, Any]:
        """Weights as the user keeps them, a tree of arrays; and what else the model needs to give scores."""
        raise NotImplementedError

    def scores(self, weights: Tree, rest: Any, rows: Array, how: Predict) -> Array:
        """Scores of rows: [rows, …] → [rows, outputs]."""
        raise NotImplementedError

    def made_by(self) -> tuple[Callable[..., Any], ...]:
        """The user's own functions."""
        raise NotImplementedError

    def spared(self, weights: Tree) -> tuple[Any, ...]:
        """Paths in the tree of weights below which nothing is a weight to a penalty."""
        del weights
        return ()

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.source.written if self.source else ", ".join(map(called, self.made_by()))

    def __repr__(self) -> str:
        return self.source.text if self.source else f"{type(self).__name__}({self.label})"

    def __reduce__(self) -> Any:  # functions out of a user's file cannot be found again by their names
        return (_again, (self.source.text,)) if self.source else super().__reduce__()

    @property
    def files(self) -> tuple[str, ...]:
        """The files that its code is in, as tracebacks name them."""
        codes = (getattr(inspect.unwrap(function), "__code__", None) for function in self.made_by())
        return tuple(code.co_filename for code in codes if code) + ((self.source.place,) if self.source else ())

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        seen = examined(self, tuple(shape), outputs)
        leaves = jax.tree.leaves(self.build(key, shape, outputs)[0])
        return init.tree(nested(seen.names, [jnp.asarray(leaf, dtype) for leaf in leaves], outputs))

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        seen = examined(self, tuple(rows.shape[1:]), made_for(params))
        return self.scores(seen.treedef.unflatten(picked(params, seen.names)), seen.rest, rows, how)

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return list(examined(self, tuple(shape), outputs).sizes)

    def fan_in(self, params: Tree, shape: tuple[int, ...]) -> dict[str, tuple[int, ...] | None]:
        seen = examined(self, tuple(shape), made_for(params))
        return {"/".join(path): axes for path, axes in zip(seen.names, seen.fan_in)}


@spec
class Functions(Own):
    """A model of two functions: `init(key, shape, outputs)` makes weights, `apply(params, rows)` gives scores.

    **Shapes**: shape is a row's, (features,) or (H, W, C); params any tree of arrays of real numbers; rows [rows, …] →
    [rows, outputs]. `apply(params, rows, how)` is told how: h = how.hidden(h) for what each hidden layer gives out, so
    that dropout and others act there; how.norm(params, "norm1", h) for batch norm (`models/passes.py`).
    **Penalties** act on arrays of two or more axes that are not called bias or scale.
    **Raises** SettingError for what is no function; the rest is found when the model meets rows.

    >>> model = Functions(
    ...     lambda key, shape, outputs: {"W": jnp.ones((outputs, *shape)), "b": jnp.zeros(outputs)},
    ...     lambda params, rows: rows @ params["W"].T + params["b"],
    ... )
    >>> model.sizes((4,), 3)
    [4, 3]
    """

    begin: Any
    score: Any
    source: Source | None = None

    equation = "s = apply(params, rows)"
    keeps_running = True

    def __post_init__(self) -> None:
        for what, given in (("init(key, shape, outputs)", self.begin), ("apply(params, rows)", self.score)):
            if not callable(given):
                raise refuse(self, f"{given!r} is no function; it takes {what}")

    def made_by(self) -> tuple[Callable[..., Any], ...]:
        return self.begin, self.score

    def build(self, key: Array, shape: tuple[int, ...], outputs: int) -> tuple[Tree, Any]:
        return self.begin(key, shape, outputs), None

    def scores(self, weights: Tree, rest: Any, rows: Array, how: Predict) -> Array:
        return self.score(weights, rows, how) if takes(self.score, "how", place=2) else self.score(weights, rows)


@spec
class FromFile(Model):
    """A model of a user's own class (a `@spec` Model), with the file that it was read from."""

    model: Any = part()
    source: Source | None = None

    def __repr__(self) -> str:
        return self.source.text if self.source else repr(self.model)

    # constants of a class elsewhere, and here those of the file's model: hence what the type checker is told to ignore

    @property
    def starts(self) -> str:  # type: ignore[override]
        return self.model.starts

    @property
    def wide(self) -> bool:  # type: ignore[override]
        return self.model.wide

    @property
    def rounds(self) -> bool:  # type: ignore[override]
        return self.model.rounds

    def check(self, shape: tuple[int, ...]) -> None:
        self.model.check(shape)

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.source.written if self.source else repr(self.model)

    @property
    def files(self) -> tuple[str, ...]:
        """The file that its code is in."""
        return (self.source.place,) if self.source else ()

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        with explained(self):
            return self.model.init(key, shape, outputs, init, dtype)

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        with explained(self):
            return self.model.apply(params, rows, how)

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return self.model.sizes(shape, outputs)

    def fan_in(self, params: Tree, shape: tuple[int, ...]) -> dict[str, tuple[int, ...] | None]:
        return self.model.fan_in(params, shape)

    def fixed_outputs(self, shape: tuple[int, ...]) -> int | None:
        return self.model.fixed_outputs(shape)


def _again(text: str) -> Any:
    """A model out of a file, where a pickle or a copy of it is read."""
    from steepest.models.loading import model_from_file  # which imports this module

    return model_from_file(text)


class Always:
    """A function that gives one thing: a module made before its rows were known. Equal where that is the same one."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __call__(self) -> Any:
        return self.thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Always) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def called(function: Any) -> str:
    """The name of a function or class."""
    thing = getattr(function, "thing", function)
    return getattr(thing, "__name__", type(thing).__name__)


def takes(function: Any, name: str, place: int | None = None) -> bool:
    """Whether a function has a parameter of this name, or one at this place that has no default."""
    parameters = list(inspect.signature(function).parameters.values())
    if any(parameter.name == name for parameter in parameters):
        return True
    if place is None or len(parameters) <= place:
        return False
    wanted = parameters[place]
    return wanted.default is wanted.empty and wanted.kind in (wanted.POSITIONAL_ONLY, wanted.POSITIONAL_OR_KEYWORD)


def given(function: Any, **known: Any) -> Any:
    """Call a function or class with those of the known values that it takes."""
    parameters = inspect.signature(function.__init__ if isinstance(function, type) else function).parameters
    return function(**{name: value for name, value in known.items() if name in parameters})
