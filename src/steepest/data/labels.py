"""Which label columns are meant, and what each of several holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from steepest.core.errors import SettingError
from steepest.data.paths import shown

Labels: TypeAlias = str | Sequence[str]  # one name, several between commas, or a sequence of names


class NoSuchLabel(SettingError):
    """A label was named, and the source's rows have none of that name."""


@dataclass(frozen=True, eq=False)
class Task:
    """One label column: its name, the class number of each row int32 [rows], and the names of the classes."""

    name: str
    y: np.ndarray
    classes: tuple[str, ...]


def label_names(given: Labels, known: Collection[str]) -> tuple[str, ...]:
    """The names of label columns, in their order; a comma parts names unless a known name has it.

    Raises SettingError for a name that is there twice, and for none.

    >>> label_names("species, island", ["species", "island"]), label_names("a,b", ["a,b", "c"])
    (('species', 'island'), ('a,b',))
    """
    names: list[str] = []
    for text in [given] if isinstance(given, str) else given:
        parts = [part.strip() for part in text.split(",")]
        names += [text] if text in known or len(parts) == 1 else [part for part in parts if part]
    if not names:
        raise SettingError(f"label = {given!r}; name a column, or several as a,b")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SettingError(f"label: {shown(twice)!r} is named twice")
    return tuple(names)
