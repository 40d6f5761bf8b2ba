"""`steepest data`: what comes along, and what a source holds and what is wrong with it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from steepest.cli.console import Terminal
from steepest.cli.opening import settings_of
from steepest.cli.options import SOURCE, DataOptions, Output

EXAMPLES = """Examples:

  steepest data list
  steepest data check photos/
"""
CHECKED = """Examples:

  steepest data check photos/ --size 64
  steepest data check customers.csv --label churned --missing mean
"""

app = App(name="data", sort_key=5, help="List the built-in data, or check a source of yours.", help_epilogue=EXAMPLES)


@app.command(name="list", help_epilogue=EXAMPLES)
def list_sources(*, output: Output = Output()) -> None:  # noqa: B008 - frozen
    """List the data that comes along, and the kinds of files that can be read."""
    from steepest.data.sources import SOURCES
    from steepest.report.sources import KINDS, sources_table

    terminal = Terminal(output)
    if output.json:
        terminal.data("data", {"sources": SOURCES, "kinds": KINDS})
    else:
        terminal.show(*sources_table(SOURCES))


@app.command(name="check", help_epilogue=CHECKED)
def check_source(
    source: Annotated[str, Parameter(help=SOURCE)] = "digits",
    /,
    *,
    options: DataOptions = DataOptions(),  # noqa: B008
    output: Output = Output(),  # noqa: B008
) -> int:
    """Say what a source holds and everything that is wrong with it; exit 1 if it cannot be used."""
    from steepest import data
    from steepest.report.sources import check_dict, check_lines

    terminal = Terminal(output)
    with terminal.progress("reading images") as report:
        found = data.check(
            source,
            **settings_of(options),
            progress=lambda done, total: report(done, total, f"{done:,} of {total:,}"),
        )
    if output.json:
        terminal.data("data", check_dict(found))
    else:
        terminal.show(*check_lines(found))
    return 0 if found.usable else 1
