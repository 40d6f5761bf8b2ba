"""Timing: several pieces of work in turn, A B A B …, in one process; and what is concluded from it.

The machine's other load then falls on all of them alike, and a ratio is taken round by round before the median. CPU
time stands beside wall time: it hears less of what else runs (but waiting threads that spin count as work).
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

ROUNDS = 5
RATIO = "×"
PERCENT = "% right"
GAIN = "points more"
AT_LEAST = (RATIO, PERCENT, GAIN)  # units of which more is better; of others (seconds, points apart) less is


@dataclass
class Times:
    """Seconds of one piece of work, round by round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # of this process and of those it started


@dataclass(frozen=True)
class Line:
    """One claim and its bound: a ratio (how many times faster than `against`), an accuracy, seconds, points apart."""

    what: str
    against: str
    value: float
    unit: str = RATIO
    bound: float | None = None  # at least or at most (AT_LEAST says which); None: for information
    low: float | None = None  # over the rounds
    high: float | None = None
    cpu: float | None = None  # the same by CPU time

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None without one."""
        if self.bound is None:
            return None
        return bool(self.value >= self.bound if self.unit in AT_LEAST else self.value <= self.bound)  # not NumPy's


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found."""

    what: str
    lines: list[Line]
    times: dict[str, Times]
    notes: list[str] = field(default_factory=list)
    skipped: str = ""  # why nothing was measured


def interleaved(work: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS, warm: bool = True) -> dict[str, Times]:
    """Times of each piece of work, in turn; with `warm` each runs once before the clock does."""
    for run in work.values() if warm else ():
        run()
    times = {name: Times() for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            wall, cpu = timed(run)
            times[name].wall.append(wall)
            times[name].cpu.append(cpu)
    return times


def timed(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    run()
    return time.perf_counter() - wall, cpu_seconds() - cpu


def cpu_seconds() -> float:
    """CPU time of this process, of the children that ended, and of those that live (a pool's workers)."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = [child.cpu_times() for child in psutil.Process().children(recursive=True) if child.is_running()]
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(t.user + t.system for t in living)


def ratio(
    what: str, against: str, times: Mapping[str, Times], ours: str, theirs: str, bound: float | None = None
) -> Line:
    """How many times faster `ours` is than `theirs`: the median of the rounds' ratios."""
    by_wall = [b / a for a, b in zip(times[ours].wall, times[theirs].wall)]
    by_cpu = [b / a for a, b in zip(times[ours].cpu, times[theirs].cpu)]
    return Line(
        what, against, statistics.median(by_wall), RATIO, bound, min(by_wall), max(by_wall), statistics.median(by_cpu)
    )


def seconds(what: str, values: list[float], bound: float | None, cpu: list[float] | None = None) -> Line:
    """The median of some times."""
    middle = statistics.median(cpu) if cpu else None
    return Line(what, "", statistics.median(values), "s", bound, min(values), max(values), middle)
