"""Tar archives as a data source, read as they are: images in class folders, or CIFAR's batches. Nothing is unpacked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from steepest.core.errors import DataError
from steepest.data import cache
from steepest.data.cifar import MOST_BATCH, Layout, gather_cifar, layout_of
from steepest.data.dataset import Gathered
from steepest.data.decode import MOST_BYTES, Unreadable
from steepest.data.folder import LITTER, SUFFIXES, Listing, check_classes
from steepest.data.images import CHUNK, Chunk, Origin, Progress, load_from, settled_since, stamps_of
from steepest.data.labels import NoSuchLabel
from steepest.data.parts import PART, PARTS
from steepest.data.paths import cannot_read, counted, listed, shown
from steepest.data.photos import gather_images
from steepest.data.reading import Reading
from steepest.data.tar import Member, is_archive, stem, walk

FORMAT = 2  # of remembered listings: goes up whenever other members are taken
CHUNK_BYTES = 8 << 20  # of images that a task holds
Place = tuple[int, int, int]  # which archive, which of its members, its size


@dataclass
class Contents:
    """What an archive holds: its files as (number of the member, its path in parts, its size)."""

    path: Path
    stat: os.stat_result
    files: list[tuple[int, tuple[str, ...], int]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    folders: list[tuple[str, ...]] = field(default_factory=list)  # that are members themselves


def archive_files(folder: Path) -> list[Path]:
    """The tar archives of a folder without subfolders; in one with subfolders these are the data."""
    entries = _entries(folder)
    archives = sorted(entry for entry in entries if is_archive(entry) and entry.is_file())
    return [] if archives and any(entry.is_dir() for entry in entries) else archives


def _entries(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if entry.name[0] != "." and entry.name not in LITTER]


def gather_archives(path: Path, reading: Reading, progress: Progress | None = None, use_cache: bool = True) -> Gathered:
    """An archive, or the archives of a folder that are parts of one set: train and test."""
    gathered = _gathered(path, reading, progress, use_cache)
    beside = [entry.name for entry in _entries(path) if not is_archive(entry)] if path.is_dir() else []
    if beside:
        gathered.notes.append(f"{counted(len(beside), 'file')} beside the archives left out: {listed(sorted(beside))}")
    return gathered


def _gathered(path: Path, reading: Reading, progress: Progress | None, use_cache: bool) -> Gathered:
    paths = _of_one_set(path) if path.is_dir() else [path]
    found = [_contents(one, use_cache) for one in paths]
    batches = [(contents, cifar) for contents in found if (cifar := _cifar(contents))]
    if batches and len(found) > 1:
        raise DataError(f"{shown(path)} holds CIFAR's batches and another archive; name one of them")
    if batches:
        return _gather_cifar(path, *batches[0], reading)
    if reading.label is not None:
        raise NoSuchLabel(f"label: {shown(path)} is no table; its classes come with it")
    listing, places = _listing(path, found)
    problems = check_classes(listing, path)
    kept = [i for i, one in enumerate(listing.labels) if one]
    origin = _origin(found, [places[i] for i in kept])
    collection, notes = load_from(origin, reading.size, progress, use_cache)
    gathered = gather_images(listing, path, kept, collection, problems, reading)
    gathered.notes += notes
    return gathered


def _of_one_set(folder: Path) -> list[Path]:
    """The archives of a folder, refused where their names differ in more than train and test."""
    archives = archive_files(folder)
    sets: dict[str, list[Path]] = {}
    for archive in archives:
        sets.setdefault(PART.sub("*", stem(archive)), []).append(archive)
    if len(sets) > 1 or len({stem(archive) for archive in archives}) < len(archives):
        raise DataError(f"{shown(folder)} holds several sets: {listed(a.name for a in archives)}; name one archive")
    return archives


def _contents(path: Path, use_cache: bool) -> Contents:
    """The files of an archive by its headers, which are remembered, for seeing them takes unpacking everything."""
    try:
        contents = Contents(path, path.stat())
    except OSError as error:
        raise cannot_read(path, error) from error
    place = str(path.absolute())
    name, stamps = cache.hint("listing", place, FORMAT), stamps_of([place], [contents.stat])
    known = cache.read_listing(name, stamps) if use_cache else None
    if known is None:
        _look_into(contents)
        if use_cache and settled_since([contents.stat]):
            kept = {"files": contents.files, "refused": contents.refused, "folders": contents.folders}
            cache.write_listing(name, stamps, kept)
    else:
        contents.files = [(number, tuple(parts), size) for number, parts, size in known["files"]]
        contents.refused, contents.folders = known["refused"], [tuple(parts) for parts in known["folders"]]
    return contents


def _look_into(contents: Contents) -> None:
    """Find the files; hidden ones are left out, links and paths that lead out are refused."""
    latest: dict[tuple[str, ...], tuple[int, tuple[str, ...], int]] = {}
    for number, (member, _) in enumerate(walk(contents.path)):
        parts = tuple(part for part in member.name.split("/") if part not in ("", "."))
        if any(part in LITTER or (part[0] == "." and part != "..") for part in parts):
            continue
        if member.kind == "folder":
            contents.folders.append(parts)
        elif member.kind != "file":
            contents.refused.append(f"{member.name} (a {member.kind})")
        elif ".." in parts or member.name.startswith("/") or not parts:
            contents.refused.append(f"{member.name} (leads out of the archive)")
        else:
            latest[parts] = (number, parts, member.size)  # of two of one name the last is meant, as in unpacking
    contents.files = list(latest.values())


def _cifar(contents: Contents) -> tuple[tuple[str, ...], Layout] | None:
    """The folder that holds CIFAR's batches, and their layout."""
    folders: dict[tuple[str, ...], list[str]] = {}
    for _, parts, _ in contents.files:
        folders.setdefault(parts[:-1], []).append(parts[-1])
    for folder in sorted(folders, key=len):
        layout = layout_of(folders[folder])
        if layout:
            return folder, layout
    return None


def _gather_cifar(path: Path, contents: Contents, found: tuple[tuple[str, ...], Layout], reading: Reading) -> Gathered:
    folder, layout = found

    def where(name: str) -> str:
        return f"{shown(contents.path)}: {shown('/'.join((*folder, name)))}"

    def files() -> Iterator[tuple[str, bytes]]:
        wanted = {number: parts[-1] for number, parts, _ in contents.files if parts[:-1] == folder}
        for number, (member, read) in enumerate(walk(contents.path)):
            if wanted.get(number) in layout.files:
                if member.size > MOST_BATCH:
                    raise DataError(f"{where(wanted[number])}: more than {MOST_BATCH:,} bytes, no batch of CIFAR")
                yield wanted[number], read()

    gathered = gather_cifar(path, layout, files(), reading, where)
    gathered.name = path.name if path.is_dir() else stem(path)
    return gathered


def _listing(path: Path, found: list[Contents]) -> tuple[Listing, list[Place]]:
    """The images of all archives as a folder's listing, sorted, and where each is."""
    several = len(found) > 1
    listing = Listing(Path(path.resolve().name if several else stem(path)), unit="archives" if several else "folders")
    rows: list[tuple[str, str, str, Place]] = []
    classes: set[str] = set()
    for k, contents in enumerate(found):
        images = [one for one in contents.files if _is_image(one[1])]
        others = ["/".join(parts) for _, parts, _ in contents.files if not _is_image(parts)]
        if not images:
            holds = f" (it holds {listed(others)})" if others else ""
            refused = f"; refused: {listed(contents.refused)}" if contents.refused else ""
            raise DataError(
                f"{shown(contents.path)}: neither images nor batches of CIFAR in this archive{holds}{refused}"
            )
        listing.others += others
        listing.refused += contents.refused
        top, split = _top([parts for _, parts, _ in images])
        classes |= _class_folders(contents, top, split)
        whole = next((part for part in reversed(top) if part.lower() in PARTS), "") or _part_of_name(contents.path)
        for number, parts, size in images:
            inner = parts[len(top) :] if parts[: len(top)] == top else parts
            label = inner[split] if len(inner) > split + 1 else ""
            name = "/".join((contents.path.name, *inner) if several else inner)
            rows.append((name, label, inner[0] if split else whole, (k, number, size)))
    rows.sort()
    listing.empty = sorted(classes - {row[1] for row in rows})
    listing.files, listing.labels = [row[0] for row in rows], [row[1] for row in rows]
    if len({row[2] for row in rows}) > 1:
        listing.parts = [row[2] for row in rows]
    return listing, [row[3] for row in rows]


def _is_image(parts: tuple[str, ...]) -> bool:
    return os.path.splitext(parts[-1])[1].lower() in SUFFIXES  # noqa: PTH122  (a Path for each costs more)


def _top(paths: list[tuple[str, ...]]) -> tuple[tuple[str, ...], int]:
    """The folders that hold the classes and are none, and 1 where the next ones are parts (train, test), else 0.

    Images that lie beside the classes' folders, fewer than those inside, do not make a class of what holds them.

    >>> _top([("pets", "cat", "1.png"), ("pets", "dog", "2.png"), ("pets", "logo.png")])
    (('pets',), 0)
    """
    depth = 0
    while True:
        heads = {parts[depth] for parts in paths if len(parts) > depth + 1}
        inside = [parts for parts in paths if len(parts) > depth + 2]
        most = len(paths) - len(inside) < len(inside)
        if len(heads) != 1 or not most:
            break
        paths, depth = inside, depth + 1
    return paths[0][:depth], int(most and all(head.lower() in PARTS for head in heads))


def _class_folders(contents: Contents, top: tuple[str, ...], split: int) -> set[str]:
    """The folders where classes stand, whatever they hold."""
    place = len(top) + split
    folders = contents.folders + [parts[:-1] for _, parts, _ in contents.files]
    return {parts[place] for parts in folders if len(parts) > place and parts[: len(top)] == top}


def _part_of_name(path: Path) -> str:
    part = PART.search(stem(path))
    return part[0] if part else ""


def _origin(found: list[Contents], places: list[Place]) -> Origin:
    """The images in the order of the rows; read in the order of the archives."""
    rows: list[dict[int, int]] = [{} for _ in found]
    for row, (k, number, _) in enumerate(places):
        rows[k][number] = row

    def chunks() -> Iterator[Chunk]:
        for contents, wanted in zip(found, rows):
            yield from _chunks(contents.path, wanted)

    files = [str(contents.path.absolute()) for contents in found]
    sizes = [size for _, _, size in places]
    return Origin(len(places), chunks, ("archives", *files), sizes, files, [contents.stat for contents in found])


def _chunks(path: Path, wanted: dict[int, int]) -> Iterator[Chunk]:
    chunk: Chunk = []
    held = left = 0
    for number, (member, read) in enumerate(walk(path)):
        if number not in wanted:
            continue
        left += 1
        if member.size > MOST_BYTES:
            chunk.append((wanted[number], partial(_too_large, member)))
        else:
            chunk.append((wanted[number], partial(bytes, read())))
            held += member.size
        if len(chunk) == CHUNK or held > CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    yield chunk
    if left < len(wanted):
        raise DataError(f"{shown(path)}: changed while it was read; read it again")


def _too_large(member: Member) -> bytes:
    raise Unreadable(f"{member.size:,} bytes; at most {MOST_BYTES:,} are read")
