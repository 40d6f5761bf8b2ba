"""What is committed stays: through kill −9, torn files, full disks, folders that cannot be written, other writers."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from steepest.core.errors import StoreError
from steepest.study.store import Store

BEGINNING = """
import os, sys
from pathlib import Path
from steepest.core.errors import StoreError
from steepest.study.store import Store, Training

def begin(store):
    return store.begin("k", command="compare", name="digits", settings={}, data={}, environment={})

def training(place, replicate=0):
    scores = {"loss": place / 7}
    return Training(replicate, "adam+l2", place, {"rate": 0.1}, "finished", place, scores, scores, (place / 3,) * 20)
"""
exec(compile(BEGINNING, __file__, "exec"))  # the parent and the children make the same rows
begin = globals()["begin"]
training = globals()["training"]


def child(script, *arguments):
    command = [sys.executable, "-c", BEGINNING + script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


ADD_ON = """
with Store.open(Path(sys.argv[1])) as store:
    run = begin(store).id
    with store.lock(run):
        place = len(store.done(run))
        while True:
            store.add(run, [training(place + i) for i in range(16)])
            place += 16
            print(place, flush=True)
"""


def test_kill_9_loses_no_acknowledged_row(tmp_path):
    acknowledged = 0
    for kill in range(8):
        process = child(ADD_ON, tmp_path)
        assert process.stdout is not None
        first = process.stdout.readline()
        threading.Timer(0.0137 * (kill * kill % 11), process.send_signal, [signal.SIGKILL]).start()
        lines = [first, *process.stdout]
        process.wait()
        process.stdin.close()
        process.stdout.close()
        assert process.returncode == -signal.SIGKILL
        assert int(first) > acknowledged  # it went on, on a run whose lock the killed one had
        acknowledged = max(int(line) for line in lines if line.endswith("\n"))
        with Store.open(tmp_path) as store:
            assert len(store.runs()) == 1
            assert store.get("latest").status == "interrupted"
            rows = store.trainings(1)
            # The last batch may be committed and not yet acknowledged
            assert len(rows) in (acknowledged, acknowledged + 16)
            assert rows == [training(place) for place in range(len(rows))]
            assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            acknowledged = len(rows)


WRITE = """
me = int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
with Store.open(Path(sys.argv[1])) as store:
    run = begin(store).id
    for batch in range(50):
        store.add(run, [training(20 * batch + i, me) for i in range(20)])
    store.add(run, [Training(99, "contended", 0, {}, "finished", me, {}, {})])
    assert len(store.trainings(run)) > 1000
"""


def test_eight_processes_write_one_store_at_once(tmp_path):
    writers = [child(WRITE, tmp_path, me) for me in range(8)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:  # the store is not there yet: they also race to make it and to begin the run
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0] * 8
    with Store.open(tmp_path) as store:
        assert [row.trainings for row in store.runs()] == [8001]
        rows = store.trainings(1)
    assert rows[:-1] == [training(place, me) for me in range(8) for place in range(1000)]
    assert rows[-1].step in range(8)


def test_a_torn_log_is_read_to_its_last_whole_transaction(tmp_path):
    sizes = [1, 40, 3, 100, 16, 16, 64]
    ends = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    with Store.open(tmp_path / "whole") as store:
        run = begin(store).id
        store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for start, size in zip(ends, sizes):
            store.add(run, [training(start + i) for i in range(size)])
        log = store.path.with_name("runs.sqlite-wal").read_bytes()
        found = []
        for cut in [*range(0, len(log), len(log) // 23), len(log) - 1, len(log)]:
            torn = tmp_path / f"torn-{cut}"
            torn.mkdir()
            shutil.copy(store.path, torn)
            (torn / "runs.sqlite-wal").write_bytes(log[:cut] + b"\xa5" * (cut % 5000))  # and rubbish after the tear
            with Store.open(torn) as opened:
                rows = opened.trainings(run)
                assert rows == [training(place) for place in range(len(rows))]
                found.append(len(rows))
                opened.add(run, [training(1000)])
                assert len(opened.done(run)) == len(rows) + 1
    assert set(found) <= set(ends)
    assert found == sorted(found)
    assert found[0] == 0
    assert found[-1] == ends[-1]
    assert len(set(found)) > 4


def test_a_full_store_keeps_what_it_has_and_goes_on_later(tmp_path):
    with Store.open(tmp_path) as store:
        run = begin(store).id
        store.add(run, [training(0)])
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        message = (
            r"^.*runs\.sqlite: the disk is full; free some space and run the command again, what was stored is intact"
        )
        with pytest.raises(StoreError, match=message):
            store.add(run, [training(place) for place in range(1, 200)])
        assert store.trainings(run) == [training(0)]
        store._connection.execute("PRAGMA max_page_count = 100000")
        store.add(run, [training(place) for place in range(1, 200)])
        assert store.trainings(run) == [training(place) for place in range(200)]


LIMITED = """
import resource
with Store.open(Path(sys.argv[1])) as store:
    run = begin(store).id
    store.add(run, [training(0)])
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
    try:
        store.add(run, [training(place) for place in range(1, 200)])
    except StoreError as error:
        print(error)
    print(len(store.done(run)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.add(run, [training(place) for place in range(1, 200)])
    print(len(store.done(run)))
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX")
def test_a_write_that_the_system_refuses_loses_nothing(tmp_path):
    process = child(LIMITED, tmp_path)
    error, left, later = process.communicate()[0].splitlines()
    assert process.returncode == 0
    assert "runs.sqlite: the disk fails or is full; make room or check it and run the command again" in error
    assert (left, later) == ("1", "200")


@pytest.fixture
def foreign():
    """A folder that a process without rights can get to; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


UNPRIVILEGED = """
import sqlite3, tempfile
home = Path(sys.argv[1])
if os.getuid() == 0:  # root may write everywhere
    os.setgid(65534)
    os.setuid(65534)
for create in (True, False):
    try:
        with Store.open(home, create=create) as store:
            print("opened", [(row.name, row.trainings) for row in store.runs()])
            print("found", begin(store).trainings)
            store.add(1, [training(5)])
            print("written")
    except StoreError as error:
        print(error)
"""


def unprivileged(home):
    lines = child(UNPRIVILEGED, home).communicate()[0].splitlines()
    assert lines
    return lines


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_a_read_only_folder_is_named_and_can_be_read(foreign):
    home = foreign / "home"
    with Store.open(home) as store:
        run = begin(store).id
        store.add(run, [training(0), training(1)])
    home.chmod(0o555)
    before = store.path.read_bytes()
    lines = unprivileged(home)
    assert lines[:2] == ["opened [('digits', 2)]", "found 2"]  # a run that is there is shown
    assert "runs.sqlite: cannot be opened or written; make its folder writable or set STEEPEST_HOME to a" in lines[2]
    assert lines[3:] == lines[:3]  # and the same without `create`
    assert store.path.read_bytes() == before
    assert sorted(path.name for path in home.iterdir()) == ["runs.sqlite"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_a_read_only_store_with_an_open_log_is_not_read_without_it(foreign):
    home = foreign / "home"
    with Store.open(home) as store:
        begin(store)
        store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.add(1, [training(0)])  # only in the log
        torn = foreign / "copy"
        torn.mkdir()
        for name in ("runs.sqlite", "runs.sqlite-wal"):
            shutil.copy(home / name, torn)
    torn.chmod(0o555)
    for line in unprivileged(torn):  # the row in the log must not be missing silently
        assert "cannot be opened or written" in line


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_a_home_that_may_not_be_made_is_named(foreign):
    writer, reader, refused = unprivileged(foreign / "a" / "home")
    assert "a: cannot be made (Permission denied); set STEEPEST_HOME" in writer.replace("/home", "")
    assert reader == "opened []"
    assert "cannot be opened or written" in refused


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_place_of_the_home_is_named(tmp_path, below):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"file.*; (move it away or )?set STEEPEST_HOME to a folder"):
        Store.open(tmp_path / "file" / below)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    (tmp_path / "runs.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"runs\.sqlite: cannot be opened or written"):
        Store.open(tmp_path)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 50, b"\0" * 8192])
def test_a_file_that_is_no_store_is_named_and_kept(tmp_path, content):
    path = tmp_path / "runs.sqlite"
    path.write_bytes(content)
    with pytest.raises(
        StoreError, match=r"runs\.sqlite: is damaged or not a run store; move it away or set STEEPEST_HOME"
    ):
        Store.open(tmp_path)
    assert path.read_bytes() == content


def test_a_store_cut_short_is_named(tmp_path):
    with Store.open(tmp_path) as store:
        run = begin(store).id
        store.add(run, [training(place) for place in range(500)])
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"is damaged or not a run store"), Store.open(tmp_path) as store:
        store.trainings(run)


def test_a_writer_waits_for_another_and_can_be_interrupted(tmp_path, monkeypatch):
    with Store.open(tmp_path) as store:
        run = begin(store).id
        hold = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
        hold.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, hold.execute, ["COMMIT"]).start()
        started = time.monotonic()
        store.add(run, [training(0)])
        assert time.monotonic() - started > 0.25
        hold.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("steepest.study.store_schema.WAIT_IN_ALL", 0.0)
        store._connection.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(StoreError, match=r"other processes keep it busy; wait for them or stop them"):
            store.add(run, [training(1)])
        hold.close()
        store.add(run, [training(1)])
        assert store.trainings(run) == [training(0), training(1)]
