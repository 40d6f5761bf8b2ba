"""Decoded images on disk: found by content, checked on reading, safe to delete at any time.

    images/<key>.pixels      the pixels of one collection, named by what its files hold; its bytes are checksummed
    images/<hint>.index      a guess: this folder (or files of these sizes) was collection <key>, with these file stamps
    images/<hint>.listing    what an archive of these stamps holds, which takes unpacking all of it to see

An index only says where to look. Stamps (path, size, times of change, inode) that all agree save reading the files;
if any differs, files are read and hashed, and only those whose content is not in the collection are decoded.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "steepest.images/1"
DIGEST = 16  # bytes of a file's content hash
AT_ONCE = 64 << 20  # bytes


@dataclass
class Collection:
    """Decoded files in order: pixels uint8 [files, size, size, 3], a content hash each, and what was odd about them."""

    pixels: np.ndarray
    digests: list[bytes]
    broken: dict[int, str] = field(default_factory=dict)
    remarks: dict[int, tuple[str, ...]] = field(default_factory=dict)


def folder() -> Path:
    """Where decoded images lie: STEEPEST_CACHE, or the user's cache folder."""
    chosen = os.environ.get("STEEPEST_CACHE")
    if chosen:
        return Path(chosen) / "images"
    import platformdirs

    return platformdirs.user_cache_path("steepest") / "images"


def digest(data: bytes) -> bytes:
    """The content hash of a file's bytes."""
    return hashlib.sha256(data).digest()[:DIGEST]


def hint(*parts: object) -> str:
    """A name for an index from what is cheap to know."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def content_key(digests: list[bytes], *settings: object) -> str:
    """The name of a collection: what its files hold, in order, and how they were decoded."""
    return hashlib.sha256(b"".join(digests) + repr(settings).encode()).hexdigest()[:32]


def read_index(name: str) -> tuple[str, str] | None:
    """The stamps and the key an index remembers, or None."""
    try:
        stored = json.loads((folder() / f"{name}.index").read_bytes())
        return str(stored["stamps"]), str(stored["key"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        _remove(folder() / f"{name}.index")
        return None


def read_listing(name: str, stamps: str) -> Any:
    """What `write_listing` wrote for these stamps, or None."""
    path = folder() / f"{name}.listing"
    try:
        stored = json.loads(path.read_bytes())
        return stored["listing"] if stored["stamps"] == stamps else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        _remove(path)
        return None


def write_listing(name: str, stamps: str, listing: Any) -> None:
    """Remember a listing of plain values; where that fails it will be made again, which is no harm."""
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        _write_whole(folder() / f"{name}.listing", json.dumps({"stamps": stamps, "listing": listing}).encode())


def read_collection(key: str, size: int, mapped: bool = False) -> Collection | None:
    """A stored collection, or None; one that does not match its checksum is removed.

    mapped: the pixels stay on disk, as a `numpy.memmap`.
    """
    path = folder() / f"{key}.pixels"
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(1 << 26))
            rows = int(header["rows"])
            expected = rows * (size * size * 3 + DIGEST)
            if header["format"] != FORMAT or header["size"] != size or rows < 0:
                raise ValueError("another format")
            if os.fstat(file.fileno()).st_size != file.tell() + expected:
                raise ValueError("another length")
            body = _mapped(path, file.tell(), expected) if mapped else np.fromfile(file, np.uint8, expected)
        if len(body) != expected or checksum(body) != header["crc32"]:
            raise ValueError("another checksum")
        hashes = body[: rows * DIGEST].tobytes()
        return Collection(
            pixels=body[rows * DIGEST :].reshape(rows, size, size, 3),
            digests=[hashes[i : i + DIGEST] for i in range(0, len(hashes), DIGEST)],
            broken={int(i): str(why) for i, why in header["broken"].items()},
            remarks={int(i): tuple(map(str, what)) for i, what in header["remarks"].items()},
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        _remove(path)
        return None


def _mapped(path: Path, offset: int, length: int) -> np.ndarray:
    return np.memmap(path, np.uint8, "r", offset, (length,)) if length else np.zeros(0, np.uint8)


def checksum(body: np.ndarray, before: int = 0) -> int:
    """CRC-32 of bytes [n], some at a time; a mapped file's pages are given back."""
    for start in range(0, len(body), AT_ONCE):
        before = zlib.crc32(body[start : start + AT_ONCE].data, before)
        release(body)
    return before


def release(body: np.ndarray) -> None:
    """Give the pages of a mapped file back to the system; they are read again when they are needed."""
    if isinstance(body, np.memmap) and hasattr(mmap, "MADV_DONTNEED") and body.flags.writeable is False:
        body._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def scratch(rows: int, size: int) -> tuple[np.ndarray, Path]:
    """Zeros [rows, size, size, 3] in a file of the cache's folder, for pixels that do not fit in memory; the file."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place, prefix=".writing-")
    os.close(handle)
    return np.memmap(name, np.uint8, "w+", shape=(rows, size, size, 3)), Path(name)


def write(collection: Collection, key: str, size: int, hints: tuple[str, ...], stamps: str) -> None:
    """Store a collection and point the hints at it, each file whole or not at all. Raises OSError (disk full, …)."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{key}.pixels"
    if not path.exists():
        body = b"".join(collection.digests)
        pixels = np.ascontiguousarray(collection.pixels).reshape(-1)
        header: dict[str, Any] = {
            "format": FORMAT,
            "rows": len(collection.digests),
            "size": size,
            "crc32": checksum(pixels, zlib.crc32(body)),
            "broken": collection.broken,
            "remarks": collection.remarks,
        }
        parts = (pixels[start : start + AT_ONCE] for start in range(0, len(pixels), AT_ONCE))
        _write_whole(path, json.dumps(header).encode() + b"\n", body, *parts)
    before = {old[1] for name in hints[:1] if (old := read_index(name))}
    for name in hints:
        _write_whole(place / f"{name}.index", json.dumps({"stamps": stamps, "key": key}).encode())
    for old in before - {key}:
        _remove(place / f"{old}.pixels")  # the folder's former state; whoever else holds it decodes it again


def _write_whole(path: Path, *parts: Any) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
        Path(temporary).replace(path)
    except BaseException:
        _remove(Path(temporary))
        raise


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # a read-only cache: the entry stays, unused
        path.unlink()
