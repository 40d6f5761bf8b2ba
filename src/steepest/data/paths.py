"""Names of files as people can read them on one line, and the nearest ones to a name that does not exist."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from steepest.core.errors import DataError


def shown(name: object) -> str:
    """A name on one line: control characters and undecodable bytes are escaped, all other letters stay.

    >>> shown("a cat\\n.jpg")
    'a cat\\\\n.jpg'
    """
    text = os.fspath(name) if isinstance(name, os.PathLike) else str(name)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def listed(names: Iterable[object], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(shown(name) for name in names[:most]) + more


def ends(names: Iterable[object], first: int = 6, last: int = 4) -> str:
    """The first and the last few names: of a table's columns the last is often the label.

    >>> ends("abcdefg", 2, 3), ends("abcde", 2, 3)
    ('a, b … e, f, g (2 more between)', 'a, b, c, d, e')
    """
    names = list(names)
    left = len(names) - first - last
    if left <= 0:
        return listed(names, len(names))
    return f"{listed(names[:first], first)} … {listed(names[-last:], last)} ({left:,} more between)"


def counted(n: int, what: str, plural: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {what if n == 1 else plural or what + 's'}"


def near(name: str, known: Iterable[str]) -> str:
    """` did you mean …?` with the nearest known names, or nothing."""
    known = list(known)
    lowered = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(shown(lowered[c])) for c in close)}?" if close else ""


def no_such(path: Path, known: Iterable[str]) -> DataError:
    """The error for a path or a name that does not exist."""
    parent = path.parent
    try:
        beside = sorted(str(p) for p in parent.iterdir() if p.name[0] != ".")
    except OSError:
        return DataError(f"{shown(path)}: no such file or folder, nor is there a folder {shown(parent)}")
    hint = near(shown(path), [*known, *beside])
    return DataError(f"{shown(path)}: no such file, folder or built-in data{hint or '; see `steepest data list`'}")


def cannot_read(path: Path | str, error: OSError) -> DataError:
    """The error for a file or folder that the system refuses to read."""
    return DataError(f"{shown(path)}: cannot be read ({error.strerror or error}); check its permissions")
