"""`steepest methods`: what there is to choose from, with equations, ranges and search spaces."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from cyclopts import Parameter

from steepest.cli.console import Terminal
from steepest.cli.options import Output
from steepest.core.errors import SettingError

EXAMPLES = """Examples:

  steepest methods adam
  steepest methods --kind schedules
"""

Kind = Literal[
    "methods",
    "penalties",
    "techniques",
    "losses",
    "schedules",
    "inits",
    "models",
    "stops",
    "clips",
    "averages",
    "attacks",
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
    from steepest.study.attack import ATTACKS, attack_entry
    from steepest.study.parts import REGISTRIES, part_entry

    terminal = Terminal(output)
    registries = {**REGISTRIES, "attacks": ATTACKS}
    listed = kind if name is None else kind_of(name, kind, registries)
    registry = registries[listed]
    names = [name] if name else registry.names()
    entries = [attack_entry(one) if registry is ATTACKS else part_entry(registry, one) for one in names]
    if output.json:
        terminal.data("methods", {"kind": listed, "entries": entries})
    elif name:
        terminal.show(*entry_lines(registry.what, entries[0]))
    else:
        terminal.show(*entries_table(listed, entries, terminal.out.width))


def kind_of(name: str, kind: str, registries: Mapping[str, Iterable[str]]) -> str:
    """The kind that a name is of: `methods l1` means the penalty. Raises SettingError with the nearest of all kinds.

    >>> kind_of("l1", "methods", {"methods": ["sgd"], "penalties": ["l1"]})
    'penalties'
    """
    for one in (kind, *registries):
        if name in registries[one]:
            return one
    every = {known: one for one, names in reversed(list(registries.items())) for known in names}
    near = difflib.get_close_matches(name, every, n=1)
    if near:
        raise SettingError(f"unknown name {name!r}; did you mean {near[0]!r}? See: steepest methods {near[0]}")
    raise SettingError(f"unknown name {name!r}; list what there is with --kind: {', '.join(registries)}")
