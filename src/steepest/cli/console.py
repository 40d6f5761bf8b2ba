"""The two streams: results go to standard output, everything else to standard error."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from steepest.cli.options import Output
from steepest.core.errors import SteepestError

SELDOM = 10.0  # seconds between two lines of progress where no bar can be drawn


class OutputError(SteepestError):
    """Standard output takes no more."""


@contextmanager
def results() -> Iterator[None]:
    """While results are written, a failure of the system is said to be one of standard output (a full disk)."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written ({error.strerror or error})") from error


class Paper(Console):
    """A console that leaves a broken pipe to `main`, which ends the command quietly."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Terminal:
    """What a command says, and where."""

    def __init__(self, output: Output) -> None:
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:  # file names that are no text come out as the bytes they are
                utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
                reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")
        look: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
        if output.plain:
            look |= {"no_color": True, "force_terminal": False, "safe_box": True, "color_system": None}
        self.out = Paper(file=sys.stdout, **look)
        self.err = Paper(file=sys.stderr, **look)
        self.output = output

    def show(self, *renderables: RenderableType) -> None:
        """Results for people."""
        if self.out.is_terminal:
            with results():
                self.out.print(*renderables, sep="\n")
            return
        with results(), self.out.capture() as drawn:  # a file gets no blanks that fill lines up
            self.out.print(*renderables, sep="\n")
        for line in drawn.get().splitlines():
            self.line(line.rstrip())

    def line(self, text: str) -> None:
        """One line of results, never folded and nothing in it changed: a path, a command, a row of data."""
        with results():
            print(text, file=sys.stdout)

    def data(self, command: str, values: dict[str, Any]) -> None:
        """Results for programs: one JSON object with its schema first; what JSON cannot say (NaN) is null."""
        self.line(json.dumps(plain_json({"schema": f"steepest.{command}/1", **values}), allow_nan=False))

    def note(self, text: str) -> None:
        """Something to know while a command works."""
        if not self.output.quiet:
            self._err(text)

    def detail(self, text: str) -> None:
        """Something to know with -v."""
        if self.output.verbose and not self.output.quiet:
            self._err(text)

    def _err(self, text: str) -> None:
        self.err.print(Text(harmless(text)), soft_wrap=True)

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[float, float, str], None]]:
        """A function to call with (done, all, words): a bar on a terminal, else a line now and then."""
        if self.output.quiet:
            yield _nothing
        elif self.err.is_terminal and not self.output.plain:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(None),
                TextColumn("{task.fields[words]}"),
            )
            with Progress(*columns, console=self.err, transient=True, expand=True) as bar:
                task = bar.add_task(what, total=None, words="")
                yield lambda done, total, words: bar.update(task, completed=done, total=total, words=words)
        else:
            yield _Seldom(self, what).say

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """`progress` of what is counted: a function to call with (done, all)."""
        with self.progress(what) as report:
            yield lambda done, total: report(done, total, f"{done:,} of {total:,}")

    def warn(self, text: str) -> None:
        """Something that must be known, even with -q."""
        self._err(text)


def harmless(text: str) -> str:
    """The text on one line, whatever a file or a class is called: what would move or colour a terminal is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _nothing(done: float, total: float, words: str) -> None:
    """Progress that nobody wants to see."""
    del done, total, words


class _Seldom:
    """Progress as lines, none in the first seconds."""

    def __init__(self, terminal: Terminal, what: str) -> None:
        self._terminal, self._what = terminal, what
        self._last = time.monotonic()

    def say(self, done: float, total: float, words: str) -> None:
        now = time.monotonic()
        if now - self._last >= SELDOM and done < total:
            self._last = now
            self._terminal.note(f"{self._what}: {words}")


def plain_json(value: Any) -> Any:
    """The same with NaN and the infinities as null, tuples as lists, and NumPy's numbers as Python's."""
    if isinstance(value, dict):
        return {str(key): plain_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(inner) for inner in value]
    if hasattr(value, "tolist"):
        return plain_json(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
