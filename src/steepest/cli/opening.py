"""Opening the data that a command was given, with progress while images decode and its notes said."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from steepest.cli.console import Terminal
from steepest.cli.options import DataOptions

if TYPE_CHECKING:
    from steepest.data import Dataset


def settings_of(options: DataOptions) -> dict[str, Any]:
    """The options that were named, as keyword arguments of `steepest.data.open` and `check`."""
    named = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {name: value for name, value in named.items() if not (value is None or value is False or value == ())}


def opened(source: str, settings: Mapping[str, Any], terminal: Terminal, test: object = None) -> Dataset:
    """The source as a Dataset; what the reader should know about it, tested as `test` says, on standard error."""
    from steepest import data
    from steepest.data.parts import as_tested
    from steepest.study.settings import GIVEN

    with terminal.counting("reading images") as progress:
        found = data.open(
            source,
            **settings,
            progress=progress,
        )
    for note in as_tested(found.notes, found.given_test) if test == GIVEN else found.notes:
        terminal.note(f"{found.name}: {note}")
    return found
