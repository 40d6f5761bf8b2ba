"""Recipes as plain JSON and back: names from the registries, and the settings of each part.

    {"schema": "steepest.recipe/1", "method": {"name": "adam", "settings": {"rate": 0.001, …}}, …, "batch_size": 32}

Numbers come back bit for bit, in whatever order the settings stand. Arrays (`Given` weights) are stored as their bytes.

A setting that a later steepest brought is missing in older files. It then takes its default, so a new setting's default
must do what was done before there was a choice (`products`: on a CPU, where those files come from, "auto" does). A
name that this steepest does not know is refused.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import math
from typing import Any

import numpy as np

from steepest.core.errors import DataError, SettingError, unknown
from steepest.core.registry import Registry
from steepest.core.spec import make
from steepest.inits import INITS
from steepest.inits.given import Given
from steepest.losses import LOSSES
from steepest.methods import AVERAGES, CLIPS, METHODS
from steepest.methods.optax_bridge import Optax
from steepest.models import MODELS
from steepest.penalties import PENALTIES
from steepest.schedules import SCHEDULES
from steepest.stops import STOPS
from steepest.techniques import TECHNIQUES
from steepest.train.own_json import is_own_model, own_from_json, own_to_json
from steepest.train.recipe import OPTIONAL, Recipe

SCHEMA = "steepest.recipe/1"

REGISTRIES: dict[str, Registry] = {
    "model": MODELS,
    "method": METHODS,
    "penalty": PENALTIES,
    "loss": LOSSES,
    "schedule": SCHEDULES,
    "init": INITS,
    "clip": CLIPS,
    "average": AVERAGES,
    "stop": STOPS,
}
LISTS = {"techniques": TECHNIQUES}  # parts of which a recipe has any number
PLAIN = ("batch_size", "shuffle", "reduction", "dtype", "products")
# what every file of this schema has: one without is damaged, not old
FIRST = ("model", "method", "penalty", "loss", "schedule", "init", "clip", "average", "stop")
FIRST += ("batch_size", "shuffle", "reduction", "dtype")


def recipe_to_json(recipe: Recipe) -> dict[str, Any]:
    """A recipe as a dict of plain values, every setting written out.

    **Raises** SettingError for a part that no registry names (register it by an entry point), or a function in it.
    """
    parts: dict[str, Any] = {
        name: _part_to_json(registry, getattr(recipe, name)) for name, registry in REGISTRIES.items()
    }
    for name, registry in LISTS.items():
        parts[name] = [_part_to_json(registry, one) for one in getattr(recipe, name)]
    return {"schema": SCHEMA, **parts, **{name: getattr(recipe, name) for name in PLAIN}}


def recipe_from_json(stored: Any, model: Any = None) -> Recipe:
    """The recipe that `recipe_to_json` gave; `model` is the user's own, where it has one (`own_json`).

    **Raises** DataError for what is no recipe, or one of a newer steepest; SettingError for a name or a setting that
    this one does not know, or a value out of its range.

    >>> recipe = Recipe(batch_size=64)
    >>> recipe_from_json(recipe_to_json(recipe)) == recipe
    True
    """
    check_schema(stored, SCHEMA, "the recipe")
    known = {"schema", *REGISTRIES, *LISTS, *PLAIN}
    for name in stored:
        if name not in known:
            raise unknown("part of a recipe", str(name), sorted(known))
    for name in FIRST:
        if name not in stored:
            raise DataError(f"the stored recipe cannot be read: it has no {name!r}")
    own = own_from_json(stored["model"], model)
    values = {name: value for name, value in stored.items() if name in PLAIN}
    for name in REGISTRIES.keys() & stored.keys():
        here = own is not None and name == "model"
        values[name] = own if here else _part_from_json(name, REGISTRIES[name], stored[name])
    for name in LISTS.keys() & stored.keys():
        if not isinstance(stored[name], list):
            raise DataError(f"the stored recipe cannot be read: {name} is no list")
        values[name] = tuple(_part_from_json(name, LISTS[name], one) for one in stored[name])
    if not isinstance(stored["shuffle"], bool):
        raise DataError(f"the stored recipe cannot be read: shuffle = {stored['shuffle']!r}; it must be true or false")
    return _made(Recipe, values)


def check_schema(stored: Any, schema: str, what: str) -> None:
    """Refuse what is no such thing, and what a newer steepest wrote."""
    name, _, version = schema.partition("/")
    found = stored.get("schema") if isinstance(stored, dict) else None
    kind, _, number = found.partition("/") if isinstance(found, str) else ("", "", "")
    if kind != name or not (number.isascii() and number.isdigit() and len(number) < 9):
        raise DataError(f"{what} cannot be read: its schema is {found!r}, and {schema!r} is needed")
    if int(number) > int(version):
        raise DataError(f"{what} was written by a newer steepest ({found!r}, this one reads {schema!r}); upgrade it")


def _part_to_json(registry: Registry, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, Optax):
        return {"name": "optax", "settings": _optax_to_json(value)}
    if is_own_model(value):
        return own_to_json(value)
    name = registry.name_of(value)
    if name not in registry:
        raise SettingError(
            f"the {registry.what} {name} has no registered name, so it cannot be stored; "
            f"name it by the entry-point group steepest.{registry.what}s"
        )
    settings = {}
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        if isinstance(value, Given):
            settings[field.name] = _arrays_to_json(inner)
        elif field.metadata.get("part") and not field.metadata.get("numbers"):
            settings[field.name] = _part_to_json(registry, inner)  # schedules are made of schedules
        else:
            settings[field.name] = _value_to_json(f"{type(value).__name__}.{field.name}", inner)
    return {"name": name, "settings": settings}


def _part_from_json(place: str, registry: Registry, stored: Any) -> Any:
    if stored is None and place in OPTIONAL:
        return None
    if not isinstance(stored, dict) or set(stored) != {"name", "settings"} or not isinstance(stored["settings"], dict):
        raise DataError(f"the stored recipe cannot be read: {place} is no name with settings")
    name, settings = stored["name"], stored["settings"]
    if registry is METHODS and name == "optax":
        return _optax_from_json(settings)
    if not isinstance(name, str):
        raise DataError(f"the stored recipe cannot be read: {place} has the name {name!r}")
    cls = registry[name]
    if cls is Given:
        return _made(cls, {key: _arrays_from_json(value) for key, value in settings.items()})
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in settings:
        if key not in fields:
            raise unknown(f"setting of {cls.__name__}", str(key), fields)
    for key, field in fields.items():
        if key not in settings and field.default is field.default_factory is dataclasses.MISSING:
            raise DataError(f"the stored recipe cannot be read: {cls.__name__} has no {key!r}")
    values = {}
    for key, value in settings.items():
        if fields[key].metadata.get("part") and not fields[key].metadata.get("numbers"):
            values[key] = _part_from_json(f"{place}.{key}", registry, value)
        else:
            values[key] = _checked(cls, fields[key], value)
    return _made(cls, values)


def _checked(cls: type, field: dataclasses.Field[Any], value: Any) -> Any:
    """A setting, where it is of the kind that its default is of."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if "domain" in field.metadata:
        if not number:
            raise DataError(f"the stored recipe cannot be read: {cls.__name__}.{field.name} = {value!r} is no number")
        return value
    value = tuple(value) if isinstance(value, list) else value
    default = field.default
    if default is not dataclasses.MISSING and default is not None and type(value) is not type(default):
        wanted = type(default).__name__
        raise DataError(f"the stored recipe cannot be read: {cls.__name__}.{field.name} = {value!r} is no {wanted}")
    return value


def _made(cls: type, values: dict[str, Any]) -> Any:
    """An instance; what its own checks do not foresee is a file that somebody else wrote."""
    try:
        return make(cls, **values)
    except SettingError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"the stored recipe cannot be read: {cls.__name__} ({error})") from error


# --- values ---------------------------------------------------------------------------------------------------------


def _value_to_json(what: str, value: Any) -> Any:
    """A number, text, switch or tuple of these."""
    if isinstance(value, tuple):
        return [_value_to_json(what, one) for one in value]
    if getattr(value, "shape", None) == ():
        value = value.item()  # NumPy's and JAX's numbers
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise SettingError(f"{what} is a {type(value).__name__}, which cannot be stored; use plain numbers and text")


def _optax_to_json(method: Optax) -> dict[str, Any]:
    if not isinstance(method.optimizer, str):
        raise SettingError("Optax of a function cannot be stored; give the optimizer by its name in optax")
    return {
        "optimizer": method.optimizer,
        "rate": _value_to_json("Optax.rate", method.rate),
        **{name: _value_to_json(f"Optax.{name}", value) for name, value in method.settings.items()},
        **{name: _value_to_json(f"Optax.{name}", value) for name, value in method.options},
    }


def _optax_from_json(settings: dict[str, Any]) -> Optax:
    optimizer, rate = settings.get("optimizer"), settings.get("rate")
    number = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not isinstance(optimizer, str) or not number or "learning_rate" in settings:
        raise DataError("the stored recipe cannot be read: optax needs an optimizer's name and a rate")
    others = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.items()
        if name not in ("optimizer", "rate")
    }
    try:
        return Optax(optimizer, rate, **others)
    except TypeError as error:
        raise DataError(f"the stored recipe cannot be read: optax.{optimizer} ({error})") from error


def _arrays_to_json(tree: Any) -> Any:
    """A tree of arrays: dicts, and {"dtype", "shape", "base64"} at its leaves."""
    if isinstance(tree, dict):
        return {"tree": {str(name): _arrays_to_json(inner) for name, inner in tree.items()}}
    if isinstance(tree, list | tuple):
        raise SettingError("Given weights in a list or tuple cannot be stored; use a dict of arrays, as models do")
    array = np.asarray(tree)
    array = array.astype(array.dtype.newbyteorder("<"))
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode("ascii"),
    }


def _arrays_from_json(stored: Any) -> Any:
    if isinstance(stored, dict) and set(stored) == {"tree"} and isinstance(stored["tree"], dict):
        return {name: _arrays_from_json(inner) for name, inner in stored["tree"].items()}
    try:
        dtype = np.dtype(stored["dtype"])
        if dtype.kind not in "fiub":
            raise ValueError(f"arrays of {dtype}")
        content = base64.b64decode(stored["base64"], validate=True)
        return np.frombuffer(content, dtype).reshape([int(n) for n in stored["shape"]]).copy()
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise DataError(f"the stored recipe cannot be read: given weights ({error})") from error
