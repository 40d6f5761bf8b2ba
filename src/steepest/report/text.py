"""Numbers and names as people read them: shares in percent, times, settings, hostile names made harmless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steepest.data.paths import counted, shown

__all__ = [
    "counted",
    "duration",
    "epochs_words",
    "megabytes",
    "number",
    "percent",
    "progress_words",
    "settings",
    "shown",
]


def percent(share: float | None, digits: int = 1) -> str:
    """A share in percent without the sign; a missing one is "–".

    >>> percent(0.9436), percent(None)
    ('94.4', '–')
    """
    return "–" if share is None or share != share else f"{100 * share:.{digits}f}"


def number(value: float, digits: int = 3) -> str:
    """Three significant digits (or so many), no zeros at the end.

    >>> number(0.0123456), number(1e-05), number(64)
    ('0.0123', '1e-05', '64')
    """
    return f"{value:.{digits}g}"


def settings(values: Mapping[str, Any], digits: int = 3) -> str:
    """Hyperparameters on one line, "defaults" where there are none.

    >>> settings({"rate": 0.0123456, "l2": 1e-4}), settings({})
    ('rate 0.0123, l2 0.0001', 'defaults')
    """
    return ", ".join(f"{name} {number(value, digits)}" for name, value in values.items()) or "defaults"


def duration(seconds: float) -> str:
    """A time in the unit that fits it.

    >>> duration(0.4), duration(45), duration(600), duration(4000)
    ('< 1 s', '45 s', '10 min', '1 h 7 min')
    """
    if seconds < 1:
        return "< 1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def megabytes(size: int) -> str:
    """Bytes in the unit that fits them, as file managers count.

    >>> megabytes(28_881), megabytes(170_498_071)
    ('29 kB', '170.5 MB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def progress_words(done: int, total: int, rate: float, left: float) -> str:
    """How far trainings are, how fast, and how long still.

    >>> progress_words(1234, 5040, 2.1e6, 8.4)
    '1,234 of 5,040 trainings, 2.1 M examples/s, 8 s left'
    """
    if rate <= 0:
        return f"{done:,} of {total:,} trainings, compiling"
    return f"{done:,} of {total:,} trainings, {epochs_words(rate, left)}"


def epochs_words(rate: float, left: float) -> str:
    """How fast, and how long still.

    >>> epochs_words(25_000, 300)
    '25 k examples/s, 5 min left'
    """
    if rate <= 0:
        return "compiling"
    speed = f"{rate / 1e6:.1f} M" if rate >= 1e6 else f"{rate / 1e3:.0f} k" if rate >= 1e4 else f"{rate:,.0f}"
    return f"{speed} examples/s, {duration(left)} left"
