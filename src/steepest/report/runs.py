"""Saved runs as a table, and one run with its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from steepest.report.command import command_text, planned, reading_text, settings_text
from steepest.report.layout import NARROW, facts, table
from steepest.report.text import duration, shown

FACTS = ("id", "command", "name", "status", "created", "seconds", "trainings", "settings", "data", "environment")


def row_dict(row: Any) -> dict[str, Any]:
    """A run of the store as plain values, without its trainings and its result."""
    return {name: getattr(row, name) for name in FACTS}


def runs_table(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """One line a run; on a narrow terminal what else there is to say stands below the data."""
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
        more = [row["command"], begun(row), duration(row["seconds"])]
        name = f"{shown(row['name'])}\n{', '.join(more)}" if narrow else shown(row["name"])
        made.add_row(str(row["id"]), name, row["status"], done(row), *([] if narrow else more))
    return made


def run_lines(row: Mapping[str, Any]) -> list[RenderableType]:
    """One run: what, when, how far, with what."""
    compared = row["command"] == "compare"
    far = f"{done(row, ' of ')} trainings" if compared else f"{row['trainings']:,} trainings"
    rows: list[tuple[str, RenderableType]] = [
        ("run", f"{row['id']} ({row['command']}, {row['status']})"),
        ("data", f"{shown(row['name'])}, fingerprint {row['data'].get('fingerprint', 'unknown')}"),
        ("begun", f"{begun(row)} UTC"),
        ("work", f"{far}, {duration(row['seconds'])}"),
        ("settings", settings_text(row["settings"])),
        ("made with", ", ".join(f"{name} {value}" for name, value in row["environment"].items() if value)),
    ]
    if read := reading_text(row):
        rows.insert(2, ("read with", shown(read)))
    return [facts(rows)]


def command_line(row: Mapping[str, Any]) -> str | None:
    """The command of a comparison, to go on with it where it has not finished; one line, for it is to be copied."""
    command = command_text(row) if row["command"] == "compare" else None
    if command is None:
        return None
    return f"{'Go on with it' if row['status'] == 'interrupted' else 'Its command'}: {shown(command)}"


def done(row: Mapping[str, Any], of: str = "/") -> str:
    """How many trainings a run has, and of how many where it has not finished: 5,040 or 165/440."""
    whole = row["command"] != "compare" or row["status"] == "finished"
    return f"{row['trainings']:,}" + ("" if whole else f"{of}{planned(row['settings']):,}")


def begun(row: Mapping[str, Any]) -> str:
    """When, to the minute, in UTC."""
    return row["created"][:16].replace("T", " ")
