"""How tables look, so that they align on a wide terminal, a narrow one and in a file."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

NARROW = 72  # columns; below, long columns move under the name


def table() -> Table:
    """An empty table: a heading line and no frame."""
    return Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        header_style="bold",
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def titled(title: str, content: RenderableType) -> RenderableType:
    """A title over its table, folded to the terminal's width and not to the table's; an empty line before it."""
    return Group(Text(""), Text(title, style="bold"), content)


def facts(rows: Sequence[tuple[str, RenderableType]]) -> Table:
    """Names and what belongs to them, in two columns."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, Text(value) if isinstance(value, str) else value)
    return made


def bullets(title: str, lines: Sequence[str], style: str = "yellow") -> RenderableType:
    """A list under a title; long lines hang under their own beginning."""
    items = Table.grid(padding=(0, 1))
    items.add_column(width=1)
    items.add_column(overflow="fold")
    for line in lines:
        items.add_row(Text("•", style=style), Text(line))
    return titled(title, Padding(items, (0, 0, 0, 1)))
