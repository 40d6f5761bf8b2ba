"""Equinox modules as models."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import jax

from steepest.core.errors import SettingError
from steepest.core.spec import refuse, spec
from steepest.models.contract import Array, Tree
from steepest.models.own import Own, given, takes
from steepest.models.passes import Predict
from steepest.models.source import Source

NORMALISATIONS = ("LayerNorm", "RMSNorm", "GroupNorm")


@spec
class EquinoxModel(Own):
    """An Equinox module, by what makes it: a class or a function of any of `key`, `shape` and `outputs`.

        class Net(eqx.Module):
            layer: eqx.nn.Linear

            def __init__(self, shape, outputs, *, key): ...
            def __call__(self, row): ...             # one row's scores [outputs]

    **Shapes**: shape is a row's, (features,) or (H, W, C) (Equinox's convolutions want the channels first). A module is
    called with one row, under vmap; one whose `__call__` takes `how` is called with all rows [rows, …] at once and
    tells it h = how.hidden(h) at each hidden layer, so that dropout and other techniques act there.
    **Weights** are the module's arrays of real numbers; all else in it is structure. Penalties act on arrays of two or
    more axes that are not called bias or scale and are in no normalisation.
    **Raises** SettingError where Equinox is not installed; and, when the model meets rows, for a module with state
    (eqx.nn.BatchNorm, SpectralNorm), for eqx.nn.Dropout, which the technique replaces, and for arrays of other types.
    """

    make: Any
    source: Source | None = None

    equation = "s = module(row)"

    def __post_init__(self) -> None:
        equinox()
        if not callable(self.make):
            raise refuse(self, f"{self.make!r} makes no module; give its class or a function of key, shape and outputs")

    def made_by(self) -> tuple[Callable[..., Any], ...]:
        return (self.make,)

    def build(self, key: Array, shape: tuple[int, ...], outputs: int) -> tuple[Tree, Any]:
        eqx = equinox()
        module = given(self.make, key=key, shape=shape, outputs=outputs)
        if not isinstance(module, eqx.Module) or not callable(module):
            raise SettingError(f"it makes a {type(module).__name__}, which is no Equinox module that can be called")
        _check_layers(eqx, module)
        return eqx.partition(module, eqx.is_array)

    def scores(self, weights: Tree, rest: Any, rows: Array, how: Predict) -> Array:
        module = equinox().combine(weights, rest)
        return module(rows, how=how) if takes(module, "how") else jax.vmap(module)(rows)

    def spared(self, weights: Tree) -> tuple[Any, ...]:
        kinds = tuple(getattr(equinox().nn, name) for name in NORMALISATIONS)
        return tuple(path for path, _ in _found(weights, kinds))


def equinox() -> Any:
    """The package; SettingError says how to get it."""
    try:
        return importlib.import_module("equinox")
    except ModuleNotFoundError:
        raise SettingError('Equinox is not installed; pip install "steepest[equinox]"') from None


def _check_layers(eqx: Any, module: Any) -> None:
    """Refuse layers that a population would not treat as their author means."""
    for path, _ in _found(module, (eqx.nn.StateIndex,)):
        name = jax.tree_util.keystr(path[:-1], simple=True, separator=".")
        raise SettingError(
            f"its {name} keeps state beside the weights, which is not trained; use eqx.nn.GroupNorm or LayerNorm, "
            f"or a function pair with how.norm for batch norm"
        )
    for path, layer in _found(module, (eqx.nn.Dropout,)):
        if layer.p != 0 and not layer.inference:  # attention has one of p = 0 inside
            name = jax.tree_util.keystr(path, simple=True, separator=".")
            raise SettingError(
                f"its {name} is eqx.nn.Dropout; leave it out, call how.hidden there and train with dropout"
            )


def _found(tree: Tree, kinds: tuple[type, ...]) -> list[tuple[Any, Any]]:
    """All nodes of these kinds, with their paths."""
    nodes = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda node: isinstance(node, kinds))[0]
    return [(path, node) for path, node in nodes if isinstance(node, kinds)]
