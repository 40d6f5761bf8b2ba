"""Saved runs as a table, and one run with its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from steepest.report.layout import NARROW, facts, table
from steepest.report.text import duration, shown

FACTS = ("id", "command", "name", "status", "created", "seconds", "trainings", "settings", "data", "environment")


def row_dict(row: Any) -> dict[str, Any]:
    """A run of the store as plain values, without its trainings and its result."""
    return {name: getattr(row, name) for name in FACTS}


def runs_table(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """One line a run."""
    narrow = width < NARROW
    made = table()
    made.add_column("run", justify="right", no_wrap=True)
    made.add_column("data", overflow="fold", min_width=10)
    made.add_column("status", no_wrap=True)
    made.add_column("trainings", justify="right", no_wrap=True)
    if not narrow:
        made.add_column("command", no_wrap=True)
        made.add_column("begun (UTC)", no_wrap=True)
        made.add_column("time", justify="right", no_wrap=True)
    for row in rows:
        cells = [str(row["id"]), shown(row["name"]), row["status"], f"{row['trainings']:,}"]
        wide = [row["command"], begun(row), duration(row["seconds"])]
        made.add_row(*cells, *([] if narrow else wide))
    return made


def run_lines(row: Mapping[str, Any]) -> list[RenderableType]:
    """One run: what, when, how far, with what."""
    rows: list[tuple[str, RenderableType]] = [
        ("run", f"{row['id']} ({row['command']}, {row['status']})"),
        ("data", f"{shown(row['name'])}, fingerprint {row['data'].get('fingerprint', 'unknown')}"),
        ("begun", f"{begun(row)} UTC"),
        ("work", f"{row['trainings']:,} trainings, {duration(row['seconds'])}"),
        ("settings", _flat(row["settings"])),
        ("made with", ", ".join(f"{name} {value}" for name, value in row["environment"].items() if value)),
    ]
    return [facts(rows)]


def begun(row: Mapping[str, Any]) -> str:
    """When, to the minute, in UTC."""
    return row["created"][:16].replace("T", " ")


def _flat(settings: Mapping[str, Any]) -> str:
    said = []
    for name, value in settings.items():
        if value is None or value == {} or value == []:
            continue
        said.append(f"{name} {_plain(value)}")
    return "; ".join(said)


def _plain(value: Any) -> str:
    """A setting as it would be typed: a,b for a list, adam.rate=0.1:1 for a search space, yes or no."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={':'.join(map(str, inner))}" for name, inner in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
