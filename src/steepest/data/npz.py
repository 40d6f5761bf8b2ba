"""NPZ: arrays by the names people give them; pickles and impossible sizes refused before anything is loaded."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.data.memory import check_fits, check_ratio
from steepest.data.parts import given_rows, is_test, pooled
from steepest.data.paths import cannot_read, listed, shown

ROWS = ("x", "data", "images", "features", "image")
LABELS = ("y", "labels", "label", "target", "targets")
PARTS = ("train", "valid", "validation", "val", "test")
HEADER = 10_000  # bytes at most; np.savez writes 128


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, list[str]]:
    """X, y, which rows were given for testing, and notes.

    Keys: x/X/data/images/features and y/labels/target, or these with _train, _val, _test, pooled.
    """
    where = shown(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {m.filename.removesuffix(".npy"): m for m in archive.infolist() if m.filename.endswith(".npy")}
            parts = _pairs(list(members), where)
            pairs = list(parts.values())
            wanted = [key for pair in pairs for key in pair]
            total = sum(_declared(archive, members[key], f"{where}: array {key!r}") for key in wanted)
            check_fits(2 * total, where, "save a part of its rows")
            arrays = {key: _load(archive, members[key], f"{where}: array {key!r}") for key in wanted}
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{where}: not a whole NPZ file ({error}); save it again with np.savez") from error
    except OSError as error:
        raise cannot_read(path, error) from error
    notes = []
    for x, y in pairs:
        if arrays[x].shape[:1] != arrays[y].shape[:1]:
            raise DataError(f"{where}: {x!r} has shape {arrays[x].shape} and {y!r} {arrays[y].shape}; rows must agree")
        if arrays[x].shape[1:] != arrays[pairs[0][0]].shape[1:]:
            raise DataError(f"{where}: rows of {x!r} and {pairs[0][0]!r} differ in shape; they cannot be pooled")
    tests = given_rows(is_test(part) for part, (x, _) in parts.items() for _ in range(len(arrays[x])))
    if len(pairs) > 1:
        notes.append(pooled("arrays", (x for x, _ in pairs), tests))
    left = sorted(set(members) - set(wanted))
    if left:
        notes.append(f"the arrays {listed(left)} are not used")
    if len(pairs) == 1:
        return arrays[wanted[0]], arrays[wanted[1]], tests, notes
    X, y = (np.concatenate([arrays[pair[side]] for pair in pairs]) for side in (0, 1))
    return X, y, tests, notes


def _pairs(keys: list[str], where: str) -> dict[str, tuple[str, str]]:
    """The keys of rows and of labels for each part, \"\" being all rows."""
    lowered = {key.lower(): key for key in keys}

    def find(part: str, names: tuple[str, ...]) -> str | None:
        for name in names:
            spellings = (f"{name}_{part}", f"{part}_{name}", f"{name}{part}", f"{part}{name}") if part else (name,)
            for spelling in spellings:
                if spelling in lowered:
                    return lowered[spelling]
        return None

    whole = find("", ROWS), find("", LABELS)
    if whole[0] and whole[1]:
        return {"": (whole[0], whole[1])}
    pairs = {}
    for part in PARTS:
        x, y = find(part, ROWS), find(part, LABELS)
        if x and y:
            pairs[part] = x, y
    if pairs:
        return pairs
    found = listed(repr(key) for key in keys) or "no arrays"
    raise DataError(
        f"{where}: holds {found}; rows are looked for under 'X' and labels under 'y' (or X_train, y_train …)"
    )


def _declared(archive: zipfile.ZipFile, member: zipfile.ZipInfo, what: str) -> int:
    """The bytes an array will take, after its header, its member's size and the compressed size were found to agree."""
    with archive.open(member) as file:
        shape, _, dtype = _header(file, what)
        offset = file.tell()
    if dtype.hasobject:
        raise DataError(f"{what} holds Python objects (a pickle), which could run code; save plain numbers or text")
    if dtype.kind not in "biufUS":
        raise DataError(f"{what} holds {dtype}; plain numbers or text are needed")
    size = dtype.itemsize
    for n in shape:
        size *= n
    if size != member.file_size - offset or any(n < 0 for n in shape):
        raise DataError(
            f"{what}: its header declares {size:,} bytes, but {member.file_size - offset:,} are there; damaged"
        )
    check_ratio(member.file_size, member.compress_size, what)
    return size


def _header(file: Any, what: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        return read(file, max_header_size=HEADER)
    except (ValueError, KeyError, SyntaxError, TypeError) as error:
        raise DataError(f"{what}: not a NumPy array ({' '.join(str(error).split())[:80]})") from error


def _load(archive: zipfile.ZipFile, member: zipfile.ZipInfo, what: str) -> np.ndarray:
    with archive.open(member) as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False, max_header_size=HEADER)
        except ValueError as error:
            raise DataError(f"{what} cannot be read ({' '.join(str(error).split())[:80]})") from error
