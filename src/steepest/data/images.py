"""Many image files → pixels: decoded in threads, once; later from the cache, or only what is new."""

from __future__ import annotations

import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from steepest.core.errors import DataError
from steepest.data import cache
from steepest.data.decode import DECODER, MOST_BYTES, Unreadable, decode, prepare
from steepest.data.memory import check_fits, fits

Progress = Callable[[int, int], None]
Chunk = list[tuple[int, Callable[[], bytes]]]  # rows, and what gives the bytes of each or raises Unreadable
CHUNK = 16  # files a task: small enough for a smooth progress bar
AHEAD = 4  # tasks a thread that wait, with their bytes where these are read from an archive
UNREAD = bytes(cache.DIGEST)  # stands for the content of a file that could not be read
TICK = 0.05  # seconds: a file changed again within the clock's tick keeps its stamp


@dataclass(frozen=True)
class Origin:
    """Where images come from: how many, their bytes chunk by chunk, and how to know them again without reading them.

    `place` and `sizes` are guesses for the cache's index; `stats` are of the files that must not have changed, `files`
    their names.
    """

    count: int
    chunks: Callable[[], Iterable[Chunk]]
    place: tuple[object, ...]
    sizes: list[int]
    files: list[str]
    stats: list[os.stat_result]


def load(
    root: Path,
    files: list[str],
    stats: list[os.stat_result],
    size: int,
    progress: Progress | None = None,
    use_cache: bool = True,
) -> tuple[cache.Collection, list[str]]:
    """The decoded files in order (rows of broken ones are 0), and notes on the cache. Files are relative to root."""

    def chunks() -> Iterator[Chunk]:
        for start in range(0, len(files), CHUNK):
            yield [
                (i, partial(_read, os.path.join(root, files[i]), stats[i].st_size))  # noqa: PTH118
                for i in range(start, min(start + CHUNK, len(files)))
            ]

    sizes = [stat.st_size for stat in stats]
    return load_from(Origin(len(files), chunks, ("root", root), sizes, files, stats), size, progress, use_cache)


def load_from(
    origin: Origin, size: int, progress: Progress | None = None, use_cache: bool = True
) -> tuple[cache.Collection, list[str]]:
    """The decoded images of an origin in order (rows of broken ones are 0), and notes on the cache."""
    count = origin.count
    mapped = use_cache and not fits(count * size * size * 3)
    if not mapped:
        check_fits(count * size * size * 3, f"{count:,} images at {size}×{size}", "use a smaller --size")
    if not use_cache:
        return _decode_all(origin, size, None, progress), []
    import PIL

    how = (size, DECODER, PIL.__version__)
    hints = (cache.hint(*origin.place, *how), cache.hint("sizes", *how, *origin.sizes))
    stamps = stamps_of(origin.files, origin.stats)
    known: cache.Collection | None = None
    for name in hints:
        index = cache.read_index(name)
        known = cache.read_collection(index[1], size, mapped) if index else None
        if known is not None and index is not None:
            if index[0] == stamps:
                if progress:
                    progress(count, count)
                return known, []
            break
    settled = settled_since(origin.stats)
    if mapped:
        return _decode_apart(origin, size, known, progress, (hints, stamps if settled else ""), how), []
    collection = _decode_all(origin, size, known, progress)
    try:
        key = cache.content_key(collection.digests, *how)
        trusted = settled and UNREAD not in collection.digests  # what the system refused now it may allow later
        cache.write(collection, key, size, hints, stamps if trusted else "")
    except OSError as error:
        return collection, [f"the decoded images could not be cached in {cache.folder()} ({error.strerror or error})"]
    return collection, []


def _decode_apart(
    origin: Origin,
    size: int,
    known: cache.Collection | None,
    progress: Progress | None,
    index: tuple[tuple[str, ...], str],
    how: tuple[object, ...],
) -> cache.Collection:
    """Images that do not fit in memory: decoded into a file, and read from the cache's file from then on."""
    try:
        pixels, place = cache.scratch(origin.count, size)
        try:
            collection = _decode_all(origin, size, known, progress, pixels)
            key = cache.content_key(collection.digests, *how)
            cache.write(collection, key, size, index[0], "" if UNREAD in collection.digests else index[1])
        finally:
            place.unlink()
    except OSError as error:
        raise DataError(
            f"{origin.count:,} images at {size}×{size} do not fit in memory, and cannot be kept in "
            f"{cache.folder()} ({error.strerror or error}); make room there (twice {pixels_gb(origin.count, size)}), "
            f"name another folder by STEEPEST_CACHE, or use a smaller --size"
        ) from error
    stored = cache.read_collection(key, size, mapped=True)
    assert stored is not None, "it was written a moment ago"
    return stored


def pixels_gb(count: int, size: int) -> str:
    """How much room decoded images take."""
    return f"{count * size * size * 3 / 1e9:.1f} GB"


def stamps_of(files: list[str], stats: list[os.stat_result]) -> str:
    """A hash of what the system says of the files. The time of change cannot be set back by a program, unlike mtime."""
    lines = [f"{f}\0{s.st_size}\0{s.st_mtime_ns}\0{s.st_ctime_ns}\0{s.st_ino}" for f, s in zip(files, stats)]
    return cache.hint(*lines)


def settled_since(stats: list[os.stat_result]) -> bool:
    """Whether stamps can be trusted: waits until the newest file's tick has passed; not if that is in the future."""
    newest = max((max(stat.st_mtime_ns, stat.st_ctime_ns) for stat in stats), default=0) / 1e9
    age = time.time() - newest
    if 0 <= age < TICK:
        time.sleep(TICK - age)
    return age >= 0


def workers() -> int:
    """Threads that decode: the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _decode_all(
    origin: Origin,
    size: int,
    known: cache.Collection | None,
    progress: Progress | None,
    pixels: np.ndarray | None = None,
) -> cache.Collection:
    prepare()
    rows = {digest: i for i, digest in enumerate(known.digests)} if known else {}
    if pixels is None:
        pixels = np.zeros((origin.count, size, size, 3), np.uint8)
    out = cache.Collection(pixels, [b""] * origin.count)

    def work(chunk: Chunk) -> int:
        for i, read in chunk:
            try:
                data = read()
                out.digests[i] = cache.digest(data)
                row = rows.get(out.digests[i])
                if known is None or row is None:
                    out.pixels[i], remarks = decode(data, size)
                elif row in known.broken:
                    raise Unreadable(known.broken[row])
                else:
                    out.pixels[i], remarks = known.pixels[row], known.remarks.get(row, ())
                if remarks:
                    out.remarks[i] = remarks
            except Unreadable as refusal:
                out.broken[i] = str(refusal)
                out.digests[i] = out.digests[i] or UNREAD
        return len(chunk)

    done = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; set once, around all threads
        for more in _in_threads(work, origin.chunks()):
            done += more
            if progress:
                progress(done, origin.count)
    return out


def _in_threads(work: Callable[[Chunk], int], chunks: Iterable[Chunk]) -> Iterator[int]:
    """What the work gives for each chunk in turn; few chunks wait at a time, for they may hold their images' bytes."""
    threads = workers()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    waiting: deque[Future[int]] = deque()
    try:
        for chunk in chunks:
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # an interrupt ends after the chunks at hand


def _read(path: str, size: int) -> bytes:
    if size > MOST_BYTES:
        raise Unreadable(f"{size:,} bytes; at most {MOST_BYTES:,} are read")
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error


def grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 [rows, H, W, 1] from [rows, H, W, 3] by ITU-R 601 luma, bit for bit as Pillow's convert("L")."""
    out = np.empty((*pixels.shape[:-1], 1), np.uint8)
    for start in range(0, len(pixels), 256):  # the sums take four times the memory of the pixels
        red, green, blue = (pixels[start : start + 256, ..., c].astype(np.uint32) for c in range(3))
        out[start : start + 256, ..., 0] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return out


def all_grey(pixels: np.ndarray) -> bool:
    """Whether every image is grey: red, green and blue are equal everywhere."""
    for start in range(0, len(pixels), 64):  # a few at a time: colour is usually found at once
        block = pixels[start : start + 64]
        if not ((block[..., 0] == block[..., 1]).all() and (block[..., 0] == block[..., 2]).all()):
            return False
    return True
