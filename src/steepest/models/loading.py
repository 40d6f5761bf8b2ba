"""Models out of users' own files: `net.py:net` is run as Python and becomes a model.

What may stand under the name: a pair (init, apply), a Flax module, the class of an Equinox or Flax module, a function
that makes one (with the parameters key, shape, outputs: Equinox; rngs, or none of key: Flax), or a steepest Model.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from pathlib import Path
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.core.spec import replace
from steepest.models import MODELS
from steepest.models.contract import Model
from steepest.models.equinox_model import EquinoxModel
from steepest.models.examined import last_line, worded
from steepest.models.flax_model import FlaxModel
from steepest.models.own import FromFile, Functions, Own
from steepest.models.source import Source, read

KINDS = (
    "a pair (init, apply), a Flax module, the class of an Equinox or Flax module, a function that makes one, "
    "or a steepest Model"
)
EXTRAS = ("equinox", "flax")


def model_from_file(text: str) -> Model:
    """The model that `file.py:name` names. The file is run, once for each content it has.

    **Raises** SettingError, in one line, for a file that is missing or not what the text's hash says, one that cannot
    be run (with its own error and line), a name that it lacks, and what is no model.
    """
    return _loaded(*read(text))


def as_model(thing: Any, source: Source | None = None) -> Model:
    """The model that a thing of a user's is: see the module's docstring. A Model stays as it is."""
    if isinstance(thing, type) and issubclass(thing, Model):
        thing = thing()
    if isinstance(thing, Own):
        return replace(thing, source=source) if source else thing
    if isinstance(thing, Model):
        return thing if source is None or MODELS.name_of(thing) in MODELS else FromFile(thing, source)
    if isinstance(thing, tuple | list) and len(thing) == 2 and all(map(callable, thing)):
        return Functions(*thing, source=source)
    made = _of_a_package(thing, source)
    if made is None and inspect.isfunction(thing):
        made = _made_by(thing, source)
    if made is None:
        kind = thing.__name__ if isinstance(thing, type) else type(thing).__name__
        raise SettingError(f"{_whose(source)}is {'the class' if isinstance(thing, type) else 'a'} {kind}; give {KINDS}")
    return made


@functools.lru_cache(maxsize=256)
def _loaded(source: Source, content: bytes) -> Model:
    """Read once: functions that are read twice are not the same functions, and would not train together."""
    module = _run(source.path, source.place, source.sha256, content)
    names = [name for name, thing in vars(module).items() if name[0] != "_" and not inspect.ismodule(thing)]
    if source.name not in names:
        raise unknown(f"name in {source.path}", source.name, names)
    return as_model(getattr(module, source.name), source)


@functools.lru_cache(maxsize=256)
def _run(path: str, place: str, sha256: str, content: bytes) -> types.ModuleType:
    module = types.ModuleType(f"steepest_own_{sha256[:16]}")
    module.__file__ = place
    sys.modules[module.__name__] = module  # where dataclasses look up the annotations of their classes
    folder = str(Path(place).parent)
    if folder not in sys.path:
        sys.path.append(folder)  # the file may import others beside it
    try:
        exec(compile(content, place, "exec"), vars(module))
    except SyntaxError as error:
        del sys.modules[module.__name__]
        raise SettingError(f"model file {path}, line {error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:  # somebody else's code runs here, and may raise anything
        del sys.modules[module.__name__]
        raise SettingError(f"model file {path}: {worded(error)}{last_line(error, (place,))}{_remedy(error)}") from error
    return module


def _remedy(error: BaseException) -> str:
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return f'; pip install "steepest[{missing}]"' if missing in EXTRAS else ""


def _of_a_package(thing: Any, source: Source | None) -> Model | None:
    """A class or an instance of a package's modules; it cannot be one where the package was not imported."""
    kind = thing if isinstance(thing, type) else type(thing)
    for package, adapter in (("equinox", EquinoxModel), ("flax.linen", FlaxModel), ("flax.nnx", FlaxModel)):
        if package in sys.modules and issubclass(kind, sys.modules[package].Module):
            if not isinstance(thing, type) and package != "flax.linen":
                raise SettingError(
                    f"{_whose(source)}has its weights already, and each replicate draws its own; "
                    f"give the class {kind.__name__}, or a function that makes it"
                )
            return adapter(thing, source=source)
    return None


def _made_by(function: Any, source: Source | None) -> Model | None:
    """The model of a function that makes a module."""
    takes = set(inspect.signature(function).parameters)
    if not takes <= {"key", "shape", "outputs", "rngs"} or {"key", "rngs"} <= takes:
        raise SettingError(
            f"{_whose(source)}is a function of ({', '.join(inspect.signature(function).parameters)}); one that makes a "
            f"module takes key (Equinox) or rngs (flax.nnx), shape and outputs, and functions alone come in pairs: "
            f"(init, apply)"
        )
    return EquinoxModel(function, source=source) if "key" in takes else FlaxModel(function, source=source)


def _whose(source: Source | None) -> str:
    return f"model {source.written}: {source.name} " if source else "the model "
