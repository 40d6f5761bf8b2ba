"""Opening the data that a command was given, with progress while images decode and its notes said."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from steepest.cli.console import Terminal
from steepest.cli.options import DataOptions

if TYPE_CHECKING:
    from steepest.data import Dataset


def settings_of(options: DataOptions) -> dict[str, Any]:
    """The options that were named, as keyword arguments of `steepest.data.open` and `check`."""
    named = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {name: value for name, value in named.items() if value not in (None, False, ())}


def as_typed(source: str, options: DataOptions) -> str:
    """The source and the options that read it, as they would be typed again.

    >>> as_typed("my cats.csv", DataOptions(label="cat", drop=("id", "date"), raw=True))
    "'my cats.csv' --label cat --raw --drop id,date"
    """
    words = [source]
    for field in dataclasses.fields(options):
        value, flag = getattr(options, field.name), f"--{field.name.replace('_', '-')}"
        if value != field.default:
            words += [flag] if value is True else [flag, ",".join(value) if isinstance(value, tuple) else str(value)]
    return shlex.join(words)


def opened(source: str, settings: Mapping[str, Any], terminal: Terminal) -> Dataset:
    """The source as a Dataset; what the reader should know about it is said on standard error."""
    from steepest import data

    with terminal.counting("reading images") as progress:
        found = data.open(
            source,
            **settings,
            progress=progress,
        )
    for note in found.notes:
        terminal.note(f"{found.name}: {note}")
    return found
