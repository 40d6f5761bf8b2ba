"""The run store: every finished training of every run, in one SQLite file that survives kill −9 and full disks.

    with Store.open() as store:
        run = store.begin(key, command="compare", name="digits", settings={}, data={}, environment={})
        with store.lock(run.id):
            done = store.done(run.id)            # what an earlier process has committed
            store.add(run.id, trainings)         # all of them or none; once it returns they are on the disk
            store.finish(run.id, result, seconds)

What is committed stays: a training that is added again leaves the first one as it is. Dictionaries are kept as JSON
(keys become text, tuples come back as lists); floats come back bit for bit, NaN and the infinities too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from steepest.core.errors import StoreError
from steepest.study.home import home as usual_home
from steepest.study.home import make_home
from steepest.study.store_lock import exclusive, held
from steepest.study.store_rows import COLUMNS, RUN_COLUMNS, RunRow, Training, pack, unpack, unpack_run
from steepest.study.store_schema import connect, explained, writing

NAME = "runs.sqlite"
LATEST = "latest"

__all__ = ["RunRow", "Store", "Training"]


class Store:
    """The runs of one home. A connection of its own for each thread; any number of processes may have one."""

    def __init__(self, path: Path, connection: sqlite3.Connection):
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, home: Path | None = None, *, create: bool = True) -> Self:
        """The store in `home` (by default `steepest.study.home.home()`).

        Without `create` nothing is made on the disk: a home without a store reads as one without runs, and cannot be
        written. A store in a read-only folder can be read; the first call that writes is refused.

        Raises: StoreError if the file is no run store, was written by a newer steepest, or cannot be opened.
        """
        folder = (usual_home() if home is None else Path(home)).absolute()
        if create:
            make_home(folder)
        path = folder / NAME
        return cls(path, connect(path, create=create))

    def close(self) -> None:
        """Give the file back; the store cannot be used any more."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    # Runs

    def begin(
        self,
        key: str,
        *,
        command: str,
        name: str,
        settings: dict[str, Any],
        data: dict[str, Any],
        environment: dict[str, Any],
        fresh: bool = False,
    ) -> RunRow:
        """The newest run with this `key`, to go on with or to show; a new one if there is none or if `fresh`.

        Of a run that is there already nothing is changed. Two processes that begin one key at once get one run.
        """
        with self._writing():
            row = self._connection.execute("SELECT max(id) FROM runs WHERE key = ?", (key,)).fetchone()
            if row[0] is not None and not fresh:
                return self._rows("WHERE id = ?", row[0])[0]
            created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            texts = [json.dumps(value) for value in (name, settings, data, environment)]
            cursor = self._connection.execute(
                "INSERT INTO runs (key, command, name, settings, data, environment, status, created)"
                " VALUES (?, ?, ?, ?, ?, ?, 'running', ?)",
                (key, command, *texts, created),
            )
            made = self._rows("WHERE id = ?", cursor.lastrowid)[0]
        return dataclasses.replace(made, status="running")  # nobody has locked it yet: whoever began it is about to

    @contextlib.contextmanager
    def lock(self, run_id: int) -> Iterator[None]:
        """Work on a run alone. The lock of a process that is gone, killed or not, is gone with it.

        Raises: StoreError with the process that works on the run, if one does.
        """
        self._demand(run_id)
        with explained(self._lock_path(run_id)), contextlib.ExitStack() as stack:
            if not stack.enter_context(exclusive(self._lock_path(run_id))):
                raise StoreError(f"run {run_id} is in use by {self._owner(run_id)}; wait for it or stop it")
            with self._writing():
                self._demand(run_id)  # again: it may have been removed while the lock was waited for
                self._connection.execute(
                    "UPDATE runs SET owner = ?, status = iif(status = 'finished', status, 'running') WHERE id = ?",
                    (os.getpid(), run_id),
                )
            lasting = stack.pop_all()
        with lasting:  # errors of the work inside are not the lock's to explain
            yield

    def finish(
        self, run_id: int, result: dict[str, Any], seconds: float, settings: dict[str, Any] | None = None
    ) -> None:
        """Store a run's result (and the settings it was read with); `seconds` of work are added to those it has."""
        with self._writing():
            self._demand(run_id)
            self._connection.execute(
                "UPDATE runs SET status = 'finished', result = ?, settings = coalesce(?, settings),"
                " seconds = seconds + ? WHERE id = ?",
                (json.dumps(result), settings and json.dumps(settings), float(seconds), run_id),
            )

    def interrupted(self, run_id: int, seconds: float) -> None:
        """Say that a run was stopped on the way; `seconds` of work are added. A run that has finished stays so."""
        with self._writing():
            self._demand(run_id)
            self._connection.execute(
                "UPDATE runs SET status = 'interrupted', seconds = seconds + ? WHERE id = ? AND status != 'finished'",
                (float(seconds), run_id),
            )

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        with explained(self.path):
            return self._rows("")

    def get(self, which: int | str) -> RunRow:
        """One run: its number (12 or "12"), "latest", or the beginning of a name that only one run has.

        Raises: StoreError if no run, or more than one, is meant.
        """
        text = str(which).strip()
        with explained(self.path):
            if text.isdecimal() and text.isascii():
                self._demand(int(text))
                return self._rows("WHERE id = ?", int(text))[0]
            if text == LATEST:
                rows = self._rows("WHERE id = (SELECT max(id) FROM runs)")
            else:
                names = self._connection.execute("SELECT id, name FROM runs ORDER BY id")
                fitting = [number for number, name in names if text and json.loads(name).startswith(text)]
                if len(fitting) > 1:
                    raise StoreError(f"run {text!r} may be {_some(fitting)}; give the number, or {LATEST!r}")
                rows = [row for number in fitting for row in self._rows("WHERE id = ?", number)]
            if not rows:
                raise self._missing(repr(text))
        return rows[0]

    def remove(self, run_id: int) -> None:
        """Delete a run and its trainings; its number is not given again.

        Raises: StoreError if there is no such run, or a process works on it.
        """
        with self.lock(run_id), self._writing():
            self._connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        # Its number is never given again, so nobody needs the lock. A process that looks at it now may keep the
        # file (on Windows): an empty file is left behind.
        with contextlib.suppress(OSError):
            self._lock_path(run_id).unlink()

    # Trainings

    def add(self, run_id: int, trainings: Sequence[Training]) -> None:
        """Commit finished trainings, all of them or none. One that is there already stays as it was committed first."""
        if not trainings:
            return
        rows = [pack(run_id, training) for training in trainings]
        places = ", ".join("?" * len(rows[0]))
        with self._writing():
            self._demand(run_id)
            self._connection.executemany(
                f"INSERT INTO trainings (run, {COLUMNS}) VALUES ({places})"
                " ON CONFLICT (run, replicate, candidate, trial) DO NOTHING",
                rows,
            )

    def trainings(self, run_id: int) -> list[Training]:
        """What is committed of a run, in the order of (replicate, candidate, trial)."""
        with explained(self.path):
            self._demand(run_id)
            rows = self._connection.execute(
                f"SELECT {COLUMNS} FROM trainings WHERE run = ? ORDER BY replicate, candidate, trial", (run_id,)
            )
            return [unpack(row) for row in rows]

    def done(self, run_id: int) -> set[tuple[int, str, int]]:
        """Which trainings are committed: (replicate, candidate, trial)."""
        with explained(self.path):
            self._demand(run_id)
            return set(
                self._connection.execute("SELECT replicate, candidate, trial FROM trainings WHERE run = ?", (run_id,))
            )

    # Inside

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with explained(self.path), writing(self._connection):
            yield

    def _rows(self, where: str, *values: Any) -> list[RunRow]:
        select = f"SELECT {RUN_COLUMNS} FROM runs {where} ORDER BY id"
        return [self._run(row) for row in self._connection.execute(select, values).fetchall()]

    def _run(self, row: tuple[Any, ...]) -> RunRow:
        run = unpack_run(row)
        if run.status == "running" and not held(self._lock_path(run.id)):
            return dataclasses.replace(run, status="interrupted")  # its process was killed before it could say so
        return run

    def _demand(self, run_id: int) -> None:
        with explained(self.path):
            # SQLite's integers end at 2⁶³; a longer number is no run's
            known = run_id < 2**63 and self._connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone()
            if not known:
                raise self._missing(str(run_id))

    def _missing(self, which: str) -> StoreError:
        ids = [number for (number,) in self._connection.execute("SELECT id FROM runs ORDER BY id")]
        there = f"there are {_some(ids)}" if ids else "there are no runs yet"
        return StoreError(f"no run {which} in {self.path}; {there}")

    def _owner(self, run_id: int) -> str:
        row = self._connection.execute("SELECT owner FROM runs WHERE id = ?", (run_id,)).fetchone()
        return f"process {row[0]}" if row and row[0] is not None else "another process"

    def _lock_path(self, run_id: int) -> Path:
        return self.path.parent / "locks" / f"run-{run_id}"


def _some(ids: Sequence[int]) -> str:
    """Run numbers for a message: the newest ten."""
    return ("…, " if len(ids) > 10 else "") + ", ".join(map(str, ids[-10:]))
