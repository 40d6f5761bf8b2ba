"""`steepest runs`: list, show and remove what was run."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from steepest.cli.console import Terminal
from steepest.cli.options import Output

EXAMPLES = """Examples:

  steepest runs list
  steepest runs show latest
"""
REMOVED = """Examples:

  steepest runs remove 3
  STEEPEST_HOME=/data/studies steepest runs remove 3 4
"""

Run = Annotated[str, Parameter(help='Its number, "latest", or the beginning of its data\'s name.')]

app = App(name="runs", sort_key=4, help="List, show or remove saved runs.", help_epilogue=EXAMPLES)


@app.command(name="list", help_epilogue=EXAMPLES)
def list_runs(*, output: Output = Output()) -> None:  # noqa: B008 - frozen
    """List the saved runs, oldest first."""
    from steepest.report.runs import row_dict, runs_table
    from steepest.study.store import Store

    terminal = Terminal(output)
    with Store.open(create=False) as store:
        rows = store.runs()
    if output.json:
        terminal.data("runs", {"path": str(store.path), "runs": [row_dict(row) for row in rows]})
    elif rows:
        terminal.show(runs_table([row_dict(row) for row in rows], terminal.out.width))
    else:
        terminal.line(f"no runs yet in {store.path}; start one with: steepest compare digits")


@app.command(name="show", help_epilogue=EXAMPLES)
def show_run(run: Run = "latest", /, *, output: Output = Output()) -> None:  # noqa: B008
    """Show a run: its settings, how far it is, and its result."""
    from steepest.report.runs import command_line, row_dict, run_lines
    from steepest.study.store import Store

    terminal = Terminal(output)
    with Store.open(create=False) as store:
        row = store.get(run)
    if output.json:
        terminal.data("runs", {"path": str(store.path), "run": {**row_dict(row), "result": row.result}})
        return
    terminal.show(*run_lines(row_dict(row)))
    if row.command == "compare" and row.result is not None:
        from steepest.report.comparison import comparison_lines

        terminal.show(*comparison_lines(row.result, terminal.out.width))
    if command := command_line(row_dict(row)):
        terminal.line(command)


@app.command(name="remove", help_epilogue=REMOVED)
def remove_runs(run: Run, /, *more: Run, output: Output = Output()) -> None:  # noqa: B008
    """Remove runs and all their trainings."""
    from steepest.study.store import Store

    terminal = Terminal(output)
    with Store.open(create=False) as store:
        rows = [store.get(which) for which in (run, *more)]
        for row in rows:
            store.remove(row.id)
            terminal.note(f"removed run {row.id} ({row.name}, {row.trainings:,} trainings)")
    if output.json:
        terminal.data("runs", {"path": str(store.path), "removed": [row.id for row in rows]})
