"""Entries of a model file's header, each a DataError unless it is of its kind: anybody may have written the file."""

from __future__ import annotations

import math
from typing import Any

from steepest.core.errors import DataError


def texts(stored: dict[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts; of `classes` at least two, each once."""
    value = stored[name]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise DataError(f"is no model of steepest ({name} is no list of texts)")
    if name == "classes" and (len(set(value)) != len(value) or len(value) < 2):
        raise DataError("is no model of steepest (it needs at least two classes, each named once)")
    return tuple(value)


def whole(stored: dict[str, Any], name: str) -> int:
    """A whole number of at least 0."""
    value = stored[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DataError(f"is no model of steepest ({name} = {value!r} is no whole number)")
    return value


def whole_numbers(stored: dict[str, Any], name: str) -> tuple[int, ...]:
    """The shape of a row: whole numbers of at least 1."""
    value = stored[name]
    if not isinstance(value, list) or not value:
        raise DataError(f"is no model of steepest ({name} is no list of whole numbers)")
    found = tuple(whole({name: one}, name) for one in value)
    if min(found) < 1 or math.prod(found) > 2**31 - 1:
        raise DataError(f"is no model of steepest ({name} = {found} cannot be a row's)")
    return found


def mapping(stored: dict[str, Any], name: str) -> dict[str, Any]:
    """A mapping, of whatever."""
    if not isinstance(stored[name], dict):
        raise DataError(f"is no model of steepest ({name} is no mapping)")
    return stored[name]


def scores(stored: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Part of the rows → name → score; NaN and infinities are stored by name."""
    made: dict[str, dict[str, float]] = {}
    for part in mapping(stored, "scores"):
        found = mapping(stored["scores"], part)
        try:
            made[part] = {name: float(value) for name, value in found.items()}
        except (TypeError, ValueError) as error:
            raise DataError(f"is no model of steepest (a score is no number: {error})") from error
    return made
