"""Models as people write them: `linear`, `mlp:64,32`, `mlp:64:tanh`; and what a model comes to, in words."""

from __future__ import annotations

import math
from typing import Any

import jax

from steepest.core.errors import SettingError
from steepest.models import MODELS
from steepest.models.contract import Array, Model, Tree
from steepest.models.linear import Linear
from steepest.models.mlp import ACTIVATIONS, MLP

FORMS = f"linear, linear:no-bias, mlp:64, mlp:128,64, mlp:64:ACTIVATION (one of {', '.join(ACTIVATIONS)})"


def model_from_text(text: str) -> Model:
    """The model that a text names.

    >>> model_from_text("mlp:64,32:tanh")
    MLP(widths=(64, 32), activation='tanh')

    Raises SettingError, naming what is allowed.
    """
    name, *more = [piece.strip() for piece in text.strip().lower().split(":")]
    made = MODELS[name]
    if made is Linear and more in ([], ["no-bias"]):
        return Linear(bias=not more)
    if made is MLP and len(more) <= 2:
        widths = {"widths": _widths(text, more[0])} if more else {}
        return MLP(**widths, activation=more[1] if more[1:] else "relu")
    if not more:
        return made()
    raise _misread(text)


def model_text(model: Model) -> str:
    """The text that names a model; `model_from_text` reads it back (a slope other than the default apart).

    >>> model_text(MLP(widths=(64, 32))), model_text(Linear(bias=False))
    ('mlp:64,32', 'linear:no-bias')
    """
    if isinstance(model, Linear):
        return "linear" if model.bias else "linear:no-bias"
    if isinstance(model, MLP):
        widths = ",".join(map(str, model.widths))
        return f"mlp:{widths}" if model.activation == "relu" else f"mlp:{widths}:{model.activation}"
    return MODELS.name_of(model)


def parameters(model: Model, shape: tuple[int, ...], outputs: int) -> int:
    """How many weights and biases a model has for rows of `shape` and `outputs` scores.

    >>> parameters(Linear(), (8, 8), 10)
    650
    """
    made = jax.eval_shape(lambda: model.init(jax.random.key(0), shape, outputs, _Blank(), "float32"))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(made))


def describe(model: Model, shape: tuple[int, ...], outputs: int) -> str:
    """A model in words: its name, how wide each stage is, and its number of parameters.

    >>> describe(MLP(widths=(64,)), (8, 8), 10)
    'mlp:64: 64 → 64 → 10, 4,810 parameters'
    """
    stages = " → ".join(map(str, model.sizes(shape, outputs)))
    return f"{model_text(model)}: {stages}, {parameters(model, shape, outputs):,} parameters"


class _Blank:
    """An init for shapes alone: siblings do not import each other, so `Zeros` is out of reach."""

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del key, fan_in, fan_out
        return jax.numpy.zeros(shape, dtype)

    def tree(self, params: Tree) -> Tree:
        return params


def _widths(text: str, piece: str) -> tuple[int, ...]:
    try:
        return tuple(int(width) for width in piece.split(","))
    except ValueError:
        raise _misread(text) from None


def _misread(text: str) -> SettingError:
    return SettingError(f"model {text!r} cannot be read; write {FORMS}")
