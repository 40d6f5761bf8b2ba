"""Settings inside a part, by the names that scikit-learn gives nested parameters: `rate`, or `first__rate` deeper down.

Parts are frozen, so to change a setting is to make another part. Of several techniques each is named: `dropout__rate`,
and `dropout2__rate` for a second one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.techniques import TECHNIQUES


def settings_of(part: Any) -> dict[str, Any]:
    """Every setting of a part, and of the parts inside it.

    >>> from steepest.techniques.dropout import Dropout, InputDropout
    >>> settings_of((Dropout(rate=0.4), InputDropout(rate=0.1)))["input_dropout__rate"]
    0.1
    """
    made: dict[str, Any] = {}
    for name, value in _within(part).items():
        made[name] = value
        made |= {f"{name}__{inner}": deeper for inner, deeper in settings_of(value).items()}
    return made


def replaced(part: Any, changes: Mapping[str, Any], where: str) -> Any:
    """A part with other settings, checked as when it is made; `where` is what messages call it.

    >>> from steepest.techniques.dropout import Dropout
    >>> replaced((Dropout(rate=0.4),), {"dropout__rate": 0.1}, "techniques")
    (Dropout(rate=0.1),)

    Raises SettingError for a name that nothing has, and for a value that the part does not take.
    """
    known = _within(part)
    if not known:
        raise SettingError(f"{where} = {part!r} has no settings to reach into; give {where} a part that has")
    own: dict[str, Any] = {}
    deeper: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        outer, _, inner = name.partition("__")
        if outer not in known:
            raise unknown(f"setting of {where}", outer, list(known))
        if inner:
            deeper.setdefault(outer, {})[inner] = value
        else:
            own[outer] = value
    for name, inside in deeper.items():
        own[name] = replaced(own.get(name, known[name]), inside, f"{where}__{name}")
    if isinstance(part, tuple):
        return tuple((known | own).values())
    return dataclasses.replace(part, **own)


def _within(part: Any) -> dict[str, Any]:
    """What stands in a part by name: the fields of one, or the techniques of several."""
    if isinstance(part, tuple) and all(map(dataclasses.is_dataclass, part)):
        names = [_name(technique) for technique in part]
        places = [names[: at + 1].count(name) for at, name in enumerate(names)]
        return {f"{name}{place if place > 1 else ''}": one for name, place, one in zip(names, places, part)}
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        return {}
    return {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}


def _name(technique: Any) -> str:
    """What a technique is registered as, as Python writes a name."""
    return TECHNIQUES.name_of(technique).replace("-", "_")
