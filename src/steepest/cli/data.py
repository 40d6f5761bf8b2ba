"""`steepest data`: what comes along, what can be downloaded, and what a source holds and what is wrong with it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from steepest.cli.console import Terminal
from steepest.cli.interrupts import Stopped
from steepest.cli.opening import settings_of
from steepest.cli.options import SOURCE, DataOptions, Output

EXAMPLES = """Examples:

  steepest data list
  steepest data get cifar10
  steepest data check photos/
"""
GOT = """Examples:

  steepest data get cifar10              then: steepest compare cifar10
  steepest data get mnist --to /data
  steepest data get mnist --mirror https://example.org/mnist
"""
CHECKED = """Examples:

  steepest data check photos/ --size 64
  steepest data check customers.csv --label churned --missing mean
"""

app = App(
    name="data",
    sort_key=5,
    help="List data that comes along, download some, or check a source.",
    help_epilogue=EXAMPLES,
)


@app.command(name="list", help_epilogue=EXAMPLES)
def list_sources(*, output: Output = Output()) -> None:  # noqa: B008 - frozen
    """List the data that comes along, what can be downloaded, and the kinds of files that can be read."""
    from steepest.data.named import NAMED, downloads, is_here
    from steepest.data.sources import SOURCES
    from steepest.report.sources import KINDS, downloads_dict, downloads_table, sources_table

    terminal = Terminal(output)
    here = {name: str(downloads() / name) if is_here(name) else None for name in NAMED}
    if output.json:
        terminal.data("data", {"sources": SOURCES, "kinds": KINDS, "downloads": downloads_dict(NAMED, here)})
    else:
        built_in, files = sources_table(SOURCES)
        terminal.show(built_in, downloads_table(NAMED, here), files)


@app.command(name="get", help_epilogue=GOT)
def get_source(
    name: Annotated[str, Parameter(help="cifar10, cifar100, mnist or fashion-mnist.")],
    /,
    *,
    to: Annotated[
        Path | None, Parameter(help="Folder to put it in, under its name, instead of where names are looked up.")
    ] = None,
    mirror: Annotated[str | None, Parameter(help="Another address where its files lie.", metavar="URL")] = None,
    output: Output = Output(),  # noqa: B008
) -> None:
    """Download a data set by name, check it, and go on where an earlier download was interrupted.

    What is there already is checked and stays. A file gets its name when its checksum is right.
    """
    from steepest.data.download import get, kept
    from steepest.data.named import NAMED
    from steepest.report.text import megabytes

    terminal = Terminal(output)
    try:
        with terminal.progress(f"downloading {name}") as report:
            folder = get(
                name, to, mirror, lambda done, total: report(done, total, f"{megabytes(done)} of {megabytes(total)}")
            )
    except Stopped as stop:
        size = megabytes(NAMED[name].size)
        raise Stopped(
            stop.number, f"{stop}: {megabytes(kept(name, to))} of {size} are kept; the same command goes on from there"
        ) from None
    if output.json:
        terminal.data("data", {"name": name, "folder": str(folder), "files": list(NAMED[name].files)})
    else:
        terminal.line(str(folder))
        terminal.note(f"next: steepest compare {shlex.quote(str(folder)) if to else name}")


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
    with terminal.counting("reading images") as progress:
        found = data.check(
            source,
            **settings_of(options),
            progress=progress,
        )
    if output.json:
        terminal.data("data", check_dict(found))
    else:
        terminal.show(*check_lines(found))
    return 0 if found.usable else 1
