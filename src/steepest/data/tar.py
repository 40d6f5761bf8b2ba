"""Tar archives as a stream of members, packed by gzip, bzip2 or xz or not at all. Nothing is written anywhere.

Our own reader, for the sake of its bounds: the standard library's takes a header that declares 10 GB as an order to
read 10 GB, and an archive with a damaged header in its middle as one that ends there. What is read here: the formats
V7, ustar, GNU and pax; what a member is called, how long it is, and whether it is a file. Modes, owners and times are
nobody's business, links and devices are members of which only the kind is told.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from steepest.core.errors import DataError
from steepest.data.paths import cannot_read, shown

BLOCK = 512
MOST_MEMBERS = 4_000_000  # ImageNet has 1.3 million
MOST_RATIO = 250  # unpacked bytes for a packed one; tiny images in xz come to 60
LEAST_LIMIT = 1 << 28  # unpacked bytes that are allowed however small the archive is
MOST_NAME = 1 << 20  # bytes of a long name or of a pax header
SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
PACKERS: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
FILES = b"0\0" + b"7"  # regular, regular as V7 wrote it, contiguous
KINDS = {b"1": "link", b"2": "link", b"3": "device", b"4": "device", b"5": "folder", b"6": "pipe"}


@dataclass(frozen=True)
class Member:
    """What a header says: the name as it stands there, the bytes that follow, "file" or what else it is."""

    name: str
    size: int
    kind: str


def is_archive(path: Path) -> bool:
    """Whether a file is called like a tar archive."""
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")


def stem(path: Path) -> str:
    """The name without what says that it is an archive.

    >>> stem(Path("photos.TAR.gz"))
    'photos'
    """
    suffix = max((s for s in SUFFIXES if path.name.lower().endswith(s)), key=len, default="")
    return path.name[: len(path.name) - len(suffix)]


def holds_tar(path: Path, head: bytes) -> bool:
    """Whether a file's content is a tar archive, packed or not, or is called so and cannot be unpacked to see it."""
    packer = next((opener for magic, opener in PACKERS.items() if head.startswith(magic)), None)
    if packer is None:
        return len(head) >= BLOCK and _checks(head[:BLOCK])
    try:
        with packer(path) as file:
            first = file.read(BLOCK)
    except (*DAMAGED, OSError):
        return is_archive(path)  # damaged: reading it will say how
    return len(first) == BLOCK and _checks(first)


def walk(path: Path) -> Iterator[tuple[Member, Callable[[], bytes]]]:
    """Each member with a function that reads its content; call it before the next member is asked for.

    Raises DataError, which names the archive and the member, where it is truncated, damaged or too large to be true.
    """
    where = shown(path)
    try:
        with path.open("rb") as plain:
            head = plain.read(6)
            packer = next((opener for magic, opener in PACKERS.items() if head.startswith(magic)), None)
            plain.seek(0)
            length = os.fstat(plain.fileno()).st_size
            if packer is None:
                yield from _Stream(plain, where, length, length).members()
            else:
                with packer(plain) as file:
                    yield from _Stream(file, where, max(MOST_RATIO * length, LEAST_LIMIT)).members()
    except OSError as error:
        raise cannot_read(path, error) from error


class _Stream:
    """A place in an archive: reads and skips forwards only, and knows the member it is at for its messages."""

    def __init__(self, file: IO[bytes], where: str, limit: int, length: int | None = None) -> None:
        self._file, self._where, self._limit, self._length = file, where, limit, length
        self._at, self._last = 0, ""

    def members(self) -> Iterator[tuple[Member, Callable[[], bytes]]]:
        long_name, declared = None, None
        for _ in range(MOST_MEMBERS):
            header = self._header()
            if header is None:
                self._drain()
                return
            member, flag = header
            if flag in b"xLKg":
                content = self._extension(member)
                if flag == b"L":
                    long_name = content.rstrip(b"\0").decode("utf-8", "surrogateescape")
                elif flag == b"x":
                    said = self._pax(content)
                    long_name, declared = said.get("path", long_name), said.get("size", declared)
                    self._sparse(any(key.startswith("GNU.sparse") for key in said))
                continue
            self._sparse(flag == b"S")
            size = member.size if declared is None else self._number(declared)
            name = member.name if long_name is None else long_name
            kind = "folder" if member.kind == "file" and name.endswith("/") else member.kind  # as V7 wrote folders
            member = Member(name, size, kind)
            long_name = declared = None
            self._last = member.name
            end = self._at + size + -size % BLOCK
            self._check_size(member)
            yield member, lambda size=size: self._read(size)
            self._skip(end - self._at)
        raise DataError(f"{self._where}: more than {MOST_MEMBERS:,} members; refused")

    def _header(self) -> tuple[Member, bytes] | None:
        """The next header, None at the end, which a block of zeros must mark: without it the rest is missing."""
        block = self._read(BLOCK)
        if not any(block):
            return None
        if not _checks(block):
            raise self._damaged("no header of a member follows")
        flag = block[156:157]
        name = _text(block[:100])
        if block[257:263] == b"ustar\0" and block[345]:
            name = f"{_text(block[345:500])}/{name}"
        kind = KINDS.get(flag, "file" if flag in FILES else "other")
        size = 0 if kind in ("link", "device", "folder", "pipe") else self._octal(block[124:136])
        return Member(name, size, kind), flag

    def _extension(self, member: Member) -> bytes:
        if member.size > MOST_NAME:
            raise self._damaged(f"a header of {member.size:,} bytes follows; at most {MOST_NAME:,} are read")
        content = self._read(member.size)
        self._skip(-member.size % BLOCK)
        return content

    def _pax(self, content: bytes) -> dict[str, str]:
        """The records `length key=value\\n` of a pax header."""
        said: dict[str, str] = {}
        at = 0
        while at < len(content) and content[at] != 0:
            length = content[at : at + 8].partition(b" ")[0]
            end = at + int(length) if length.isdigit() and len(length) < 8 else 0
            if not at + len(length) + 3 <= end <= len(content):
                raise self._damaged("its pax header is no list of records")
            key, _, value = content[at + len(length) + 1 : end - 1].partition(b"=")
            said[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
            at = end
        return said

    def _octal(self, field: bytes) -> int:
        if field[0] & 0x80:  # GNU's for 8 GiB and more
            return int.from_bytes(field[1:], "big") if field[0] == 0x80 else self._number("-1")
        return self._number(field.strip(b" \0").decode("ascii", "replace") or "0", 8)

    def _number(self, text: str, base: int = 10) -> int:
        if len(text) <= 20 and text.isascii() and text.isdigit():
            try:
                return int(text, base)
            except ValueError:
                pass
        raise self._damaged("the next header declares no size")

    def _check_size(self, member: Member) -> None:
        if self._length is not None and self._at + member.size > self._length:
            raise DataError(f"{self._where}: {shown(member.name)} declares {member.size:,} bytes, but "
                            f"{self._length - self._at:,} follow; the archive is truncated or damaged")  # fmt: skip
        self._check_limit(member.size)

    def _check_limit(self, more: int) -> None:
        if self._at + more > self._limit:
            raise DataError(f"{self._where}: declares more than {self._limit:,} bytes at {shown(self._last)!r}, "
                            f"{MOST_RATIO} times what the file holds, which cannot be true; refused")  # fmt: skip

    def _read(self, size: int) -> bytes:
        if self._length is None:
            self._check_limit(size)
        content = self._packed(size)
        if len(content) < size:
            raise self._damaged("its end is missing")
        return content

    def _packed(self, size: int) -> bytes:
        try:
            content = self._file.read(size)
        except DAMAGED as error:
            raise self._damaged(f"it cannot be unpacked any further: {error}") from error
        except OSError as error:
            if error.errno is None:  # bzip2's way to say so
                raise self._damaged(f"it cannot be unpacked any further: {error}") from error
            raise
        self._at += len(content)
        return content

    def _skip(self, size: int) -> None:
        if self._length is not None:
            self._file.seek(size, os.SEEK_CUR)
            self._at += size
            return
        while size > 0:
            size -= len(self._read(min(size, 1 << 20)))

    def _drain(self) -> None:
        """Read on to the end of a packed file, where its checksum is."""
        while self._length is None and self._packed(1 << 20):
            self._check_limit(0)

    def _sparse(self, found: bool) -> None:
        if found:
            raise DataError(f"{self._where}: holds a sparse file, after {shown(self._last)!r}; pack it as a plain one")

    def _damaged(self, what: str) -> DataError:
        place = f"at member {shown(self._last)!r}" if self._last else "before its first member"
        return DataError(f"{self._where}: truncated or damaged {place} ({what}); fetch the archive again")


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _checks(block: bytes) -> bool:
    """Whether 512 bytes are a header by its checksum: the sum of its bytes, its own eight counted as blanks."""
    declared = block[148:156].strip(b" \0")
    if not declared or not all(c in b"01234567" for c in declared):
        return False
    return int(declared, 8) == sum(block) - sum(block[148:156]) + 8 * 32
