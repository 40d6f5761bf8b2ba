"""Parts of a recipe as people write them: `adam:rate=0.01,decay1=0.8`, `step:every=10`, `chain:first=(step:by=0.5)`.

One form for every registry: a name, then settings after a colon. Hyperparameters are numbers, settings are words,
true/false or whole numbers between slashes (`layers=1/2`, or `all`), and a part inside a part is written in the same
form, in parentheses where it has settings of its own. Techniques are joined by plus: `dropout:rate=0.3+augment`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.core.hyper import Domain
from steepest.core.registry import Registry
from steepest.core.spec import hyperparameters, search_space
from steepest.inits import INITS
from steepest.losses import LOSSES
from steepest.methods import AVERAGES, CLIPS, METHODS
from steepest.models import MODELS
from steepest.models.text import model_from_text, model_text
from steepest.penalties import PENALTIES
from steepest.schedules import SCHEDULES
from steepest.stops import STOPS
from steepest.study.settings import NONE, technique_parts
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
REGISTRIES: dict[str, Registry] = {
    "methods": METHODS,
    "penalties": PENALTIES,
    "losses": LOSSES,
    "schedules": SCHEDULES,
    "inits": INITS,
    "models": MODELS,
    "stops": STOPS,
    "clips": CLIPS,
    "averages": AVERAGES,
    "techniques": TECHNIQUES,
}
TRUTH = {"true": True, "yes": True, "false": False, "no": False}
ALL = "all"  # of the layers: None in a specification
NEEDS = {"needs_images": "images", "needs_hidden": "hidden layers", "needs_classes": "classes"}


def part_from_text(registry: Registry, text: str) -> Any:
    """The method, penalty, schedule … that a text names and sets.

    >>> part_from_text(METHODS, "adam:rate=0.01,correct=false")
    Adam(rate=0.01, correct=False)

    Raises SettingError for an unknown name or setting, and for a value that is no number or out of its range.
    """
    name, _, rest = text.strip().partition(":")
    name = name.strip()
    cls = registry[name]
    fields = {field.name: field for field in dataclasses.fields(cls)}
    given: dict[str, Any] = {}
    for piece in _pieces(rest, text):
        key, equals, value = (side.strip() for side in piece.partition("="))
        if not equals or not key or not value:
            example = f"{name}:{next(iter(fields), 'setting')}=…"
            raise SettingError(f"{registry.what} {text!r}: {piece!r} is no setting; write name=value, as in {example}")
        if key not in fields:
            raise unknown(f"setting of {registry.what} {name}", key, fields)
        if key in given:
            raise SettingError(f"{registry.what} {text!r}: {key} is given twice")
        given[key] = _value(registry, f"{registry.what} {name}: {key}", fields[key], value)
    missing = [key for key, field in fields.items() if _required(field) and key not in given]
    if missing:
        raise SettingError(f"{registry.what} {name!r} cannot be written as text: it needs {', '.join(missing)}")
    return cls(**given)


def part_text(registry: Registry, part: Any) -> str:
    """The text of a part, with the settings that differ from its defaults; `part_from_text` reads it back.

    >>> part_text(METHODS, part_from_text(METHODS, "adam:rate=1e-2"))
    'adam:rate=0.01'
    """
    said = []
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if not _required(field) and type(value) is type(field.default) and value == field.default:
            continue
        if "part" in field.metadata:
            inner = part_text(registry, value)
            said.append(f"{field.name}={f'({inner})' if ':' in inner else inner}")
        else:
            said.append(f"{field.name}={_written(value, field)}")
    name = registry.name_of(part)
    return f"{name}:{','.join(said)}" if said else name


def part_entry(registry: Registry, name: str) -> dict[str, Any]:
    """What there is to know about a part, ready for JSON: equation, paper, and each setting with range and space."""
    cls = registry[name]
    spaces = search_space(cls)
    numbers = [
        {
            "name": key,
            "default": field.default,
            "range": str(field.metadata["domain"]),
            "space": str(spaces[key]) if key in spaces else None,
        }
        for key, field in hyperparameters(cls).items()
    ]
    others = [
        {"name": field.name, "default": None if _required(field) else _written(field.default, field)}
        for field in dataclasses.fields(cls)
        if field.name not in hyperparameters(cls)
    ]
    return {
        "name": name,
        "class": cls.__name__,
        "about": next(iter((cls.__doc__ or "").strip().splitlines()), ""),
        "equation": getattr(cls, "equation", ""),
        "paper": getattr(cls, "paper", ""),
        "contains": list(getattr(cls, "contains", ())),
        "refuses": _refused(cls),
        "needs": [what for name, what in NEEDS.items() if getattr(cls, name, False) is True],
        "hyperparameters": numbers,
        "settings": others,
    }


def _refused(cls: type) -> str:
    """Penalties that a method does not go with; a solver, which takes no stride, has its own way to them."""
    strides = getattr(cls, "has_stride", True) or hasattr(cls, "solve")
    return "" if strides else "l1, elastic: they need a stride"


def recipe_from_texts(
    texts: Mapping[str, str | None], batch_size: int | None = None, base: Recipe | None = None
) -> Recipe:
    """A recipe whose parts are written as text; those that are None, and the batch size, are those of `base`.

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
    recipe = Recipe(**{**values, **({} if batch_size is None else {"batch_size": batch_size})})
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


def _apart(alike: list[Any]) -> bool:
    """Whether techniques of one kind act on layers of their own each."""
    layers: list[int] = []
    for part in alike:
        own = getattr(part, "layers", None)
        if own is None:
            return False
        layers += own
    return len(layers) == len(set(layers))


def _pieces(rest: str, text: str) -> list[str]:
    """Settings between commas; a comma inside parentheses belongs to a part inside."""
    pieces, depth, start = [], 0, 0
    for at, letter in enumerate(rest):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            pieces.append(rest[start:at])
            start = at + 1
    if depth:
        raise SettingError(f"{text!r}: its parentheses do not match")
    pieces.append(rest[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _value(registry: Registry, owner: str, field: dataclasses.Field[Any], text: str) -> Any:
    if "part" in field.metadata:
        if _required(field):
            raise SettingError(f"{owner} takes arrays, which a command line cannot; use the library")
        inside = text[1:-1] if text.startswith("(") and text.endswith(")") else text
        return part_from_text(registry, inside)
    if "domain" in field.metadata:
        return _number(owner, field.metadata["domain"], text)
    if _numbered(field):
        return _whole_numbers(owner, text)
    if isinstance(field.default, bool):
        if text.lower() not in TRUTH:
            raise SettingError(f"{owner} = {text!r}; it must be true or false")
        return TRUTH[text.lower()]
    if isinstance(field.default, int) and text.isdecimal() and text.isascii():
        return int(text)
    return text


def _number(owner: str, domain: Domain, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise SettingError(f"{owner} = {text!r}; it must be {domain}") from None
    if number not in domain:
        raise SettingError(f"{owner} = {text}; it must be {domain}")
    return int(number) if domain.whole else number


def _numbered(field: dataclasses.Field[Any]) -> bool:
    """Whether a setting is a tuple of whole numbers."""
    return "tuple[int" in str(field.type)


def _whole_numbers(owner: str, text: str) -> tuple[int, ...] | None:
    words = [word.strip() for word in re.split("[/,]", text.strip("()"))]
    if text.lower() == ALL:
        return None
    if not all(word.isdecimal() and word.isascii() for word in words):
        raise SettingError(f"{owner} = {text!r}; it must be whole numbers such as 1 or 1/2, or all")
    return tuple(int(word) for word in words)


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _written(value: Any, field: dataclasses.Field[Any]) -> Any:
    """A setting as text that is read back; `repr` of a float is its shortest exact form."""
    if _numbered(field):
        return ALL if value is None else "/".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
