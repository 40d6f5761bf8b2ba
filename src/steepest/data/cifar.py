"""CIFAR-10 and CIFAR-100 as they are given out: batches as pickles (python version) or bytes (binary version)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steepest.core.errors import DataError, SettingError
from steepest.data.dataset import Gathered
from steepest.data.images import grey
from steepest.data.labels import Labels, NoSuchLabel, label_names
from steepest.data.memory import check_fits
from steepest.data.parts import given_rows, pooled
from steepest.data.paths import cannot_read, counted, shown
from steepest.data.pickled import read_pickle
from steepest.data.reading import Reading
from steepest.data.schema import Schema

SIDE = 32
PIXELS = 3 * SIDE * SIDE
MOST_BATCH = 1 << 29  # bytes of a file; CIFAR-100's training rows come in 155 MB
BATCH = re.compile(r"(?P<part>data|test)_batch(_\d+)?(\.bin)?|(?P<whole>train|test)(\.bin)?")
NAMES = frozenset(("batches.meta", "batches.meta.txt", "meta", "fine_label_names.txt", "coarse_label_names.txt"))
FOLDERS = ("cifar-10-batches-py", "cifar-10-batches-bin", "cifar-100-python", "cifar-100-binary")
LABELS = ("fine", "coarse")  # of CIFAR-100: 100 classes in 20 superclasses


@dataclass(frozen=True)
class Layout:
    """Which files of a folder or an archive are batches, training rows first, and which name the classes.

    `levels`: the labels that each row has, in the order of the binary version.
    """

    batches: tuple[str, ...]
    binary: bool
    levels: tuple[str, ...]
    names: dict[str, str]  # level → file with its class names; in the python version the same file for all

    @property
    def files(self) -> frozenset[str]:
        """All files that are read."""
        return frozenset(self.batches) | frozenset(self.names.values())


@dataclass
class Batch:
    """Planar images uint8 [rows, 3, 32, 32] as they lie in the file, and the class numbers of each level."""

    pixels: np.ndarray
    labels: dict[str, np.ndarray]


def layout_of(files: Iterable[str]) -> Layout | None:
    """What the names of files in one folder say, None where they are not CIFAR's.

    >>> layout_of(["data_batch_2", "data_batch_1", "test_batch", "readme.html"]).batches
    ('data_batch_1', 'data_batch_2', 'test_batch')
    """
    files = frozenset(files)
    found = sorted((name for name in files if BATCH.fullmatch(name)), key=lambda name: (_tests(name), _number(name)))
    for binary in (False, True):
        ten = tuple(name for name in found if "_batch" in name and name.endswith(".bin") == binary)
        if ten:
            meta = "batches.meta" + ".txt" * binary
            return Layout(ten, binary, ("label",), {"label": meta} if meta in files else {})
    if "meta" in files:
        hundred = tuple(name for name in found if name in ("train", "test"))
        return Layout(hundred, False, ("coarse", "fine"), dict.fromkeys(LABELS, "meta")) if hundred else None
    names = {level: f"{level}_label_names.txt" for level in LABELS}
    hundred = tuple(name for name in found if name in ("train.bin", "test.bin"))
    if hundred and files & set(names.values()):
        return Layout(hundred, True, ("coarse", "fine"), {k: name for k, name in names.items() if name in files})
    return None


def _tests(batch: str) -> bool:
    return batch.startswith("test")


def _number(batch: str) -> int:
    return int("".join(filter(str.isdigit, batch)) or 0)


def cifar_folder(path: Path) -> tuple[Path, Layout] | None:
    """The folder of CIFAR's files: this one, or the one of CIFAR's usual names in it."""
    places = [path, *(path / name for name in FOLDERS)]
    found = [(place, layout) for place in places if place.is_dir() and (layout := layout_of(_files(place)))]
    if len(found) > 1 and found[0][0] != path:
        raise DataError(f"{shown(path)} holds several sets: {', '.join(place.name for place, _ in found)}; name one")
    return found[0] if found else None


def cifar_batch(path: Path) -> tuple[Path, Layout] | None:
    """A single batch, with the files beside it that name its classes."""
    layout = layout_of(_files(path.parent)) if BATCH.fullmatch(path.name) else None
    if layout is None or path.name not in layout.batches:
        return None
    return path.parent, Layout((path.name,), layout.binary, layout.levels, layout.names)


def _files(folder: Path) -> list[str]:
    names = (entry.name for entry in folder.iterdir() if BATCH.fullmatch(entry.name) or entry.name in NAMES)
    return [name for name in names if (folder / name).is_file()]


def read_files(folder: Path, layout: Layout) -> Iterator[tuple[str, bytes]]:
    """The layout's files with their content."""
    for name in layout.files:
        try:
            if (folder / name).stat().st_size > MOST_BATCH:
                raise DataError(f"{shown(folder / name)}: more than {MOST_BATCH:,} bytes, no batch of CIFAR")
            yield name, (folder / name).read_bytes()
        except OSError as error:
            raise cannot_read(folder / name, error) from error


def gather_cifar(
    path: Path,
    layout: Layout,
    contents: Iterable[tuple[str, bytes]],
    reading: Reading,
    where: Callable[[str], str],
) -> Gathered:
    """The rows of all batches in the layout's order; `contents` gives the files in any order, `where` names them."""
    levels = _levels(path, layout, reading.label)
    if reading.size != SIDE:
        raise SettingError(
            f"size = {reading.size}: the images of {shown(path)} are {SIDE}×{SIDE}; only image files are resized"
        )
    batches: dict[str, Batch] = {}
    classes: dict[str, list[str]] = {}
    total = 0
    for name, content in contents:
        if name in layout.batches:
            total += len(content)
            check_fits(3 * total, where(name), "take a part of it")
            batches[name] = _read_batch(content, layout, where(name))
        for level in levels:
            if name == layout.names.get(level):
                classes[level] = _class_names(content, layout, level, where(name))
    labels = {level: _labels(level, classes.get(level), batches, layout, where) for level in levels}
    tests = given_rows(_tests(name) for name in layout.batches for _ in batches[name].pixels)
    notes = [] if len(layout.batches) == 1 else [pooled("batches", layout.batches, tests)]
    notes += _notes(levels, reading.label, classes)
    X = _images(layout, batches)
    if reading.color == "grey":
        X = grey(X)
    first, *further = levels
    return Gathered(
        name=path.name,
        X=X,
        labels=labels[first],
        schema=Schema(
            "images", X.shape[1:], label=first if further else None, top=255.0, raw=reading.raw, further=levels[1:]
        ),
        where=shown(path),
        notes=notes,
        given_test=tests,
        further={level: labels[level] for level in further},
    )


def _levels(path: Path, layout: Layout, label: Labels | None) -> tuple[str, ...]:
    if label is None:
        return layout.levels[-1:]
    if len(layout.levels) == 1:
        raise NoSuchLabel(f"label = {label!r}: {shown(path)} is CIFAR-10, whose rows have one label each")
    levels = label_names(label, LABELS)
    for level in levels:
        if level not in LABELS:
            raise NoSuchLabel(f"label = {level!r}; the rows of {shown(path)} have a fine and a coarse label")
    return levels


def _notes(levels: Sequence[str], label: Labels | None, classes: Collection[str]) -> list[str]:
    notes = []
    if label is None and levels[0] == "fine":
        notes.append("the fine labels are taken; --label coarse takes the superclasses, fine,coarse both as two tasks")
    if len(classes) < len(levels):
        notes.append("the classes have numbers, for the file of their names is not there")
    return notes


def _read_batch(content: bytes, layout: Layout, where: str) -> Batch:
    if layout.binary:
        width = len(layout.levels) + PIXELS
        if not content or len(content) % width:
            raise DataError(f"{where}: {len(content):,} bytes are no whole number of rows of {width:,}; truncated or "
                            "damaged, fetch it again")  # fmt: skip
        rows = np.frombuffer(content, np.uint8).reshape(-1, width)
        labels = {level: rows[:, k].astype(np.int64) for k, level in enumerate(layout.levels)}
        return Batch(rows[:, len(layout.levels) :].reshape(-1, 3, SIDE, SIDE), labels)
    found = _texts(read_pickle(content, where), where)
    pixels = found.get("data")
    if not isinstance(pixels, np.ndarray) or pixels.shape[1:] != (PIXELS,) or not len(pixels):
        raise DataError(f"{where}: no batch of CIFAR; it needs 'data' of {PIXELS:,} bytes a row")
    labels = {}
    for level in layout.levels:
        key = "labels" if level == "label" else f"{level}_labels"
        labels[level] = _numbers(found.get(key), len(pixels), f"{where}: {key!r}")
    return Batch(pixels.reshape(-1, 3, SIDE, SIDE), labels)


def _texts(found: Any, where: str) -> dict[str, Any]:
    """A dict with its keys as text: Python 2 wrote bytes."""
    if not isinstance(found, dict):
        raise DataError(f"{where}: no batch of CIFAR; its pickle holds no dict")
    return {key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key): v for key, v in found.items()}


def _numbers(found: Any, rows: int, what: str) -> np.ndarray:
    if isinstance(found, np.ndarray):
        found = found.tolist()
    if not isinstance(found, list) or not all(type(k) is int and 0 <= k < 1000 for k in found):
        raise DataError(f"{what} is no list of class numbers; damaged, fetch it again")
    if len(found) != rows:
        raise DataError(f"{what} has {len(found):,} numbers for {counted(rows, 'image')}; damaged, fetch it again")
    return np.array(found, np.int64)


def _class_names(content: bytes, layout: Layout, level: str, where: str) -> list[str]:
    if layout.binary:
        names: Any = [line.strip() for line in content[: 1 << 16].splitlines() if line.strip()]
    else:
        names = _texts(read_pickle(content, where), where).get("label_names" if level == "label" else
                                                               f"{level}_label_names")  # fmt: skip
    if not isinstance(names, list) or not names or not all(isinstance(name, bytes | str) for name in names):
        raise DataError(f"{where}: no list of class names; damaged, fetch it again")
    texts = [name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name for name in names]
    if len(set(texts)) < len(texts):
        raise DataError(f"{where}: two classes have one name; damaged, fetch it again")
    return texts


def _labels(
    level: str,
    classes: list[str] | None,
    batches: dict[str, Batch],
    layout: Layout,
    where: Callable[[str], str],
) -> list[str]:
    """The label of each row; refused: a class number without a name or, without names, one that CIFAR has not."""
    most = len(classes) if classes else {"label": 10, "coarse": 20, "fine": 100}[level]
    for name in layout.batches:
        wrong = np.flatnonzero(batches[name].labels[level] >= most)
        if len(wrong):
            number = int(batches[name].labels[level][wrong[0]])
            raise DataError(f"{where(name)}: row {wrong[0] + 1} has the class number {number}, and there are {most} "
                            "classes; damaged, fetch it again")  # fmt: skip
    numbers = np.concatenate([batches[name].labels[level] for name in layout.batches]).tolist()
    return [str(k) for k in numbers] if classes is None else [classes[k] for k in numbers]


def _images(layout: Layout, batches: dict[str, Batch]) -> np.ndarray:
    """uint8 [rows, 32, 32, 3]: planes become channels; each batch is let go as soon as it is copied."""
    X = np.empty((sum(len(batch.pixels) for batch in batches.values()), SIDE, SIDE, 3), np.uint8)
    at = 0
    for name in layout.batches:
        pixels = batches.pop(name).pixels
        X[at : at + len(pixels)] = pixels.transpose(0, 2, 3, 1)
        at += len(pixels)
    return X
