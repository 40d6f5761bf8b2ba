"""Flax modules as models: those of flax.linen and those of flax.nnx."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from steepest.core.errors import SettingError
from steepest.core.spec import refuse, spec
from steepest.models.contract import Array, Tree
from steepest.models.examined import explained
from steepest.models.own import Always, Own, given, takes
from steepest.models.passes import PREDICT, Predict
from steepest.models.source import Source

NORM = "use GroupNorm or LayerNorm, or a function pair with how.norm for batch norm"
DROPOUT = "leave Dropout out, call how.hidden there and train with dropout"


@spec
class FlaxModel(Own):
    """A Flax module: of flax.linen as it is (`Net()`), or by a class or a function of any of `shape` and `outputs`;
    of flax.nnx by a class or a function of any of `shape`, `outputs` and `rngs`.

        class Net(nn.Module):                                     class Net(nnx.Module):
            outputs: int                                              def __init__(self, shape, outputs, *, rngs): ...

            @nn.compact                                               def __call__(self, rows): ...
            def __call__(self, rows): ...

    **Shapes**: shape is a row's, (features,) or (H, W, C); a module is called with rows [rows, …] and gives
    [rows, outputs]. Where `__call__` takes `how`, it tells it h = how.hidden(h) at each hidden layer, so that dropout
    and other techniques act there.
    **Weights** are the collection "params" (linen) or all `nnx.Param` (nnx). Penalties act on arrays of two or more
    axes that are not called bias or scale: on kernels and embeddings.
    **Raises** SettingError where Flax is not installed; and, when the model meets rows, for a module that keeps other
    variables (BatchNorm) or draws while it is applied (Dropout, which the technique replaces).
    """

    make: Any
    source: Source | None = None

    equation = "s = module(rows)"

    def __post_init__(self) -> None:
        linen = flax("linen")
        if isinstance(self.make, linen.Module):
            object.__setattr__(self, "make", Always(self.make))
        if not callable(self.make) or isinstance(self.make, flax("nnx").Module):
            raise refuse(self, f"{type(self.make).__name__} has its weights already; give its class, or what makes it")

    def made_by(self) -> tuple[Callable[..., Any], ...]:
        return (self.make,)

    @property
    def files(self) -> tuple[str, ...]:
        return (*super().files, *_file_of(getattr(self.make, "thing", self.make)))

    def fixed_outputs(self, shape: tuple[int, ...]) -> int | None:
        return _fixed(self, shape) if isinstance(self.make, Always) else None

    def build(self, key: Array, shape: tuple[int, ...], outputs: int) -> tuple[Tree, Any]:
        nnx = flax("nnx")
        module = given(self.make, shape=shape, outputs=outputs, rngs=nnx.Rngs(key))
        if isinstance(module, flax("linen").Module):
            return _linen(module, key, shape)
        if not isinstance(module, nnx.Module):
            raise SettingError(f"it makes a {type(module).__name__}, which is no module of flax.linen or flax.nnx")
        return _nnx(module)

    def scores(self, weights: Tree, rest: Any, rows: Array, how: Predict) -> Array:
        nnx = flax("nnx")
        if isinstance(rest, flax("linen").Module):
            with _drawing_nothing():
                return rest.apply({"params": weights}, rows, **_told(type(rest), how))
        module = nnx.merge(rest, nnx.State(weights))
        return module(rows, **_told(type(module), how))


def flax(part: str) -> Any:
    """A part of the package; SettingError says how to get it."""
    try:
        return importlib.import_module(f"flax.{part}")
    except ModuleNotFoundError:
        raise SettingError('Flax is not installed; pip install "steepest[flax]"') from None


def _linen(module: Any, key: Array, shape: tuple[int, ...]) -> tuple[Tree, Any]:
    row = jnp.zeros((1, *shape), "float32")
    with _drawing_nothing():
        variables = dict(module.init(key, row, **_told(type(module), PREDICT)))
    weights = variables.pop("params", {})
    if variables:
        raise SettingError(f"it keeps {', '.join(sorted(variables))} beside the weights, which is not trained; {NORM}")
    return weights, module


@contextlib.contextmanager
def _drawing_nothing() -> Iterator[None]:
    """Say what to do about a module of linen that asks for random numbers."""
    try:
        yield
    except flax("errors").InvalidRngError:
        raise SettingError(f"it draws while it is applied; {DROPOUT}") from None


def _nnx(module: Any) -> tuple[Tree, Any]:
    nnx = flax("nnx")
    graph, params, others = nnx.split(module, nnx.Param, ...)
    kinds = sorted({type(variable).__name__ for _, variable in nnx.to_flat_state(others)})
    if any(kind.startswith("Rng") for kind in kinds):
        raise SettingError(f"it draws while it is applied; {DROPOUT}")
    if kinds:
        raise SettingError(f"it keeps {', '.join(kinds)} beside the weights, which is not trained; {NORM}")
    return nnx.to_pure_dict(params), graph


def _told(cls: type, how: Predict) -> dict[str, Predict]:
    return {"how": how} if takes(cls.__call__, "how") else {}


def _file_of(thing: Any) -> tuple[str, ...]:
    """The file of a class, or of what was made of it."""
    kind = thing if isinstance(thing, type) else type(thing)
    code = getattr(inspect.unwrap(vars(kind).get("__call__", kind)), "__code__", None)
    return (code.co_filename,) if code else ()


@functools.lru_cache(maxsize=64)
def _fixed(model: FlaxModel, shape: tuple[int, ...]) -> int | None:
    """How many scores a module gives that was made before anybody asked; None where it gives no scores."""

    def once(key: Array) -> Array:
        weights, rest = model.build(key, shape, 0)
        return model.scores(weights, rest, jnp.zeros((1, *shape), "float32"), PREDICT)

    with explained(model):
        made = jax.eval_shape(once, jax.random.key(0))
    return made.shape[-1] if getattr(made, "shape", ()) else None
