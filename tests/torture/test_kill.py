"""kill -9 at random moments of a comparison: nothing that was committed is lost, changed or trained again.

The command again then goes on where it was, and what it prints equals the uninterrupted run bit for bit. The moments
are drawn from STEEPEST_TORTURE_SEED (printed), half of them by the clock, half by how many trainings are committed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

SEED = int(os.environ.get("STEEPEST_TORTURE_SEED") or time.time_ns() % 100_000)
STUDIES, KILLS = 4, 4  # each study is killed this often before it may finish
LIMIT = 120  # seconds that no run of the study comes near
SETTINGS = ("--methods", "sgd,adam,rmsprop", "--penalties", "none,l2", "--trials", "10", "--replicates", "8")
COMPARED = ("data", "settings", "cells", "pairs", "verdict", "trainings")

# The command itself, in a process that writes down how many trainings it begins.
DRIVER = """
import os, sys
import steepest.study.run as run
train = run.train
def counted(recipes, *rest, **more):
    with open(os.environ["TORTURE_LOG"], "a") as log:
        log.write(f"{len(recipes)}\\n")
    return train(recipes, *rest, **more)
run.train = counted
from steepest.cli import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Study:
    """One home, the rows to compare on, and the log of begun trainings."""

    folder: Path
    rows: Path
    cache: Path

    @property
    def log(self) -> Path:
        return self.folder / "begun"

    def start(self) -> subprocess.Popen[str]:
        """The command, in a process group of its own."""
        self.log.unlink(missing_ok=True)
        environment = os.environ | {
            "STEEPEST_HOME": str(self.folder / "home"), "STEEPEST_CACHE": str(self.cache), "TORTURE_LOG": str(self.log),
        }  # fmt: skip
        words = ("compare", str(self.rows), "--label", "kind", "--epochs", "15", "--json", *SETTINGS)
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, *words], env=environment, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def finish(self) -> dict:
        """The command to its end; what it prints."""
        said, complained = self.start().communicate(timeout=LIMIT)
        assert said, complained
        return json.loads(said)

    def begun(self) -> int:
        """Trainings that the last process began."""
        return sum(map(int, self.log.read_text().split())) if self.log.exists() else 0

    def committed(self) -> dict[tuple, tuple]:
        """Every committed training, whole; the file is sound."""
        path = self.folder / "home" / "runs.sqlite"
        if not path.exists():
            return {}
        with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'trainings'").fetchall()
            rows = connection.execute("SELECT * FROM trainings").fetchall() if tables else []
        connection.close()
        return {row[:1]: row for row in rows}


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    """240 rows of three classes that lie over each other."""
    chance = np.random.default_rng(3)
    kind = np.repeat([0, 1, 2], 80)
    X = chance.normal(size=(240, 5)) + kind[:, None] * chance.normal(size=5)
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    lines = [",".join([*(f"{value:.6f}" for value in row), f"k{label}"]) for row, label in zip(X, kind)]
    path.write_text("\n".join(["a,b,c,d,e,kind", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, rows, cache) -> tuple[dict, float]:
    """What the command prints when nobody kills it, and how long it takes with programs compiled."""
    first = Study(tmp_path_factory.mktemp("first"), rows, cache)
    found = first.finish()
    assert len(first.committed()) == first.begun() == found["trainings"]
    second = Study(tmp_path_factory.mktemp("second"), rows, cache)
    began = time.monotonic()
    again = second.finish()
    assert parts(again) == parts(found)
    return found, time.monotonic() - began


def parts(found: dict) -> str:
    """What must be the same bit for bit; JSON writes every bit of a float."""
    return json.dumps({name: found[name] for name in COMPARED}, sort_keys=True)


def kill_at_some_moment(study: Study, chance: random.Random, seconds: float, trainings: int) -> None:
    """Start the command and kill it: after a while, or when some more trainings are committed."""
    process = study.start()
    until = time.monotonic() + chance.uniform(0.1, seconds)
    wanted = None
    if chance.random() < 0.5:
        wanted, until = chance.uniform(0, trainings), time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < until:
        if wanted is not None and len(study.committed()) >= wanted:
            time.sleep(chance.uniform(0, 0.2))
            break
        time.sleep(0.005)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=LIMIT)


@pytest.mark.parametrize("number", range(STUDIES))
def test_a_killed_comparison_goes_on_where_it_was(tmp_path, rows, cache, uninterrupted, number):
    found, seconds = uninterrupted
    print(f"STEEPEST_TORTURE_SEED={SEED}")
    chance, study = random.Random(f"{SEED} {number}"), Study(tmp_path, rows, cache)
    before: dict[tuple, tuple] = {}
    for _ in range(KILLS):
        kill_at_some_moment(study, chance, seconds, found["trainings"])
        after = study.committed()
        lost = [place for place, row in before.items() if after.get(place) != row]
        assert not lost, f"committed trainings that are lost or changed: {lost}"
        before = after
    ended = study.finish()
    assert parts(ended) == parts(found)
    assert study.begun() == found["trainings"] - len(before), "committed trainings were trained again"
    after = study.committed()
    assert all(after[place] == row for place, row in before.items())
    assert len(after) == found["trainings"]


def test_the_command_after_it_finished_trains_nothing_and_says_the_same(tmp_path, rows, cache, uninterrupted):
    study = Study(tmp_path, rows, cache)
    study.finish()
    held = study.committed()
    assert parts(study.finish()) == parts(uninterrupted[0])
    assert study.begun() == 0
    assert study.committed() == held
