"""One process at a time works on a run, and a dead one holds nothing."""

import os
import signal
import subprocess
import sys

import pytest

from steepest.core.errors import StoreError
from steepest.study.store import Store

HOLD = """
import sys, time
from pathlib import Path
from steepest.study.store import Store
with Store.open(Path(sys.argv[1])) as store, store.lock(1):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path) as opened:
        opened.begin("k", command="compare", name="digits", settings={}, data={}, environment={})
        yield opened


@pytest.fixture
def other(tmp_path, store):  # noqa: ARG001  it holds the store's run
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_run_in_use_is_refused_with_the_process(store, other):
    message = rf"^run 1 is in use by process {other.pid}; wait for it or stop it$"
    with pytest.raises(StoreError, match=message), store.lock(1):
        pytest.fail("two processes work on one run")
    with pytest.raises(StoreError, match=message):
        store.remove(1)
    assert store.get(1).status == "running"


@pytest.mark.usefixtures("other")
def test_another_run_is_free(store):
    run = store.begin("other", command="compare", name="wine", settings={}, data={}, environment={}).id
    with store.lock(run):
        assert [row.status for row in store.runs()] == ["running", "running"]


def test_a_killed_process_holds_nothing(store, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert store.get(1).status == "interrupted"
    # The killed process's number is given to one that lives: this one
    store._connection.execute("UPDATE runs SET owner = ?", (os.getpid(),))
    with store.lock(1):
        assert store.get(1).status == "running"


def test_a_process_that_ends_gives_the_lock_back(store, other):
    other.communicate("")
    assert other.returncode == 0
    with store.lock(1):
        pass
    assert store.get(1).status == "interrupted"  # nobody works on it, and it is not finished


def test_one_process_cannot_take_a_run_twice(store, tmp_path):
    with store.lock(1):
        message = f"run 1 is in use by process {os.getpid()}"
        with Store.open(tmp_path) as second, pytest.raises(StoreError, match=message), second.lock(1):
            pytest.fail("locked twice")
        with pytest.raises(StoreError, match=message):
            store.remove(1)
        assert store.get(1).status == "running"  # neither asking nor failing to lock lets it go
    with store.lock(1):
        pass


def test_an_error_inside_passes_and_frees_the_run(store):
    with pytest.raises(KeyboardInterrupt), store.lock(1):
        raise KeyboardInterrupt
    with store.lock(1):
        pass


def test_a_run_that_is_gone_cannot_be_locked(store, tmp_path):
    store.remove(1)
    with pytest.raises(StoreError, match="no run 1 in"), store.lock(1):
        pytest.fail("locked a run that is not there")
    assert list((tmp_path / "locks").iterdir()) == []
