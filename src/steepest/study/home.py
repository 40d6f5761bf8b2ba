"""Where steepest keeps its runs: STEEPEST_HOME, or the folder .steepest where the command is given."""

from __future__ import annotations

import os
from pathlib import Path

from steepest.core.errors import StoreError

ANOTHER = "set STEEPEST_HOME to a folder that can be written"  # the remedy that every fault of the home shares


def home() -> Path:
    """The folder of the runs. It is only named here; the first write makes it (`make_home`).

    >>> import os
    >>> os.environ["STEEPEST_HOME"] = "/data/studies"
    >>> home().as_posix()
    '/data/studies'
    >>> del os.environ["STEEPEST_HOME"]
    >>> home().as_posix()
    '.steepest'
    """
    return Path(os.environ.get("STEEPEST_HOME") or ".steepest").expanduser()


def make_home(folder: Path) -> Path:
    """Make the folder and those above it if they are missing.

    Raises: StoreError if it cannot be made, a file being in its place for instance.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StoreError(f"{folder}: is a file where a folder is needed; move it away or {ANOTHER}") from error
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error.strerror}); {ANOTHER}") from error
    return folder
