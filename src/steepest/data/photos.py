"""Images as a data source: a folder with a subfolder for each class, or any list of files to predict."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from steepest.core.errors import DataError
from steepest.data.cache import Collection
from steepest.data.dataset import Gathered
from steepest.data.decode import REMARKS
from steepest.data.folder import Listing, check_classes, list_folder
from steepest.data.images import Progress, all_grey, grey, load
from steepest.data.parts import given_rows, is_test, pooled
from steepest.data.paths import cannot_read, counted, listed, shown
from steepest.data.reading import Reading
from steepest.data.schema import Schema


def gather_folder(path: Path, reading: Reading, progress: Progress | None = None, use_cache: bool = True) -> Gathered:
    """The images of a folder, class = first-level subfolder, decoded to size × size in grey or colour."""
    listing = list_folder(path)
    problems = check_classes(listing, path)
    kept = [i for i, label in enumerate(listing.labels) if label]
    files = [listing.files[i] for i in kept]
    collection, notes = load(listing.root, files, [listing.stats[i] for i in kept], reading.size, progress, use_cache)
    gathered = gather_images(listing, path, kept, collection, problems, reading)
    gathered.notes[len(listing.notes) : len(listing.notes)] = notes
    return gathered


def gather_images(
    listing: Listing,
    path: Path,
    kept: list[int],
    collection: Collection,
    problems: list[str],
    reading: Reading,
) -> Gathered:
    """The decoded images of a folder or an archive; `kept` are the files of the listing that were decoded, in order."""
    files = [listing.files[i] for i in kept]
    good, unreadable = readable(collection, files)
    mapped = isinstance(collection.pixels, np.memmap)
    if unreadable and mapped:  # to leave them out would copy all others
        problems.insert(0, f"{shown(path)}/{unreadable[0]}; remove it: of images that exceed memory, none is skipped")
    pixels = collection.pixels if mapped or len(good) == len(files) else collection.pixels[good]
    if unreadable and reading.strict:
        problems.insert(0, f"{shown(path)}/{unreadable[0]}; remove it, or leave out --strict to skip unreadable files")
    labels = [listing.labels[kept[i]] for i in good]
    gone = sorted({listing.labels[i] for i in kept} - set(labels))
    if gone:
        problems.append(f"{shown(path)}: none of the images of class {listed(gone)} can be decoded: {unreadable[0]}")
    color = reading.color
    if mapped:
        if color == "grey":
            problems.append(f"{shown(path)}: images that exceed memory stay in colour; leave out --color grey")
        color = "rgb"
    if color is None:
        color = "grey" if len(pixels) and all_grey(pixels) else "rgb"
    if color == "grey":
        pixels = grey(pixels)
    tests, notes = None, list(listing.notes)
    if listing.parts:
        tests = given_rows(is_test(listing.parts[kept[i]]) for i in good)
        notes.append(pooled(listing.unit, sorted({listing.parts[i] for i in kept}), tests))
    return Gathered(
        name=listing.root.name or str(listing.root),
        X=pixels,
        labels=labels,
        schema=Schema("images", pixels.shape[1:], top=255.0, raw=reading.raw),
        where=shown(path),
        notes=notes + decoding_notes(collection, unreadable),
        problems=problems,
        unreadable=unreadable,
        known_classes=tuple(gone),
        given_test=tests,
        row_names=[files[i] for i in good],
    )


def readable(collection: Collection, files: list[str]) -> tuple[list[int], list[str]]:
    """Which rows were decoded, and `path: why` for the others."""
    good = [i for i in range(len(files)) if i not in collection.broken]
    return good, [f"{shown(files[i])}: {why}" for i, why in sorted(collection.broken.items())]


def decoding_notes(collection: Collection, unreadable: list[str]) -> list[str]:
    """What a user should know about images that were skipped or converted in a way worth knowing."""
    notes = []
    if unreadable:
        notes.append(f"{counted(len(unreadable), 'unreadable file')} skipped: {listed(unreadable, 3)}")
    counts = Counter(what for remarks in collection.remarks.values() for what in remarks)
    return notes + [text.format(counted(counts[what], "image")) for what, text in REMARKS.items() if counts[what]]


def read_images(
    schema: Schema, paths: list[Path], *, strict: bool = False, progress: Progress | None = None
) -> tuple[np.ndarray, list[str], list[str] | None, list[str], list[str]]:
    """Files and folders of images like a schema's: float32 features, names, class names or None, notes, unreadable.

    Names are paths as they were given. Class names only where every image lies in a subfolder of a given folder.
    """
    size = schema.size
    if size is None or schema.shape[:2] != (size, size) or schema.channels not in (1, 3):
        raise DataError(f"image files cannot become rows of shape {schema.shape}; give arrays of that shape")
    files, shown_as, stats, labels, notes = [], [], [], [], []
    for path in paths:
        if path.is_dir():
            listing = list_folder(path)
            if not listing.files:
                raise DataError(f"{shown(path)}: no images in this folder")
            files += [str(listing.root / file) for file in listing.files]
            shown_as += [str(path / file) for file in listing.files]
            stats += listing.stats
            labels += listing.labels
            if listing.refused:
                notes.append(f"refused: {listed(listing.refused)}")
        else:
            try:
                stats.append(path.stat())
            except OSError as error:
                raise cannot_read(path, error) from error
            files.append(str(path.absolute()))
            shown_as.append(str(path))
            labels.append("")
    collection, more = load(Path("/"), files, stats, size, progress, use_cache=False)
    good, unreadable = readable(collection, files)
    if unreadable and (strict or not good):
        raise DataError(f"{unreadable[0]}; give another file")
    pixels = collection.pixels[good]
    fractions = (grey(pixels) if schema.channels == 1 else pixels).reshape(len(good), -1).astype(np.float32)
    top = schema.top if schema.raw else 1.0
    rows = fractions * np.float32(top / 255) if schema.raw and schema.top != 255 else fractions
    if not schema.raw:
        rows = fractions / np.float32(255)
    kept = [labels[i] for i in good]
    given = kept if kept and all(kept) else None
    return rows, [shown_as[i] for i in good], given, notes + more + decoding_notes(collection, unreadable), unreadable
