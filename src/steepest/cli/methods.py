"""`steepest methods`: what there is to choose from, with equations, ranges and search spaces."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from steepest.cli.console import Terminal
from steepest.cli.options import Output

EXAMPLES = """Examples:

  steepest methods adam
  steepest methods --kind schedules
"""

Kind = Literal[
    "methods", "penalties", "techniques", "losses", "schedules", "inits", "models", "stops", "clips", "averages"
]


def methods(
    name: Annotated[str | None, Parameter(help="Show this one in full.")] = None,
    /,
    *,
    kind: Annotated[Kind, Parameter(help="What to list.")] = "methods",
    output: Output = Output(),  # noqa: B008 - frozen
) -> None:
    """List methods, penalties, techniques … with equations, ranges, search spaces."""
    from steepest.report.catalog import entries_table, entry_lines
    from steepest.study.parts import REGISTRIES, part_entry

    terminal = Terminal(output)
    listed: str = kind
    if name and name not in REGISTRIES[kind]:  # `methods l1` means the penalty
        listed = next((other for other in REGISTRIES if name in REGISTRIES[other]), kind)
    registry = REGISTRIES[listed]
    entries = [part_entry(registry, one) for one in ([name] if name else registry.names())]
    if output.json:
        terminal.data("methods", {"kind": listed, "entries": entries})
    elif name:
        terminal.show(*entry_lines(registry.what, entries[0]))
    else:
        terminal.show(*entries_table(listed, entries, terminal.out.width))
