"""The run store's file: its tables and their versions, how it is opened, and what SQLite's errors mean to a person.

A store says who wrote it (`application_id`) and in which version of the tables (`user_version`, the number of
migrations it has been through). A file of anybody else's, or of a newer version, is refused before anything in it is
changed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from steepest.core.errors import StoreError
from steepest.study.home import ANOTHER

APPLICATION = 0x53746565  # "Stee"
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables

# SQLite waits for a lock in C, where Ctrl-C cannot reach it; so it waits little at a time, and `begin_writing` repeats.
WAIT_AT_ONCE = 3.0
WAIT_IN_ALL = 60.0

# Each migration is the statements that lead from one version to the next: add to the end, never change one.
# What is in a column of TEXT or BLOB is said in store_rows.py.
MIGRATIONS: list[tuple[str, ...]] = [
    (
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, not even after a removal
            key TEXT NOT NULL,
            command TEXT NOT NULL,
            name TEXT NOT NULL,
            settings TEXT NOT NULL,
            data TEXT NOT NULL,
            environment TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('running', 'interrupted', 'finished')),
            owner INTEGER,  -- the process that worked on it last; only its lock tells whether it still does
            created TEXT NOT NULL,
            seconds REAL NOT NULL DEFAULT 0,
            result TEXT,
            CHECK ((status = 'finished') = (result IS NOT NULL))
        ) STRICT""",
        "CREATE INDEX runs_by_key ON runs (key, id)",
        """CREATE TABLE trainings (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            replicate INTEGER NOT NULL,
            candidate TEXT NOT NULL,
            trial INTEGER NOT NULL,
            hyperparameters TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('finished', 'stopped', 'diverged')),
            step INTEGER NOT NULL,
            validation TEXT NOT NULL,
            test TEXT NOT NULL,
            curve BLOB NOT NULL,
            UNIQUE (run, replicate, candidate, trial)
        ) STRICT""",
    ),
    # 1: its block was narrower than bitwise equality needs
    ("ALTER TABLE trainings ADD COLUMN narrowed INTEGER NOT NULL DEFAULT 0",),
    # 2: which rows of a given test set it got right, a bit a row; empty where the test rows were drawn
    ("ALTER TABLE trainings ADD COLUMN hits BLOB NOT NULL DEFAULT x''",),
]


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection to the store at `path`, its tables up to date. Statements outside a transaction commit at once.

    Without `create` a store that is missing reads as an empty one. One in a read-only folder can be read.

    Raises: StoreError if the file is not a store, is of a newer version, or cannot be read or written.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(
            f"this Python has SQLite {sqlite3.sqlite_version}, the run store needs 3.37 or newer; use a newer Python"
        )
    with explained(path):
        absent = not create and not path.exists()
        if not absent:
            connection = sqlite3.connect(_address(path, create), uri=True, isolation_level=None, timeout=WAIT_AT_ONCE)
        else:
            connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            # FULL: a commit is on the disk when it returns, power loss included. It costs 3 ms a commit on a plain
            # SSD, against the seconds of training that the commit keeps.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            if _version(connection, path) < len(MIGRATIONS):
                use_wal(connection)
                _migrate(connection, path)
            if absent:
                connection.execute("PRAGMA query_only = ON")  # what is written into memory would be lost
        except BaseException:
            connection.close()
            raise
    return connection


def _address(path: Path, create: bool) -> str:
    mode = "mode=rwc" if create else "mode=rw"
    if path.exists() and not os.access(path.parent, os.W_OK):
        # A reader of a WAL store makes files beside it. Where it may not, and all has gone from the log into the
        # store, the file can be read as one that never changes.
        log = path.with_name(path.name + "-wal")
        mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return f"{path.absolute().as_uri()}?{mode}"


def use_wal(connection: sqlite3.Connection) -> str:
    """Let readers and a writer work side by side (a write-ahead log); the mode that the file is in now.

    A file system without shared memory has no write-ahead log. The store then stays in SQLite's first mode, "delete":
    as safe, but a reader and a writer wait for each other.
    """
    deadline = time.monotonic() + WAIT_IN_ALL
    while True:
        try:
            return connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:  # SQLite does not wait here when several processes make a store
            if _kind(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def begin_writing(connection: sqlite3.Connection) -> None:
    """Start a transaction that may write, after those of other processes."""
    deadline = time.monotonic() + WAIT_IN_ALL
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if _kind(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise


@contextlib.contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all of it is committed, or nothing, whatever happens inside."""
    try:
        begin_writing(connection)
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after a full disk SQLite may have rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables: 0 for a new file."""
    # In one statement: another process that makes the tables between two reads would leave a mixture of both states.
    application, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION:
        raise StoreError(f"{path}: is a database of another program; move it away or {ANOTHER}")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{path}: was written by a newer steepest (schema {version}, this one knows {len(MIGRATIONS)}); "
            "upgrade steepest or use another STEEPEST_HOME"
        )
    return version


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with writing(connection):
        # Asked again: another process may have done it in the meantime.
        for statements in MIGRATIONS[_version(connection, path) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _kind(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None if the error is not SQLite's own but the module's."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


_UNWRITABLE = f"cannot be opened or written; make its folder writable or {ANOTHER}"
_DAMAGED = f"is damaged or not a run store; move it away or {ANOTHER}"
_MEANINGS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and run the command again, what was stored is intact",
    sqlite3.SQLITE_IOERR: "the disk fails or is full; make room or check it and run the command again",
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_AUTH: _UNWRITABLE,
    sqlite3.SQLITE_BUSY: "other processes keep it busy; wait for them or stop them, and run the command again",
    sqlite3.SQLITE_PROTOCOL: "other processes keep it busy; wait for them or stop them, and run the command again",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOLFS: "the file system cannot hold files this large; " + ANOTHER,
    sqlite3.SQLITE_TOOBIG: "a row is too large for SQLite (1 GB); store less in a run",
}


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say as a StoreError what the disk, the file or other processes did; a mistake in SQL passes as it is."""
    try:
        yield
    except sqlite3.Error as error:
        meaning = _MEANINGS.get(_kind(error) or 0)
        if meaning is None:
            raise
        raise StoreError(f"{path}: {meaning} ({error})") from error
