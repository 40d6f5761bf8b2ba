"""What rows hold: a fingerprint of all of them, and which rows are the same (a near-certain leak across a split)."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence

import numpy as np

from steepest.data.cache import release
from steepest.data.labels import Task

CHUNK_BYTES = 256 << 10  # of rows hashed at a time: their copies stay in the processor's cache


def _row_bytes(X: np.ndarray) -> np.ndarray:
    """uint8 [rows, bytes]: equal bytes for equal rows (−0 and 0 are equal, and so are all NaN)."""
    rows = X.reshape(len(X), -1)
    if rows.dtype.kind == "f":
        rows = rows + np.zeros(1, rows.dtype)
        rows[np.isnan(rows)] = np.nan
    return np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)


def same_rows(X: np.ndarray) -> np.ndarray:
    """int32 [rows]: rows with the same content share a number; numbered by first appearance.

    >>> same_rows(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).tolist()
    [0, 1, 0]
    """
    if X.size == 0:
        return np.zeros(len(X), np.int32)
    hashes = _hashes(X)
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    seen: dict[bytes | int, int] = {}
    groups = np.empty(len(X), np.int32)
    alone = counts[inverse] == 1
    for i in range(len(X)):  # only rows whose hashes meet are compared in full
        key: bytes | int = i if alone[i] else _row_bytes(X[i : i + 1]).tobytes()
        groups[i] = seen.setdefault(key, len(seen))
    return groups


def _hashes(X: np.ndarray) -> np.ndarray:
    """uint64 [rows]: each row's 8-byte words times fixed random odd numbers, summed."""
    width = max(math.prod(X.shape[1:]) * X.dtype.itemsize, 1)
    words = -(-width // 8)
    random = np.random.Generator(np.random.PCG64(0)).integers(0, 2**63, words, np.uint64) * np.uint64(2) + np.uint64(1)
    hashes = np.empty(len(X), np.uint64)
    few = max(CHUNK_BYTES // width, 1)
    for start in range(0, len(X), few):
        block = _row_bytes(X[start : start + few])
        if width % 8:
            block = np.pad(block, ((0, 0), (0, 8 * words - width)))
        np.einsum("ij,j->i", block.view(np.uint64), random, out=hashes[start : start + few])
        if start % (few * 256) == 0:
            release(X)
    return hashes


def fingerprint(X: np.ndarray, y: np.ndarray, classes: tuple[str, ...], further: Sequence[Task] = ()) -> str:
    """A content hash, 32 hexadecimal digits: the same wherever the files lie and whenever they were written.

    further: the tasks after the first, whose labels y are.
    """
    digest = hashlib.sha256()
    for array in (X, y, *(task.y for task in further)):
        little = array.dtype.newbyteorder("<")
        digest.update(f"{little.str}{array.shape}".encode())
        few = max(CHUNK_BYTES // max(math.prod(array.shape[1:]) * array.itemsize, 1), 1)
        for start in range(0, len(array), few):
            digest.update(_row_bytes(array[start : start + few].astype(little, copy=False)).data)
        release(array)
    for name in itertools.chain(classes, *((task.name, *task.classes) for task in further)):
        raw = name.encode("utf-8", "surrogateescape")
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()[:32]
