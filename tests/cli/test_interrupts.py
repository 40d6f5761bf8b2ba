"""Signals: the first asks, the second does not."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time

import pytest

from steepest.cli.interrupts import Stopped, stoppable

SLOW_TO_STOP = """
import sys, time
from steepest.cli.interrupts import stoppable
with stoppable():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("stopping", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGINT, signal.SIGTERM, 143), (signal.SIGTERM, signal.SIGINT, 130)],
)
def test_the_second_signal_ends_it_at_once(first, second, code):
    process = subprocess.Popen([sys.executable, "-c", SLOW_TO_STOP], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(first)
    assert process.stdout.readline() == "stopping\n"
    asked = time.monotonic()
    process.send_signal(second)
    assert process.wait(timeout=30) == code
    assert time.monotonic() - asked < 5


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_raises_and_the_handlers_come_back(number, code):
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as caught, stoppable():
        signal.raise_signal(number)
    assert caught.value.exit_code == code
    assert signal.getsignal(number) is before


LOST = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
except BaseException:
    pass
"""


def test_a_signal_in_the_middle_of_an_import_that_catches_everything_is_not_lost(tmp_path, monkeypatch):
    (tmp_path / "tries_what_there_is.py").write_text(LOST)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Stopped) as caught:
        imports_it_and_goes_on()
    assert caught.value.exit_code == 130


def imports_it_and_goes_on():
    with stoppable():
        importlib.import_module("tries_what_there_is")
        time.sleep(20)
