"""One process at a time works on a run.

The lock is the kernel's: an exclusive lock on an empty file, taken through SQLite, which knows how on every system. The
kernel takes it from a process that ends, however it ends. So a dead owner's lock needs no takeover: no process id to
be looked up, none that a new process could have been given again, no clock, and it also holds between containers.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from steepest.study.home import make_home

PATIENCE = 0.25  # seconds; `held`, asked by another process, is in the way for microseconds


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[bool]:
    """Hold the lock file at `path` while inside; False, and not held, if another has it.

    The file stays behind, empty. To remove it here would let two in: one through the old file, one through a new one.
    """
    make_home(path.parent)
    # Another thread than the one that took it may have to give it back (a generator closed by the collector).
    connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE, check_same_thread=False)
    with contextlib.closing(connection):
        try:
            connection.execute("PRAGMA journal_mode = MEMORY")  # no journal file beside it: nothing is ever written
            connection.execute("BEGIN EXCLUSIVE")
            taken = True
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            taken = False
        yield taken


def held(path: Path) -> bool:
    """Whether anybody, this process included, holds the lock file at `path` now."""
    if not path.exists():
        return False
    address = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            return True
    return False


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
