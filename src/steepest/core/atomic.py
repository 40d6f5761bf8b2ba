"""Files that are there whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
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
        raise _refused(path, error) from error
    return path


def check_writable(path: str | os.PathLike[str]) -> None:
    """Try whether a file could be written there, before the work whose result it is to hold; nothing is left behind.

    **Raises** SteepestError as `write_atomically` does: its folder, or the nearest one above it that exists, takes no
    files, or the name is a folder's.
    """
    path = Path(path)
    try:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(path.stat().st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = next(above for above in path.absolute().parents if os.path.lexists(above))
        with tempfile.TemporaryFile(dir=folder, prefix=".writing-"):  # permissions alone do not tell: root, a full disk
            pass
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> SteepestError:
    name = str(path).encode("unicode_escape").decode("ascii") if not str(path).isprintable() else path
    return SteepestError(f"{name}: cannot be written ({error.strerror or error}); free space or choose another place")


def _umask() -> int:
    """The process's umask; the system tells it only in exchange for another."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
