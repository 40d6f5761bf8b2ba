"""`get`: a named data set from its server or a mirror; resumed where it was interrupted, checked before it counts.

Bytes go to `FILE.part`, which stays when anything goes wrong and is gone on with the next time. Only a file whose
checksum is right gets its own name. Pooch knows where a file belongs and whether it is the right one; `Resuming` is a
downloader for it, since its own ones begin anew each time.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from steepest.core.errors import DataError, SettingError, unknown
from steepest.core.version import __version__
from steepest.data.named import NAMED, File, downloads
from steepest.data.paths import shown

BLOCK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte
PAUSES = (0.5, 1.0, 2.0)  # seconds before another try; each byte that comes makes the server's credit whole again
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))  # answers of a server that may be well again in a moment
AGAIN = "the same command goes on from there"


def get(
    name: str,
    to: str | os.PathLike[str] | None = None,
    mirror: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Download a data set of `NAMED` and return its folder, which `open` reads; what is there already stays.

    to: the folder above it, by default the one in which `open(name)` looks. mirror: another address under which the
    files lie. progress: called with (bytes, all bytes). Raises DataError in one line where the server, the checksum or
    the disk is at fault; what came so far is kept in `.part` files.
    """
    if name not in NAMED:
        raise unknown("download", name, NAMED)
    folder = folder_of(name, to)
    address = _address(NAMED[name].address if mirror is None else mirror)
    total, before = NAMED[name].size, 0
    for file, what in NAMED[name].files.items():
        resuming = Resuming(what, lambda done, before=before: progress(before + done, total) if progress else None)
        _retrieve(f"{address}/{file}", folder / file, what, resuming)
        before += what.size
        if progress:
            progress(before, total)
    return folder


def folder_of(name: str, to: str | os.PathLike[str] | None = None) -> Path:
    """The folder that `get` fills: every set has its own, for MNIST and Fashion-MNIST call their files alike."""
    return (downloads() if to is None else Path(to).expanduser()) / name


def kept(name: str, to: str | os.PathLike[str] | None = None) -> int:
    """Bytes of a download that are there, in whole files and parts."""
    folder, found = folder_of(name, to), 0
    for file in NAMED[name].files:
        for path in (folder / file, part_of(folder / file)):
            with contextlib.suppress(OSError):
                found += path.stat().st_size
    return found


def part_of(path: Path) -> Path:
    """Where a file lies while it is on its way."""
    return path.with_name(path.name + ".part")


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or any(not c.isprintable() or c == " " for c in text):
        raise SettingError(f"mirror = {text!r}; it must be an address such as https://example.org/data")
    return text.rstrip("/")


def _retrieve(url: str, path: Path, what: File, resuming: Any) -> None:
    """One file by pooch. A file whose beginning came another day may be two files' halves: then once more, whole."""
    import pooch

    pooch.get_logger().setLevel("ERROR")  # its messages are not ours
    for attempt in (1, 2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            pooch.retrieve(url, what.checksum, path.name, path.parent, downloader=resuming)
            return
        except DataError:
            raise
        except OSError as error:
            raise DataError(
                f"{shown(path)}: cannot be written ({error.strerror or error}); choose another place by --to"
            ) from error
        except ValueError as error:  # pooch's, for another checksum
            if resuming.resumed and attempt == 1:
                continue
            raise DataError(
                f"{url}: what came is not {path.name}, its checksum is another; nothing was kept. Try again, or name "
                "another server by --mirror"
            ) from error


@dataclass
class Resuming:
    """A downloader for pooch that goes on where a `.part` file ends, and tries again when the line breaks."""

    what: File
    report: Callable[[int], None]
    resumed: bool = False

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Fetch the url; the whole file replaces `output_file`, whose name pooch chose."""
        del pooch
        name = urlsplit(url).path.rpartition("/")[2]
        part = part_of(Path(output_file).with_name(name))
        with _alone(part):
            self.resumed = _length(part) > 0
            self._complete(url, part)
            part.replace(output_file)

    def _complete(self, url: str, part: Path) -> None:
        tries = 0
        while (have := _length(part)) < self.what.size:
            try:
                self._go_on(url, part, have)
                trouble = "the connection ended"
            except urllib.error.HTTPError as error:
                trouble = self._answer(url, error, part)
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                trouble = str(getattr(reason, "strerror", None) or reason or type(error).__name__)
            now = _length(part)
            if now == self.what.size:
                return
            tries = 0 if now > have else tries + 1
            if tries > len(PAUSES):
                raise DataError(f"{url}: {shown(trouble)}, {_amount(now, self.what.size, part)}")
            time.sleep(PAUSES[max(tries - 1, 0)])

    def _answer(self, url: str, error: urllib.error.HTTPError, part: Path) -> str:
        """What an answer other than success means: to be tried again, or the end."""
        error.close()
        if error.code == 416:  # the part is no beginning of what the server has
            os.truncate(part, 0)
        elif error.code not in PASSING:
            raise DataError(
                f"{url}: the server answers {error.code} {shown(error.reason)}; name another server by --mirror"
            ) from error
        return f"the server answers {error.code} {error.reason}"

    def _go_on(self, url: str, part: Path, have: int) -> None:
        """Append what the server sends from `have` on. Returns when it ends, early or not."""
        headers = {"User-Agent": f"steepest/{__version__}", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            continues = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            if not continues:
                have, self.resumed = 0, False  # the server knows nothing of ranges, or sends another one
            self._check_length(url, answer, have)
            if not continues:
                os.truncate(part, 0)
            while block := answer.read(BLOCK):
                have += len(block)
                if have > self.what.size:
                    os.truncate(part, 0)
                    raise self._other(url, f"more than {self.what.size:,}")
                _append(part, block)
                self.report(have)

    def _check_length(self, url: str, answer: Any, have: int) -> None:
        """Refuse what is not the file by its length, before a byte of it is written."""
        text = answer.headers.get("Content-Length", "")
        if answer.status not in (200, 206) or (text.isdigit() and have + int(text) != self.what.size):
            raise self._other(url, f"{have + int(text):,}" if text.isdigit() else "no")

    def _other(self, url: str, sent: str) -> DataError:
        return DataError(f"{url}: the server sends {sent} bytes, and the file has {self.what.size:,}: it is not that "
                         "file; name another server by --mirror")  # fmt: skip


def _append(part: Path, block: bytes) -> None:
    try:
        with part.open("ab") as file:
            file.write(block)
    except OSError as error:  # caught here, since the server's failures are OSErrors too
        raise DataError(
            f"{shown(part)}: cannot be written ({error.strerror or error}); free space, and {AGAIN}"
        ) from error


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Two processes that append to one part would spoil it: the second is refused (where the system has locks)."""
    with part.open("ab") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows: there a spoilt part is found by its checksum
            pass
        except BlockingIOError as error:
            raise DataError(f"{shown(part)}: another process is downloading it; wait for it") from error
        try:
            yield
        finally:
            if not _length(part):
                part.unlink(missing_ok=True)


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _amount(have: int, size: int, part: Path) -> str:
    if not have:
        return "and nothing came; look at your connection, or name another server by --mirror"
    return f"and {have:,} of {size:,} bytes are in {shown(part)}; {AGAIN}"
