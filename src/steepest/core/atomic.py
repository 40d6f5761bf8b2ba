"""Files that are there whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from steepest.core.errors import SteepestError


def write_atomically(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file in one go; an old one of that name stays as it was until the new one is on the disk.

    Folders above it are made. **Raises** SteepestError where the disk is full, the folder read-only or the name taken
    by a folder; then nothing is left behind.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())  # mkstemp's files are for the owner alone
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        name = str(path).encode("unicode_escape").decode("ascii") if not str(path).isprintable() else path
        raise SteepestError(
            f"{name}: cannot be written ({error.strerror or error}); free space or choose another place"
        ) from error
    return path


def _umask() -> int:
    """The process's umask; the system tells it only in exchange for another."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
