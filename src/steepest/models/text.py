"""Models as people write them: `linear`, `mlp:64,32:tanh`, `cnn:16,32:dense=64`; and what one comes to, in words.

A name, then the widths of its layers, then words: an activation, a switch (`norm`, `no-bias`), `SETTING=NUMBER`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import jax

from steepest.core.errors import SettingError, unknown
from steepest.models import MODELS
from steepest.models.activations import ACTIVATIONS
from steepest.models.cnn import CNN
from steepest.models.contract import Array, Model, Tree
from steepest.models.loading import model_from_file
from steepest.models.mlp import MLP
from steepest.models.own import FromFile, Own
from steepest.models.passes import split_running
from steepest.models.resnet import ResNet
from steepest.models.shared import SharedMLP
from steepest.models.source import is_own

FORMS = (
    "linear, linear:no-bias, mlp:64, mlp:128,64, mlp:64:norm, mlp:64:ACTIVATION, shared-mlp:64, cnn, cnn:16,32, "
    f"cnn:16,32:dense=64:kernel=5, resnet, resnet:16, file.py:NAME (ACTIVATION is one of {', '.join(ACTIVATIONS)})"
)


def model_from_text(text: str) -> Model:
    """The model that a text names.

    >>> model_from_text("mlp:64,32:tanh")
    MLP(widths=(64, 32), activation='tanh')

    Raises SettingError, naming what is allowed.
    """
    if is_own(text):
        return model_from_file(text)
    name, *words = [piece.strip() for piece in text.strip().lower().split(":")]
    if name == "tangent-distance":
        raise SettingError(
            "model tangent-distance: it compares images with all training images and has no weights to train; use it "
            "from Python: steepest.TangentDistance().fit(X, y)"
        )
    made, settings = MODELS[name], {}
    if words and made in _WIDTHS and re.fullmatch(r"\d+(\s*,\s*\d+)*", words[0]):
        widths = tuple(int(width) for width in words.pop(0).split(","))
        settings[_WIDTHS[made]] = widths if isinstance(_plain(made)[_WIDTHS[made]], tuple) else _only(text, widths)
    for word in words:
        own = _setting(text, made, word)
        if own.keys() & settings.keys():
            raise SettingError(f"model {text!r}: {next(iter(own))} is given twice")
        settings |= own
    return made(**settings)


def model_text(model: Model) -> str:
    """The text that names a model; `model_from_text` reads it back (a slope other than the default apart).

    >>> from steepest.models.linear import Linear
    >>> model_text(MLP(widths=(64, 32))), model_text(Linear(bias=False))
    ('mlp:64,32', 'linear:no-bias')
    """
    if isinstance(model, Own | FromFile):
        return repr(model)
    words = [MODELS.name_of(model)]
    for name, usual in _plain(type(model)).items():
        value = getattr(model, name)
        if name == _WIDTHS.get(type(model)) and (value != usual or isinstance(model, MLP)):
            words.append(",".join(map(str, value if isinstance(value, tuple) else (value,))))
        elif value != usual and isinstance(value, bool):
            words.append(name if value else f"no-{name}")
        elif value != usual:
            words.append(value if isinstance(value, str) else f"{name}={value}")
    return ":".join(words)


def parameters(model: Model, shape: tuple[int, ...], outputs: int) -> int:
    """How many weights and biases a model has for rows of `shape` and `outputs` scores.

    >>> from steepest.models.linear import Linear
    >>> parameters(Linear(), (8, 8), 10)
    650
    """
    made = jax.eval_shape(lambda: model.init(jax.random.key(0), shape, outputs, _Blank(), "float32"))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(split_running(made)[0]))


def describe(model: Model, shape: tuple[int, ...], outputs: int) -> str:
    """A model in words: its name, how wide each stage is, and its number of parameters.

    >>> describe(MLP(widths=(64,)), (8, 8), 10)
    'mlp:64: 64 → 64 → 10, 4,810 parameters'
    """
    stages = " → ".join(model.stages(shape, outputs))
    return f"{model_text(model)}: {stages}, {parameters(model, shape, outputs):,} parameters"


class _Blank:
    """An init for shapes alone: siblings do not import each other, so `Zeros` is out of reach."""

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del key, fan_in, fan_out
        return jax.numpy.zeros(shape, dtype)

    def tree(self, params: Tree) -> Tree:
        return params


# the setting that is written as numbers alone
_WIDTHS = {MLP: "widths", SharedMLP: "width", CNN: "channels", ResNet: "width"}


def _plain(made: type) -> dict[str, Any]:
    """The settings that are structure, with their defaults."""
    fields = dataclasses.fields(made) if dataclasses.is_dataclass(made) else ()
    return {f.name: f.default for f in fields if not f.metadata}


def _setting(text: str, made: type, word: str) -> dict[str, Any]:
    """What one word of a text sets."""
    plain = _plain(made)
    name, given, number = (piece.strip() for piece in word.partition("="))
    usual = plain.get(name)
    if given and isinstance(usual, int) and not isinstance(usual, bool) and number.isdecimal():
        return {name: int(number)}
    if usual is False and not given:
        return {name: True}
    if word.startswith("no-") and plain.get(word.removeprefix("no-")) is True:
        return {word.removeprefix("no-"): False}
    if "activation" in plain and re.fullmatch("[a-z][a-z-]*", word):
        if word not in ACTIVATIONS:
            raise SettingError(f"model {text!r}: {unknown('activation', word, ACTIVATIONS)}")
        return {"activation": word}
    raise _misread(text)


def _only(text: str, widths: tuple[int, ...]) -> int:
    if len(widths) != 1:
        raise _misread(text)
    return widths[0]


def _misread(text: str) -> SettingError:
    return SettingError(f"model {text!r} cannot be read; write {FORMS}")
