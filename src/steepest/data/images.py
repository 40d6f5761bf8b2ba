"""Many image files → pixels: decoded in threads, once; later from the cache, or only what is new."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from steepest.data import cache
from steepest.data.decode import DECODER, MOST_BYTES, Unreadable, decode, prepare
from steepest.data.memory import check_fits

Progress = Callable[[int, int], None]
CHUNK = 16  # files a task: small enough for a smooth progress bar
UNREAD = bytes(cache.DIGEST)  # stands for the content of a file that could not be read
TICK = 0.05  # seconds: a file changed again within the clock's tick keeps its stamp


def load(
    root: Path,
    files: list[str],
    stats: list[os.stat_result],
    size: int,
    progress: Progress | None = None,
    use_cache: bool = True,
) -> tuple[cache.Collection, list[str]]:
    """The decoded files in order (rows of broken ones are 0), and notes on the cache. Files are relative to root."""
    check_fits(len(files) * size * size * 3, f"{len(files):,} images at {size}×{size}", "use a smaller --size")
    if not use_cache:
        return _decode_all(root, files, stats, size, {}, None, progress), []
    import PIL

    how = (size, DECODER, PIL.__version__)
    sizes = [stat.st_size for stat in stats]
    hints = (cache.hint("root", root, *how), cache.hint("sizes", *how, *sizes))
    stamps = _stamps(files, stats)
    known: cache.Collection | None = None
    for name in hints:
        index = cache.read_index(name)
        known = cache.read_collection(index[1], size) if index else None
        if known is not None and index is not None:
            if index[0] == stamps:
                if progress:
                    progress(len(files), len(files))
                return known, []
            break
    settled = _settled(stats)
    rows = {digest: i for i, digest in enumerate(known.digests)} if known else {}
    collection = _decode_all(root, files, stats, size, rows, known, progress)
    try:
        key = cache.content_key(collection.digests, *how)
        trusted = settled and UNREAD not in collection.digests  # what the system refused now it may allow later
        cache.write(collection, key, size, hints, stamps if trusted else "")
    except OSError as error:
        return collection, [f"the decoded images could not be cached in {cache.folder()} ({error.strerror or error})"]
    return collection, []


def _stamps(files: list[str], stats: list[os.stat_result]) -> str:
    """A hash of what the system says of the files. The time of change cannot be set back by a program, unlike mtime."""
    lines = [f"{f}\0{s.st_size}\0{s.st_mtime_ns}\0{s.st_ctime_ns}\0{s.st_ino}" for f, s in zip(files, stats)]
    return cache.hint(*lines)


def _settled(stats: list[os.stat_result]) -> bool:
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
    root: Path,
    files: list[str],
    stats: list[os.stat_result],
    size: int,
    rows: dict[bytes, int],
    known: cache.Collection | None,
    progress: Progress | None,
) -> cache.Collection:
    prepare()
    out = cache.Collection(np.zeros((len(files), size, size, 3), np.uint8), [b""] * len(files))

    def work(chunk: range) -> None:
        for i in chunk:
            try:
                data = _read(os.path.join(root, files[i]), stats[i].st_size)  # noqa: PTH118
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

    chunks = [range(start, min(start + CHUNK, len(files))) for start in range(0, len(files), CHUNK)]
    done = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; set once, around all threads
        for chunk in _in_threads(work, chunks):
            done += len(chunk)
            if progress:
                progress(done, len(files))
    return out


def _in_threads(work: Callable[[range], None], chunks: list[range]) -> Iterator[range]:
    pool = ThreadPoolExecutor(min(workers(), max(1, len(chunks))), thread_name_prefix="decode")
    try:
        futures = {pool.submit(work, chunk): chunk for chunk in chunks}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
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
    red, green, blue = (pixels[..., c].astype(np.uint32) for c in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)[..., None]


def all_grey(pixels: np.ndarray) -> bool:
    """Whether every image is grey: red, green and blue are equal everywhere."""
    for start in range(0, len(pixels), 64):  # a few at a time: colour is usually found at once
        block = pixels[start : start + 64]
        if not ((block[..., 0] == block[..., 1]).all() and (block[..., 0] == block[..., 2]).all()):
            return False
    return True
