"""IDX, the format of the MNIST family: images and labels in two files, gzipped or not."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from pathlib import Path

import numpy as np

from steepest.core.errors import DataError
from steepest.data.dataset import Gathered
from steepest.data.memory import check_fits, check_ratio
from steepest.data.parts import given_rows, is_test, pooled
from steepest.data.paths import cannot_read, listed, shown
from steepest.data.schema import Schema

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
IMAGES = re.compile(r"images(?=[-._]?idx[34])|images(?=$|\.gz$)", re.IGNORECASE)
PART = re.compile(r"train|test|t10k|valid(ation)?|val", re.IGNORECASE)


def is_idx(head: bytes) -> bool:
    """Whether a file's first bytes are IDX's: two zeros, a known type, one to four axes."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= 4


def image_files(folder: Path) -> list[Path]:
    """The files of a folder that are IDX images by name; the plain one where both it and its gzip are there."""
    found = {p.name: p for p in sorted(folder.iterdir()) if IMAGES.search(p.name) and p.is_file() and p.name[0] != "."}
    return [p for name, p in found.items() if not (name.endswith(".gz") and name[:-3] in found)]


def read_idx(path: Path) -> np.ndarray:
    """The array of one IDX file; its sizes are checked against the file's length before anything is allocated."""
    where = shown(path)
    try:
        length = path.stat().st_size
        with path.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            head = file.read(4)
            if not is_idx(head):
                raise DataError(f"{where}: not an IDX file (it begins with {head.hex(' ') or 'nothing'})")
            axes = file.read(4 * head[3])
            if len(axes) < 4 * head[3]:
                raise DataError(f"{where}: truncated in its header")
            shape = struct.unpack(f">{head[3]}I", axes)
            dtype = np.dtype(TYPES[head[2]])
            size = dtype.itemsize
            for n in shape:  # Python's integers: the product cannot overflow
                size *= n
            claim = f"{where}: its header declares {'×'.join(map(str, shape))} values, {size:,} bytes"
            if zipped:
                check_ratio(size, length, where)
            elif size != length - 4 - len(axes):
                raise DataError(f"{claim}, but {length - 4 - len(axes):,} follow; the file is truncated or damaged")
            check_fits(size, where, "take a part of it")
            body = file.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{where}: its gzip is truncated or damaged ({error}); fetch it again") from error
    except OSError as error:
        raise cannot_read(path, error) from error
    if len(body) != size:
        raise DataError(f"{claim}, but {'more' if len(body) > size else f'{len(body):,}'} follow; the file is damaged")
    return np.frombuffer(body, dtype).reshape(shape)


def gather_idx(path: Path, *, label: str | None = None, raw: bool = False) -> Gathered:
    """The images and labels of a pair of files, or of all parts (train, t10k …) in a folder, pooled."""
    where = shown(path)
    if path.is_dir():
        files = image_files(path)
        stems: dict[str, list[Path]] = {}
        for file in files:
            stems.setdefault(PART.sub("*", file.name.removesuffix(".gz")), []).append(file)
        if len(stems) > 1:
            raise DataError(f"{where} holds several sets: {listed(f.name for f in files)}; name one images file")
    else:
        files = [path]
    parts, labels = [], []
    for file in files:
        images, numbers = _pair(file, Path(label) if label else _labels_of(file))
        if parts and parts[0].shape[1:] != images.shape[1:]:
            raise DataError(
                f"{shown(file)}: rows of shape {images.shape[1:]}, but {parts[0].shape[1:]} in {files[0].name}"
            )
        parts.append(images)
        labels += [str(n) for n in numbers.tolist()]
    X = parts[0] if len(parts) == 1 else np.concatenate(parts)
    tests = given_rows(_is_test(file) for file, rows in zip(files, parts) for _ in range(len(rows)))
    notes = [pooled("parts", (file.name for file in files), tests)] if len(files) > 1 else []
    schema = Schema("images", X.shape[1:], top=255.0, raw=raw)
    return Gathered(path.name, X, labels, schema, where, notes, given_test=tests)


def _is_test(file: Path) -> bool:
    part = PART.search(file.name)
    return part is not None and is_test(part[0])


def _labels_of(file: Path) -> Path:
    match = IMAGES.search(file.name)
    if match is None:
        raise DataError(f"{shown(file)}: which labels belong to it? name the labels file by --label")
    name = file.name[: match.start()] + ("Labels" if match[0][0] == "I" else "labels") + file.name[match.end() :]
    name = re.sub(r"idx[34]", "idx1", name)
    plain = name.removesuffix(".gz")
    for candidate in (file.with_name(name), file.with_name(plain), file.with_name(plain + ".gz")):
        if candidate.exists():
            return candidate
    raise DataError(f"{shown(file)}: its labels file {shown(plain)} (or .gz) is not beside it; name it by --label")


def _pair(file: Path, labels_file: Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = read_idx(file), read_idx(labels_file)
    if images.ndim not in (3, 4) or images.dtype != np.uint8:
        raise DataError(f"{shown(file)}: holds {images.ndim} axes of {images.dtype}; images have 3 (or 4) of bytes")
    if min(images.shape[1:]) < 1:
        raise DataError(f"{shown(file)}: images of {'×'.join(map(str, images.shape[1:]))} hold nothing")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{shown(labels_file)}: holds {labels.ndim} axes of {labels.dtype}; labels have 1 of whole numbers"
        )
    if len(images) != len(labels):
        raise DataError(f"{shown(file)}: {len(images):,} images, but {len(labels):,} labels in {shown(labels_file)}")
    return (images[..., None] if images.ndim == 3 else images), labels
