"""A recipe as people write it, a text for each part; techniques are joined by plus: `dropout:rate=0.3+augment`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.core.registry import Registry
from steepest.inits import INITS
from steepest.losses import LOSSES
from steepest.methods import AVERAGES, CLIPS, METHODS
from steepest.models.text import model_from_text, model_text
from steepest.penalties import PENALTIES
from steepest.schedules import SCHEDULES
from steepest.stops import STOPS
from steepest.study.parts import part_from_text, part_text
from steepest.study.settings import NONE, technique_name, technique_parts
from steepest.techniques import TECHNIQUES
from steepest.train.recipe import Recipe
from steepest.train.techniques import with_techniques

PARTS: dict[str, Registry] = {
    "method": METHODS,
    "penalty": PENALTIES,
    "loss": LOSSES,
    "schedule": SCHEDULES,
    "init": INITS,
    "stop": STOPS,
    "clip": CLIPS,
    "average": AVERAGES,
}


def recipe_from_texts(
    texts: Mapping[str, str | None],
    batch_size: int | None = None,
    base: Recipe | None = None,
    products: str | None = None,
) -> Recipe:
    """A recipe whose parts are written as text; those that are None, batch size and products are those of `base`.

    `techniques` are one text and stand in place of all of the base's, early stopping included.

    >>> recipe_from_texts({"method": "adam:rate=0.01", "model": "mlp:32", "stop": None})
    Recipe(model=MLP(widths=(32,)), method=Adam(rate=0.01))
    """
    base = base or Recipe()
    values = {field.name: getattr(base, field.name) for field in dataclasses.fields(base)}
    techniques = texts.get("techniques")
    if techniques is not None:
        values["techniques"] = ()
        values["stop"] = None if type(base.stop) in TECHNIQUES.values() else base.stop
    for name, text in texts.items():
        if text is not None and name != "techniques":
            values[name] = model_from_text(text) if name == "model" else part_from_text(PARTS[name], text)
    more = {"batch_size": batch_size, "products": products}
    recipe = Recipe(**values | {name: value for name, value in more.items() if value is not None})
    return recipe if techniques is None else with_techniques(recipe, techniques_from_text(techniques))


def recipe_text(recipe: Recipe) -> str:
    """Method, penalty and model of a recipe, and every other part that is not the default.

    >>> recipe_text(recipe_from_texts({"method": "adam", "clip": "norm:limit=2"}))
    'adam + none, linear, clip norm:limit=2.0'
    """
    said = f"{part_text(METHODS, recipe.method)} + {part_text(PENALTIES, recipe.penalty)}, {model_text(recipe.model)}"
    usual = Recipe()
    for name, registry in PARTS.items():
        part = getattr(recipe, name)
        if name not in ("method", "penalty") and part is not None and part != getattr(usual, name):
            said += f", {name} {part_text(registry, part)}"
    said += ", products bfloat16" if recipe.products == "bfloat16" else ""
    return f"{said}, {techniques_text(recipe.techniques)}" if recipe.techniques else said


def techniques_from_text(text: str) -> tuple[Any, ...]:
    """The techniques that a text joins by plus, in their order; a stopping rule may be among them, `none` is none.

    >>> techniques_from_text("dropout:rate=0.3,layers=1/2+augment:shift=1e-1"), techniques_from_text("none")
    ((Dropout(rate=0.3, layers=(1, 2)), Augment(shift=0.1)), ())

    Raises SettingError for an unknown name or setting, for a technique that is there twice (unless each is for other
    layers), and for `none` beside others.
    """
    texts = list(technique_parts(text.strip()))
    if texts == [""]:
        raise SettingError("no technique is named; write none, or dropout+augment")
    if "" in texts:
        raise SettingError(f"techniques {text!r}: there is a plus with nothing beside it; write dropout+augment")
    if NONE in texts:
        raise SettingError(f"techniques {text!r}: none is no technique at all and goes with no other")
    names = [name.partition(":")[0].strip() for name in texts]
    if any("," in name for name in names) or any(name in (NONE, *TECHNIQUES) for name in _after_commas(texts)):
        raise SettingError(
            f"techniques {text!r}: fit joins techniques by plus: dropout+smoothing; "
            "compare takes several choices with commas between them"
        )
    for name in names:
        if name not in TECHNIQUES:
            raise unknown(TECHNIQUES.what, name, [NONE, *TECHNIQUES])
    parts = tuple(part_from_text(TECHNIQUES, piece) for piece in texts)
    for name in names:
        alike = [part for part, own in zip(parts, names) if own == name]
        if len(alike) > 1 and not _apart(alike):
            more = "; give each its own layers" if hasattr(alike[0], "layers") else ""
            raise SettingError(f"techniques {text!r}: {name} is there twice{more}")
    return parts


def techniques_text(parts: Iterable[Any]) -> str:
    """The text of techniques; `techniques_from_text` reads it back.

    >>> techniques_text(techniques_from_text("augment:shift=0.2+dropout:layers=1/2")), techniques_text(())
    ('augment:shift=0.2+dropout:layers=1/2', 'none')
    """
    return "+".join(part_text(TECHNIQUES, part) for part in parts) or NONE


def _after_commas(texts: list[str]) -> list[str]:
    """What could be names of techniques where a setting should be."""
    return [technique_name(part) for text in texts for part in text.split(",")[1:]]


def _apart(alike: list[Any]) -> bool:
    """Whether techniques of one kind act on layers of their own each."""
    layers: list[int] = []
    for part in alike:
        own = getattr(part, "layers", None)
        if own is None:
            return False
        layers += own
    return len(layers) == len(set(layers))
