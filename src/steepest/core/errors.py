"""What steepest raises, and the exit code each ends a command with.

    SteepestError            exit 1   something failed; the message is one line: what, whose, what to do
    ├── DataError            exit 1   a data source, a file, a row, a column or a class is not usable
    ├── StoreError           exit 1   the run store cannot be read or written
    └── SettingError         exit 2   a setting is out of its range, misspelt or does not go with another

Every message is one line that says what is wrong, whose it is, what is allowed and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral
from typing import Any


class SteepestError(Exception):
    """Anything steepest refuses or fails at, said in one line."""

    exit_code = 1


class DataError(SteepestError, ValueError):
    """A data source, file, row, column or class that cannot be used."""


class StoreError(SteepestError, OSError):
    """The run store cannot be read or written."""


class SettingError(SteepestError, ValueError):
    """A setting that is out of range, unknown, or does not go with another."""

    exit_code = 2


def unknown(what: str, name: str, allowed: Iterable[str]) -> SettingError:
    """The error for a name nobody knows, with the nearest known one.

    >>> str(unknown("method", "adamm", ["adam", "sgd"]))
    "unknown method 'adamm'; did you mean 'adam'? Known: adam, sgd"
    """
    allowed = list(allowed)
    near = difflib.get_close_matches(name, allowed, n=1)
    hint = f"did you mean {near[0]!r}? Known" if near else "known"
    return SettingError(f"unknown {what} {name!r}; {hint}: {', '.join(allowed)}")


def whole_number(name: str, value: Any, least: int = 1, more: str = "") -> int:
    """A count as Python's int (NumPy's are no JSON); refused if it is no whole number of at least `least`.

    >>> whole_number("epochs", 20)
    20
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise SettingError(f"{name} = {value!r}; it must be a whole number of at least {least}{more}")
    return int(value)
