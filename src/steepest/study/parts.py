"""A part of a recipe as people write it: `adam:rate=0.01,decay1=0.8`, `step:every=10`, `chain:first=(step:by=0.5)`.

One form for every registry: a name, then settings after a colon. Hyperparameters are numbers, settings are words,
true/false or whole numbers between slashes (`layers=1/2`, or `all`), and a part inside a part is written in the same
form, in parentheses where it has settings of its own.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.core.hyper import Domain
from steepest.core.registry import Registry
from steepest.core.spec import hyperparameters, search_space
from steepest.inits import INITS
from steepest.losses import LOSSES
from steepest.methods import AVERAGES, CLIPS, METHODS
from steepest.models import MODELS
from steepest.penalties import PENALTIES
from steepest.schedules import SCHEDULES
from steepest.stops import STOPS
from steepest.techniques import TECHNIQUES

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
NEEDS = {
    "needs_images": "images", "needs_hidden": "hidden layers", "needs_classes": "classes",
    "needs_tasks": "several label columns", "needs_units": "products that show the units of a model of your own",
    "needs_forward": "forward derivatives of a model of your own",
}  # fmt: skip


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
    made = cls(**given)
    idle = next((key for key in given if key in getattr(made, "idle", ())), None)
    if idle is not None:
        raise SettingError(f"{registry.what} {text!r}: {idle} does nothing beside the other settings; leave it out")
    return made


def part_text(registry: Registry, part: Any) -> str:
    """The text of a part, with the settings that differ from its defaults; `part_from_text` reads it back.

    >>> part_text(METHODS, part_from_text(METHODS, "adam:rate=1e-2"))
    'adam:rate=0.01'
    """
    said = []
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if field.name in getattr(part, "idle", ()):
            continue
        if not _required(field) and type(value) is type(field.default) and value == field.default:
            continue
        if "part" in field.metadata and "numbers" not in field.metadata:
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
        {
            "name": field.name,
            "default": None if _required(field) else _written(field.default, field),
            "choices": list(field.metadata.get("choices", ())),
        }
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
    if "numbers" in field.metadata:
        return tuple(_number(owner, Domain(), word.strip()) for word in text.strip("()").split("/"))
    if "part" in field.metadata:
        if _required(field):
            raise SettingError(f"{owner} takes arrays, which a command line cannot; use the library")
        inside = text[1:-1] if text.startswith("(") and text.endswith(")") else text
        return part_from_text(registry, inside)
    if "domain" in field.metadata:
        return _number(owner, field.metadata["domain"], text)
    if _numbered(field):
        return _whole_numbers(owner, text, or_all="None" in str(field.type))
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


def _whole_numbers(owner: str, text: str, or_all: bool) -> tuple[int, ...] | None:
    words = [word.strip() for word in re.split("[/,]", text.strip("()"))]
    if or_all and text.lower() == ALL:
        return None
    if not all(word.isdecimal() and word.isascii() for word in words):
        such = "whole numbers such as 1 or 1/2" + (", or all" if or_all else "")
        raise SettingError(f"{owner} = {text!r}; it must be {such}")
    return tuple(int(word) for word in words)


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _written(value: Any, field: dataclasses.Field[Any]) -> Any:
    """A setting as text that is read back; `repr` of a float is its shortest exact form."""
    if _numbered(field) or "numbers" in field.metadata:
        return ALL if value is None else "/".join(map(str, value))
    if "domain" in field.metadata and field.metadata["domain"].whole:
        return str(int(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
