"""A model as one file: safetensors for the numbers, JSON in its header for all else. No code, no pickle.

    tensors   params/W, params/layer1/b, …; standard/center, standard/scale, standard/fill; curves/train_loss, …;
              limits/low, limits/high
    header    __metadata__.steepest = {"schema": "steepest.model/1", "recipe": …, "classes": […], …}

Any reader of safetensors opens it. Ours trusts nothing in it: names, types and shapes are checked against the model
before anything is read into memory.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as pack

from steepest.core.atomic import write_atomically
from steepest.core.errors import DataError, SteepestError
from steepest.core.version import __version__
from steepest.data.paths import shown
from steepest.data.schema import Schema
from steepest.data.standard import Standard
from steepest.inits.plain import Zeros
from steepest.losses.multitask import MultiTask
from steepest.models.text import parameters
from steepest.train.cache import precision, prepare
from steepest.train.entries import mapping, scores, texts, whole, whole_numbers
from steepest.train.fitted import Fitted, FittedTask, score_names
from steepest.train.limits import Limits
from steepest.train.recipe import Recipe
from steepest.train.recipe_json import check_schema, recipe_from_json, recipe_to_json
from steepest.train.scoring import copies
from steepest.train.state import first_params
from steepest.train.tensors import TYPES, Tensors

SCHEMA = "steepest.model/1"
KEY = "steepest"
SUFFIX = ".safetensors"
HEADER_BYTES = 32 << 20  # a header of more than this is no model's
LIMITS = ("low", "high")
CURVES = ("train_loss", "validation_loss", "validation_accuracy")
STATUSES = ("finished", "stopped", "diverged")


def save(fitted: Fitted, path: str | os.PathLike[str]) -> Path:
    """Write a model to `path` (`.safetensors` is added where it is missing), whole or not at all; the path written.

    **Raises** SettingError for a recipe that cannot be stored, SteepestError where the file cannot be written.
    """
    place = place_of(path)
    tensors = {f"params/{name}": leaf for name, leaf in named(fitted.params).items()}
    if fitted.standard is not None:
        tensors |= {f"standard/{name}": array for name, array in _standards(fitted.standard).items()}
    tensors |= {f"curves/{name}": np.asarray(curve, np.float64) for name, curve in fitted.curves.items()}
    if fitted.limits is not None:
        tensors |= {f"limits/{name}": np.asarray(limit, np.float64) for name, limit in zip(LIMITS, fitted.limits)}
    text = json.dumps(_described(fitted), allow_nan=False)  # ASCII: names that are no Unicode survive
    if len(text) > HEADER_BYTES - (1 << 20):
        raise SteepestError(
            f"{shown(place)}: the recipe is too large to be stored ({len(text):,} bytes); start from drawn weights"
        )
    return write_atomically(place, pack({n: np.ascontiguousarray(a) for n, a in tensors.items()}, {KEY: text}))


def place_of(path: str | os.PathLike[str]) -> Path:
    """Where `save` writes the model: `.safetensors` is added where it is missing.

    >>> place_of("photos").name
    'photos.safetensors'
    """
    place = Path(path)
    if not place.name:  # "." and "/" have none
        raise SteepestError(f"{place}: is a folder; name the model's file in it, such as {place / ('model' + SUFFIX)}")
    return place if place.suffix == SUFFIX else place.with_name(place.name + SUFFIX)


def load(path: str | os.PathLike[str], model: Any = None) -> Fitted:
    """The model that `save` wrote. One with a model of the user's own needs that again: `model` "file.py:name" (a file
    whose content has not changed since), or what Python made it of. A file never has code run by naming it.

    **Raises** DataError, in one line that names the file, for one that is missing, damaged, no model, of a newer
    steepest, or does not add up (a tensor missing, misshapen or with NaN; another `model` than the stored one).
    """
    place = Path(path)
    try:
        size = _check_length(place)
        with safe_open(place, framework="np") as file:
            return _read(file, size, model)
    except SafetensorError as error:
        raise DataError(f"{shown(place)}: is no safetensors file, or damaged ({_one_line(error)})") from error
    except OSError as error:
        raise DataError(f"{shown(place)}: cannot be read ({error.strerror or error})") from error
    except RecursionError as error:
        raise DataError(f"{shown(place)}: is no model of steepest (its header is nested too deeply)") from error
    except SteepestError as error:
        raise DataError(f"{shown(place)}: {error}") from error


def named(params: Any) -> dict[str, np.ndarray]:
    """Leaves of a tree of dicts by their path: {"layer1/W": …}."""
    found = jax.tree_util.tree_flatten_with_path(params)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf) for path, leaf in found}


# --- writing --------------------------------------------------------------------------------------------------------


def _described(fitted: Fitted) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": __version__,
        "recipe": recipe_to_json(fitted.recipe),
        "classes": list(fitted.classes),
        "tasks": [
            {"name": task.name, "classes": list(task.classes), "scores": _plain(task.scores)} for task in fitted.tasks
        ],
        "data_schema": None if fitted.schema is None else fitted.schema.to_json(),
        "standard": fitted.standard is not None,
        "limits": fitted.limits is not None,
        "shape": list(fitted.shape),
        "scores": _plain(fitted.scores),
        "curves": list(fitted.curves),
        "status": fitted.status,
        "step": int(fitted.step),
        "epochs": int(fitted.epochs),
        "seed": int(fitted.seed),
        "data": dict(fitted.data),
        "notes": list(fitted.notes),
    }


def _standards(standard: Standard | tuple[Standard, ...]) -> dict[str, np.ndarray]:
    """The arrays of a standardisation [features], or of those of an ensemble's members [members, features]."""
    if isinstance(standard, Standard):
        return standard.to_arrays()
    each = [one.to_arrays() for one in standard]
    return {name: np.stack([arrays[name] for arrays in each]) for name in each[0]}


def _plain(scores: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | str]]:
    return {part: {name: _number(value) for name, value in found.items()} for part, found in scores.items()}


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity: by name."""
    return float(value) if math.isfinite(value) else str(float(value))


# --- reading --------------------------------------------------------------------------------------------------------


def _check_length(place: Path) -> int:
    """The file's size, where its header is of a size that a header can be."""
    if place.is_dir():
        raise DataError("is a folder; give the model's file")
    size = place.stat().st_size
    with place.open("rb") as file:
        start = file.read(8)
    if len(start) < 8 or struct.unpack("<Q", start)[0] > min(size - 8, HEADER_BYTES):
        raise DataError("is no safetensors file, or damaged (its header is longer than the file, or than any model's)")
    return size


def _read(file: Any, size: int, model: Any) -> Fitted:
    stored = _header(file)
    recipe = recipe_from_json(stored["recipe"], model)
    schema = None if stored["data_schema"] is None else Schema.from_json(stored["data_schema"])
    tasks = _tasks(stored, recipe, schema)
    classes = score_names(tasks) if tasks else texts(stored, "classes")
    shape = whole_numbers(stored, "shape")
    if schema is not None and schema.shape != shape:
        raise DataError(f"does not add up: rows of shape {shape}, but data of shape {schema.shape}")
    reading = Tensors(file)
    params = _params(recipe, classes, shape, reading, size)
    standard = None
    if stored["standard"]:
        standard = _standard(recipe, math.prod(shape), reading)
    curves = {n: reading.curve(f"curves/{n}") for n in texts(stored, "curves") if n in CURVES}
    if stored["status"] not in STATUSES:
        raise DataError(f"is no model of steepest (its status is {stored['status']!r})")
    return Fitted(
        recipe=recipe,
        params=params,
        classes=classes,
        schema=schema,
        standard=standard,
        shape=shape,
        scores=scores(stored),
        curves=curves,
        status=stored["status"],
        step=whole(stored, "step"),
        epochs=whole(stored, "epochs"),
        seed=whole(stored, "seed"),
        data=mapping(stored, "data"),
        notes=texts(stored, "notes"),
        tasks=tasks,
        limits=_limits(shape, reading) if stored.get("limits", False) else None,  # older files lack them
    )


NEEDED = ("recipe", "classes", "data_schema", "standard", "shape", "scores", "curves", "status", "step", "epochs")
NEEDED += ("seed", "data", "notes")
TASK = {"name", "classes", "scores"}


def _header(file: Any) -> dict[str, Any]:
    text = (file.metadata() or {}).get(KEY)
    if text is None:
        raise DataError("is a safetensors file, but no model of steepest")
    try:
        stored = json.loads(text, parse_constant=float)
    except ValueError as error:
        raise DataError(f"is no model of steepest (its header is no JSON: {error})") from error
    check_schema(stored, SCHEMA, "the model")
    for name in NEEDED:
        if name not in stored:
            raise DataError(f"is no model of steepest (its header lacks {name!r})")
    return stored


def _params(recipe: Recipe, classes: tuple[str, ...], shape: tuple[int, ...], reading: Tensors, size: int) -> Any:
    """The weights, each of the shape that the model needs; nothing is made before all shapes agree."""
    prepare()
    if recipe.loss.regression:
        raise DataError(f"does not add up: {type(recipe.loss).__name__} is for numbers, and the model has classes")
    outputs = recipe.loss.outputs(len(classes))
    if copies(recipe) * parameters(recipe.model, shape, outputs) > size:
        raise DataError("does not add up: the model has more weights than the file has bytes")
    with precision(recipe.dtype):
        wanted = jax.eval_shape(lambda: first_params(recipe, Zeros(), jax.random.key(0), shape, outputs))
    leaves, treedef = jax.tree.flatten(wanted)
    names = list(jax.tree_util.tree_flatten_with_path(wanted)[0])
    kind = next(name for name, dtype in TYPES.items() if dtype == recipe.dtype)
    found = []
    paths = [f"params/{jax.tree_util.keystr(path, simple=True, separator='/')}" for path, _ in names]
    reading.only(paths, "params/")
    for path, leaf in zip(paths, leaves):
        reading.check(path, leaf.shape, kind)
    for path, leaf in zip(paths, leaves):
        array = reading.take(path, leaf.shape, kind)
        if not np.isfinite(array).all():
            raise DataError(f"does not add up: the weights {path} hold NaN or infinity")
        found.append(array)
    return jax.tree.unflatten(treedef, found)


def _standard(recipe: Recipe, features: int, reading: Tensors) -> Standard | tuple[Standard, ...]:
    """The standardisation, or one for each member of an ensemble."""
    names = ("center", "scale", "fill")
    if recipe.bagging is None or len(reading.check("standard/center", None, "F64")) == 1:
        return Standard.from_arrays({name: reading.take(f"standard/{name}", (features,), "F64") for name in names})
    members = recipe.bagging.bags
    arrays = {name: reading.take(f"standard/{name}", (members, features), "F64") for name in names}
    return tuple(Standard.from_arrays({name: arrays[name][i] for name in names}) for i in range(members))


def _limits(shape: tuple[int, ...], reading: Tensors) -> Limits:
    low, high = (reading.take(f"limits/{name}", shape, "F64") for name in LIMITS)
    if not (np.isfinite(low) & np.isfinite(high) & (low <= high)).all():
        raise DataError("does not add up: its features' limits are no ranges")
    return low, high


def _tasks(stored: dict[str, Any], recipe: Recipe, schema: Schema | None) -> tuple[FittedTask, ...]:
    """The tasks of a model of several, each with the classes that its loss has scores for."""
    found = stored.get("tasks", [])  # older files have one task, and do not say so
    if not isinstance(found, list) or not all(isinstance(one, dict) and set(one) == TASK for one in found):
        raise DataError("is no model of steepest (its tasks are no list of names, classes and scores)")
    made = tuple(FittedTask(str(one["name"]), texts(one, "classes"), scores(one)) for one in found)
    wanted = recipe.loss.classes if isinstance(recipe.loss, MultiTask) else ()
    if tuple(len(task.classes) for task in made) != wanted:
        raise DataError("does not add up: its tasks are not those of its loss")
    if schema is not None and schema.labels[1:] != tuple(task.name for task in made)[1:]:
        raise DataError("does not add up: its tasks are not its label columns")
    return made


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
