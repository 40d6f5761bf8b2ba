"""Opening the data that a command was given, with progress while images decode and its notes said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steepest.cli.console import Terminal
from steepest.cli.options import DataOptions

if TYPE_CHECKING:
    from steepest.data import Dataset


def settings_of(options: DataOptions) -> dict[str, Any]:
    """The options as keyword arguments of `steepest.data.open` and `check`."""
    return dict(vars(options))


def opened(source: str, options: DataOptions, terminal: Terminal) -> Dataset:
    """The source as a Dataset; what the reader should know about it is said on standard error."""
    from steepest import data

    with terminal.progress("reading images") as report:
        found = data.open(
            source,
            **settings_of(options),
            progress=lambda done, total: report(done, total, f"{done:,} of {total:,}"),
        )
    for note in found.notes:
        terminal.note(f"{found.name}: {note}")
    return found
