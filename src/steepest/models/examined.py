"""A user's own model looked at before it trains: what it makes of rows, and why it cannot train where it cannot.

Everything here traces and computes nothing. Whatever goes wrong in a user's code is said in one line, with the line of
their file where there is one.
"""

from __future__ import annotations

import contextlib
import functools
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Tracer

from steepest.core.errors import SettingError, SteepestError
from steepest.models.fan_in import fan_in
from steepest.models.measure import measure
from steepest.models.names import Names, names_of
from steepest.models.passes import PREDICT, RUNNING

ROWS = 3  # any number but 1, which broadcasts, and 2, which may be a number of classes
MEMBERS = 2

# What JAX says to a population's values where code needs one value, in words.
WHY = (
    (
        jax.errors.TracerBoolConversionError,
        "it decides (if, while, and, or) by a number that is another one for each member; use jnp.where",
    ),
    (jax.errors.TracerArrayConversionError, "it hands numbers that are not known yet to NumPy; use jax.numpy"),
    (jax.errors.TracerIntegerConversionError, "it takes an index from numbers that are not known yet; use jnp.take"),
    (
        jax.errors.NonConcreteBooleanIndexError,
        "it picks entries by a mask, so that a shape hangs on numbers; use jnp.where",
    ),
    (
        jax.errors.ConcretizationTypeError,
        "it needs the value of a number (float(), int(), .item(), a shape) that is another one for each member",
    ),
)


class Seen(NamedTuple):
    """What there is to know about a model on rows of one shape."""

    names: tuple[Names, ...]  # of the weights, in the order of jax.tree.leaves
    treedef: Any  # the user's own tree of weights
    rest: Any  # what the model keeps beside weights
    sizes: tuple[int, ...]
    fan_in: tuple[tuple[int, ...] | None, ...]  # the axes of each weight that its units take in; None: unknown


@functools.lru_cache(maxsize=256)
def examined(model: Any, shape: tuple[int, ...], outputs: int) -> Seen:
    """Make and apply the model once, as one and as a population.

    **Raises** SettingError, in one line, for a model that cannot be made for rows of `shape` and `outputs` scores,
    keeps what is no array of real numbers, gives anything but [rows, outputs], or cannot train as a population.
    """
    key = jax.random.key(0)
    with explained(model):
        made, treedef, rest = _made(model, key, shape, outputs)
        names = names_of(treedef.unflatten(made), model.spared(treedef.unflatten(made)))
        _check_names(model, names)

    def scores(leaves: list[Any], rows: Any) -> Any:
        return model.scores(treedef.unflatten(leaves), rest, rows, PREDICT)

    rows = jax.ShapeDtypeStruct((ROWS, *shape), "float32")
    with explained(model):
        given = jax.eval_shape(scores, made, rows)
        _check_scores(given, outputs)
        _check_kept(jax.make_jaxpr(scores)(made, rows).consts)
        sizes = measure(scores, made, shape, outputs)
        summed = fan_in(scores, made, rows)
    with explained(model, "cannot train as a population: "):
        _train(scores, made, rows)
    return Seen(names, treedef, rest, sizes, summed)


def _made(model: Any, key: Any, shape: tuple[int, ...], outputs: int) -> tuple[list[Any], Any, Any]:
    """The shapes of the weights, in float32; their tree; and what the model keeps beside them."""
    kept: list[Any] = []

    def once(key: Any) -> list[Any]:
        weights, rest = model.build(key, shape, outputs)
        leaves, treedef = jax.tree.flatten_with_path(weights)
        kept[:] = [treedef, rest]
        return [_real(jax.tree_util.keystr(path, simple=True, separator="/"), leaf) for path, leaf in leaves]

    made = jax.eval_shape(once, key)
    treedef, rest = kept
    if not made:
        raise SettingError("it has no weights to train")
    jax.eval_shape(jax.vmap(once), jax.eval_shape(lambda key: jax.random.split(key, MEMBERS), key))
    return made, treedef, rest


def _real(name: str, leaf: Any) -> Any:
    """A weight in float32."""
    if isinstance(leaf, float) or jnp.issubdtype(getattr(leaf, "dtype", None) or int, jnp.floating):
        return jnp.asarray(leaf, "float32")
    kind = getattr(leaf, "dtype", type(leaf).__name__)
    raise SettingError(f"its weight {name or 'without a name'} is of type {kind}; weights are arrays of real numbers")


def _check_names(model: Any, names: tuple[Names, ...]) -> None:
    if not model.keeps_running and any(path[0] == RUNNING for path in names):
        raise SettingError(f"one of its attributes is called {RUNNING!r}, which is kept for batch norm; rename it")


def _check_scores(given: Any, outputs: int) -> None:
    wanted = f"it must give [rows, {outputs}]: {outputs} scores for each row"
    if not hasattr(given, "shape"):
        raise SettingError(f"it gives a {type(given).__name__} of arrays; {wanted}")
    if tuple(given.shape) != (ROWS, outputs):
        raise SettingError(f"for {ROWS} rows it gives scores of shape {tuple(given.shape)}; {wanted}")
    if not jnp.issubdtype(given.dtype, jnp.floating):
        raise SettingError(f"its scores are of type {given.dtype}; they must be real numbers")


def _check_kept(constants: Any) -> None:
    """A number that was computed while the weights were made belongs to that making, and is none afterwards."""
    if any(isinstance(constant, Tracer) for constant in constants):
        raise SettingError("it keeps a number that was computed with its weights; compute that with NumPy, or in apply")


def _train(scores: Callable[[list[Any], Any], Any], made: list[Any], rows: Any) -> None:
    """A gradient of each member of a population: what the training loop does to a model."""

    def gradient(leaves: list[Any], rows: Any) -> Any:
        return jax.grad(lambda leaves: jnp.sum(scores(leaves, rows)))(leaves)

    many = [jax.ShapeDtypeStruct((MEMBERS, *leaf.shape), leaf.dtype) for leaf in made]
    jax.eval_shape(jax.vmap(gradient, in_axes=(0, None)), many, rows)


def check_forward(model: Any, params: Any, shape: tuple[int, ...], why: str) -> None:
    """Refuse a model whose scores have no gradient of a forward derivative, which is what tangents are trained by."""

    def change(params: Any, rows: Any) -> Any:
        return jnp.sum(jax.jvp(lambda rows: model.apply(params, rows), (rows,), (rows,))[1])

    with explained(model, why):
        jax.eval_shape(jax.grad(change), params, jax.ShapeDtypeStruct((ROWS, *shape), "float32"))


@contextlib.contextmanager
def explained(model: Any, what: str = "") -> Iterator[None]:
    """Whatever is raised inside becomes one line that names the model."""
    try:
        yield
    except SteepestError as error:
        raise SettingError(f"model {model.label}: {what}{error}") from error
    except Exception as error:  # somebody else's code runs here, and may raise anything
        said = next((words for kind, words in WHY if isinstance(error, kind)), None)
        population = "" if what or said is None else "cannot train as a population: "
        where = last_line(error, model.files)
        raise SettingError(f"model {model.label}: {what or population}{said or worded(error)}{where}") from error


def worded(error: BaseException) -> str:
    """An exception's name and the first line of its message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def last_line(error: BaseException, files: tuple[str, ...]) -> str:
    """` (net.py, line 7)`: the innermost line in one of these files that an exception went through; or nothing."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f" ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})" if frames else ""
