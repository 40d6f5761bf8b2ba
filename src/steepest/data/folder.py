"""A folder of images, class = first-level subfolder: which files belong to it, and which are left out and why."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from steepest.core.errors import DataError
from steepest.data.decode import image_format
from steepest.data.parts import PARTS
from steepest.data.paths import cannot_read, counted, listed, shown

SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp"))
LITTER = frozenset(("__MACOSX", "Thumbs.db", "desktop.ini"))


@dataclass
class Listing:
    """Image files of a folder: paths relative to root, a class each ("" directly in the folder), stamps of all."""

    root: Path
    files: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    stats: list[os.stat_result] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)  # class folders without images
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # links out of the root, links that lead nowhere, no permission
    others: list[str] = field(default_factory=list)  # files that are no images
    parts: list[str] = field(default_factory=list)  # of each file, where parts were pooled: train, test …
    unit: str = "folders"  # what the parts are


def list_folder(root: Path) -> Listing:
    """Every image under root, each real folder once, links out of root refused, hidden files left out; sorted."""
    try:
        listing = Listing(root.resolve(strict=True))
        top = _entries(listing, listing.root)
    except OSError as error:
        raise cannot_read(root, error) from error
    seen = {_identity(listing.root.stat())}
    walk: list[tuple[str, Path]] = []
    for entry in _real_first(top):
        if _is_folder(listing, entry):
            walk.append((entry.name, Path(entry.path)))
        else:
            _take(listing, entry, "")
    pooled = _pool(listing, walk)
    found: set[str] = set()
    again: set[str] = set()
    for label, folder in pooled:
        before = len(listing.files)
        if folder.is_symlink() and _identity(folder.stat()) in seen:
            listing.refused.append(f"{_relative(listing, folder)} (a link to a folder that is read already)")
            again.add(label)
            continue
        _walk(listing, folder, label, seen)
        if len(listing.files) > before:
            found.add(label)
    listing.empty = [label for label in dict.fromkeys(label for label, _ in pooled) if label not in found | again]
    _sort(listing)
    if pooled is not walk:
        listing.parts = [file.partition(os.sep)[0] for file in listing.files]
    return listing


def _pool(listing: Listing, walk: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """train/cat and test/cat are one class: parts are pooled and redrawn, and the note says so."""
    if not walk or not all(label.lower() in PARTS for label, _ in walk):
        return walk
    inner: list[tuple[str, Path]] = []
    for _, folder in walk:
        try:
            entries = _entries(listing, folder)
        except OSError as error:
            raise cannot_read(folder, error) from error
        folders = [e for e in _real_first(entries) if _is_folder(listing, e)]
        if not folders:
            return walk
        inner += [(e.name, Path(e.path)) for e in folders]
    return inner


def _entries(listing: Listing, folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        kept = [e for e in entries if not e.name.startswith(".") and e.name not in LITTER]
    return sorted((e for e in kept if _inside(listing, e)), key=lambda e: e.name)


def _inside(listing: Listing, entry: os.DirEntry[str]) -> bool:
    """Whether an entry lies under the root really; a link out of it, or to nowhere, is refused and said."""
    if not entry.is_symlink():
        return True
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a link to itself, before Python 3.13
        listing.refused.append(f"{_relative(listing, entry.path)} (a link that leads nowhere)")
        return False
    if not target.is_relative_to(listing.root):
        listing.refused.append(f"{_relative(listing, entry.path)} (a link out of the folder)")
        return False
    return True


def _real_first(entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    return sorted(entries, key=lambda e: (e.is_symlink(), e.name))  # so that a link never takes its target's place


def _is_folder(listing: Listing, entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        listing.refused.append(f"{_relative(listing, entry.path)} ({error.strerror})")
        return False


def _walk(listing: Listing, folder: Path, label: str, seen: set[tuple[int, int]]) -> None:
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        try:
            identity = _identity(folder.stat())
            if identity in seen:
                continue
            seen.add(identity)
            entries = _entries(listing, folder)
        except OSError as error:
            listing.refused.append(f"{_relative(listing, folder)} ({error.strerror})")
            continue
        inner = []
        for entry in _real_first(entries):
            if _is_folder(listing, entry):
                inner.append(Path(entry.path))
            else:
                _take(listing, entry, label)
        waiting += reversed(inner)


def _take(listing: Listing, entry: os.DirEntry[str], label: str) -> None:
    relative = _relative(listing, entry.path)
    try:
        stat = entry.stat()
        suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122  (a Path for each file costs more than its stat)
        regular = S_ISREG(stat.st_mode)  # a pipe or a device would wait for ever
        if not regular or (suffix not in SUFFIXES and not _looks_like_image(entry.path)):
            listing.others.append(relative)
            return
    except OSError as error:
        listing.refused.append(f"{relative} ({error.strerror})")
        return
    listing.files.append(relative)
    listing.labels.append(label)
    listing.stats.append(stat)


def _looks_like_image(path: str) -> bool:
    with Path(path).open("rb") as file:
        return image_format(file.read(16)) is not None


def _relative(listing: Listing, path: str | Path) -> str:
    return str(path)[len(str(listing.root)) :].lstrip(os.sep)


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def _sort(listing: Listing) -> None:
    order = sorted(range(len(listing.files)), key=lambda i: listing.files[i])
    listing.files = [listing.files[i] for i in order]
    listing.labels = [listing.labels[i] for i in order]
    listing.stats = [listing.stats[i] for i in order]


def check_classes(listing: Listing, source: Path) -> list[str]:
    """What is wrong with the folders as classes; notes about what was left out are added to the listing."""
    where, problems = shown(source), []
    loose = [f for f, label in zip(listing.files, listing.labels) if not label]
    if not listing.files:
        inside = f" (it holds {listed(listing.others)})" if listing.others else ""
        refused = f"; refused: {listed(listing.refused)}" if listing.refused else ""
        raise DataError(
            f"{where}: no images in this folder{inside}; it needs one subfolder of images for each class{refused}"
        )
    if len(loose) == len(listing.files):
        return [f"{where}: its images lie directly in the folder; put them in one subfolder for each class"]
    if listing.empty:
        problems.append(
            f"{where}: class folder {listed(listing.empty)} holds no images; add some, or move the folder elsewhere"
        )
    if len(set(listing.labels) - {""}) == 1:
        only = next(label for label in listing.labels if label)
        deeper = sorted({Path(f).parts[1] for f in listing.files if f.count(os.sep) > 1})
        hint = f"; its subfolders are {listed(deeper)}: did you mean {shown(source / only)}?" if deeper[1:] else ""
        problems.append(f"{where} holds one class, {shown(only)!r}; at least two are needed{hint}")
    if loose:
        listing.notes.append(
            f"{counted(len(loose), 'image')} directly in the folder left out, no class: {listed(loose)}"
        )
    parts = sorted(label for label in set(listing.labels) if label.lower() in PARTS)
    if parts and not listing.parts:
        what = "folder is" if len(parts) == 1 else "folders are"
        listing.notes.append(
            f"{listed(parts)}: the {what} read as {'a class' if len(parts) == 1 else 'classes'} like the others; rows "
            "to test on belong in test/CLASS/, beside train/CLASS/"
        )
    if listing.others:
        listing.notes.append(f"{counted(len(listing.others), 'file')} left out, no images: {listed(listing.others)}")
    if listing.refused:
        listing.notes.append(f"{counted(len(listing.refused), 'file or folder', 'files or folders')} refused: "
                             f"{listed(listing.refused)}")  # fmt: skip
    return problems
