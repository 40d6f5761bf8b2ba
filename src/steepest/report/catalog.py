"""What there is to choose from: methods, penalties, techniques …, with equations, ranges and search spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from steepest.report.layout import NARROW, facts, table, titled
from steepest.report.text import number


def entries_table(kind: str, entries: Sequence[Mapping[str, Any]], width: int) -> list[RenderableType]:
    """One line an entry: name, equation, hyperparameters with their defaults, those below it on a narrow terminal."""
    made = table()
    made.add_column("name", no_wrap=True)
    made.add_column("equation")
    if width >= NARROW:
        made.add_column("hyperparameters")
    for entry in entries:
        numbers = ", ".join(f"{one['name']}={number(one['default'])}" for one in entry["hyperparameters"])
        row = [Text(entry["name"]), Text(entry["equation"] or entry["about"]), Text(numbers)]
        made.add_row(*(row if width >= NARROW else [row[0], Text("\n").join(cell for cell in row[1:] if cell)]))
    return [
        made,
        Text(f"One in full: steepest methods NAME{'' if kind == 'methods' else f' --kind {kind}'}", style="dim"),
    ]


def entry_lines(what: str, entry: Mapping[str, Any]) -> list[RenderableType]:
    """One entry in full."""
    rows: list[tuple[str, RenderableType]] = [(what, entry["name"]), ("class", f"steepest.{entry['class']}")]
    for name in ("about", "equation", "paper"):
        if entry[name]:
            rows.append((name, entry[name]))
    if entry["contains"]:
        rows.append(("contains", f"{', '.join(entry['contains'])} (for some setting)"))
    if entry["refuses"]:
        rows.append(("not with", entry["refuses"]))
    if entry["needs"]:
        rows.append(("needs", ", ".join(entry["needs"])))
    if entry["settings"]:
        rows.append(("settings", ", ".join(_setting(one) for one in entry["settings"])))
    made: list[RenderableType] = [facts(rows)]
    if entry["hyperparameters"]:
        numbers = table()
        numbers.add_column("name", no_wrap=True)
        numbers.add_column("default", justify="right", no_wrap=True)
        numbers.add_column("allowed")
        numbers.add_column("searched by compare")
        for one in entry["hyperparameters"]:
            numbers.add_row(
                one["name"], number(one["default"]), one["range"], one["space"] or "no, held at its default"
            )
        made.append(titled("Hyperparameters", numbers))
    return made


def _setting(one: Mapping[str, Any]) -> str:
    """A setting with its default, where it has one, and what else it may be, where that is a choice of words."""
    others = ", ".join(word for word in one["choices"] if word != one["default"])
    made = one["name"] if one["default"] == "" else f"{one['name']}={one['default']}"
    return f"{made} (or {others})" if others else made
