"""SIGINT and SIGTERM: the first ends the command in order, with what was done kept; a second ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SOON = 0.05  # seconds; how often it is looked whether an import has ended


class Stopped(KeyboardInterrupt):
    """The user (130) or the system (143) asked to stop; the message is what to say about it."""

    def __init__(self, number: int, message: str = "") -> None:
        super().__init__(message or ("interrupted" if number == signal.SIGINT else "terminated"))
        self.number = number

    @property
    def exit_code(self) -> int:
        """128 and the signal, as shells count."""
        return 128 + self.number


@contextmanager
def stoppable() -> Iterator[None]:
    """While a command runs, a signal raises `Stopped` in the main thread; the next one leaves without a word.

    In the middle of an import it waits for its end: packages catch whatever comes while they try what is installed, and
    a signal raised there would be lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; whoever called us from another one has its own
        return
    seen: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if seen:
            os._exit(128 + number)
        seen.append(number)
        end(number, frame)

    def end(number: int, frame: FrameType | None) -> None:
        del number  # that of the clock, the second time
        if clock is None or not importing(frame):
            raise Stopped(seen[0])
        if clock not in before:
            before[clock] = signal.signal(clock, end)
        signal.setitimer(signal.ITIMER_REAL, SOON)

    clock = getattr(signal, "SIGALRM", None)  # not on Windows
    before: dict[int, Any] = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if clock in before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported somewhere below what runs."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
