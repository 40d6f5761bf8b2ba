"""The application: its commands, where their settings come from, and how each way to end becomes an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from cyclopts import App, CoercionError, CycloptsError, UnusedCliTokensError

from steepest.cli import compare, data, evaluate, fit, methods, predict, runs
from steepest.cli.console import OutputError, Paper, harmless, results
from steepest.cli.interrupts import Stopped, stoppable
from steepest.cli.options import Output
from steepest.cli.settings import Environment, SettingsFile
from steepest.core.errors import SettingError, SteepestError
from steepest.core.version import __version__

BROKEN_PIPE = 141  # as a shell reports any command that the end of a pipe stopped

ABOUT = """Which optimization method and which regularization train best on your data,
by how much, or undetermined."""

EPILOGUE = """Examples:

  steepest compare digits                on handwritten digits that come along
  steepest compare photos/               on your images, one subfolder a class
  steepest fit digits --from latest      train with the setting it recommends

Settings come from the command line, else from the environment
(STEEPEST_COMPARE_TRIALS=30, or STEEPEST_TRIALS=30 for all commands), else from
steepest.toml ([compare] trials = 30), else they have their defaults.
"""


def build() -> App:
    """The application with all its commands."""
    app = App(
        name="steepest",
        help=ABOUT,
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        version=__version__,
        console=Paper(highlight=False),
    )
    for place, module in enumerate((compare, fit, evaluate, predict)):
        command = getattr(module, module.__name__.rpartition(".")[2])
        app.command(command, help_epilogue=module.EXAMPLES, sort_key=place)
    app.command(runs.app)
    app.command(data.app)
    app.command(methods.methods, help_epilogue=methods.EXAMPLES, sort_key=6)
    app.config = (Environment(app), SettingsFile(app))
    app.register_install_completion_command(help="Install completion of commands and options for your shell.")
    return app


def run(argv: Sequence[str] | None = None) -> int:
    """Parse, call, and turn every way to end into an exit code and at most one line on standard error."""
    tokens = list(sys.argv[1:] if argv is None else argv)
    _reopen_closed()
    try:
        command, arguments, _ = build().parse_args(tokens, print_error=False, exit_on_error=False)
    except CycloptsError as error:
        return _fail(one_line(error), 2)
    except SteepestError as error:
        return _fail(str(error), error.exit_code)
    output = arguments.arguments.get("output", Output())
    return _call(lambda: command(*arguments.args, **arguments.kwargs), output.debug)


def _call(command: Callable[[], Any], debug: bool) -> int:
    """One command's exit code, whatever happens in it."""
    try:
        with stoppable():
            code = command()
        with results():
            sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = _nowhere()  # what is left in its buffer would raise again at exit
        return BROKEN_PIPE
    except OutputError as error:
        sys.stdout = _nowhere()
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt as stop:
        if debug:
            traceback.print_exc()
        return _fail(str(stop) or "interrupted", stop.exit_code if isinstance(stop, Stopped) else 130)
    except SteepestError as error:
        if debug:
            traceback.print_exc()
        return _fail(str(error), error.exit_code)
    except OSError as error:  # a full disk, for instance
        if debug:
            traceback.print_exc()
        return _fail(str(error), 1)
    except Exception as error:  # the last resort: a bug is one line too, and its traceback is one option away
        if debug:
            traceback.print_exc()
            return 1
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"internal error: {said[:300]}; run again with --debug", 1)
    return code if isinstance(code, int) else 0


def _reopen_closed() -> None:
    """Streams that the caller closed (`>&-`) lead nowhere; left closed, a file opened later would get their number."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere())


def _nowhere() -> Any:
    return open(os.devnull, "w")  # noqa: PTH123 - open until the process ends


def one_line(error: CycloptsError) -> str:
    """What cyclopts has to say about a misused command, as one line with what to do."""
    if isinstance(error, CoercionError) and isinstance(error.__cause__, SettingError):
        return str(error.__cause__)  # our own converter's, and already whole
    error.verbose = False
    said = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        said = f"more arguments than it takes: {' '.join(error.unused_tokens)}"
    return f"{said} (see: {' '.join(['steepest', *(error.command_chain or ())])} --help)"


def _fail(message: str, code: int) -> int:
    print(f"steepest: {harmless(message)}", file=sys.stderr)
    return code
