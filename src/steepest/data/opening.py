"""`open`: data from anywhere, by name, path or value, as one `Dataset`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from steepest.core.errors import DataError, SettingError
from steepest.data.archive import archive_files, gather_archives
from steepest.data.arrays import gather_arrays, is_frame, read_frame
from steepest.data.cifar import cifar_batch, cifar_folder, gather_cifar, read_files
from steepest.data.csvfile import read_csv, read_parquet
from steepest.data.dataset import Dataset, Gathered, finish
from steepest.data.decode import image_format
from steepest.data.idx import gather_idx, image_files, is_idx
from steepest.data.labels import Labels
from steepest.data.named import NAMED, is_here, located
from steepest.data.npz import read_npz
from steepest.data.paths import cannot_read, no_such, shown
from steepest.data.photos import gather_folder
from steepest.data.reading import Reading
from steepest.data.sources import SOURCES, gather_source
from steepest.data.table import gather_table
from steepest.data.tar import holds_tar

REFUSED = {  # what a file begins with: what it is, and what to do
    b"\x1f\x8b": "a gzip file; unpack it first (IDX and tar are read packed)",
    b"BZh": "a bzip2 file; unpack it first",
    b"\xfd7zXZ\0": "an xz file; unpack it first",
    b"(\xb5/\xfd": "a zstandard file; unpack it first (tar is read plain, or packed by gzip, bzip2 or xz)",
    b"7z\xbc\xaf": "a 7z file; unpack it first",
    b"Rar!": "a RAR file; unpack it first",
    b"\x89HDF": "an HDF5 file; save its arrays with np.savez",
    b"\x93NUMPY": "one NumPy array; save rows and labels together: np.savez(file, X=…, y=…)",
    b"\x80\x04": "a pickle, which could run code; save plain arrays with np.savez",
    b"\x80\x05": "a pickle, which could run code; save plain arrays with np.savez",
    b"%PDF": "a PDF; steepest reads folders of images, CSV, Parquet, NPZ and IDX",
    b"SQLite format 3": "an SQLite file; export the table as CSV",
}


def open(  # named as users call it: st.open
    source: Any = "digits",
    *,
    label: Labels | None = None,
    size: int = 32,
    color: str | None = None,
    raw: bool = False,
    missing: str = "error",
    drop: Sequence[str] = (),
    max_categories: int = 50,
    strict: bool = False,
    samples: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cache: bool = True,
) -> Dataset:
    """Data from anywhere as a Dataset.

    source: a name (`SOURCES`, or `NAMED` once it is downloaded), a folder of images with one subfolder a class, a tar
    archive of such a folder, a CSV, Parquet, NPZ or IDX file, a folder of IDX files, CIFAR's batches in a folder or a
    tar archive, a frame, a pair (X, y), or a Dataset. Where it comes as train and test, all rows are pooled and
    `given_test` says which were given for testing. label: the column to predict (tables), the labels file (IDX), or
    "fine" or "coarse" (CIFAR-100); several columns, as "a,b" or ("a", "b"), are several tasks, of which the first is
    the Dataset's y and the others its `further`.
    size: the side in pixels that photos are resized to (1 … 1024). color: "rgb", "grey", or None for grey where every
    image is. raw: neither 0..1 nor standardised. missing: "error", "mean" (of the training rows) or "drop" (the row).
    drop: columns to leave out. strict: an unreadable image is an error; by default it is skipped and noted.
    progress: called with (done, total) while images decode. cache: keep decoded images in the user's cache folder.
    Raises DataError in one line that names the file, row or column and the remedy.

    >>> open("iris")
    <Dataset 'iris': 150 rows of 4, 3 classes>
    """
    if isinstance(source, Dataset):
        return source
    reading = Reading(label, size, color, raw, missing, tuple(drop), max_categories, strict, samples)
    return replace(finish(gather(source, reading, progress, cache), reading), place=_place(source))


def _place(source: Any) -> str:
    """Where a source lies, as a whole path; "" where it is no path, or a name of ours finds it."""
    if not isinstance(source, str | Path):
        return ""
    path = as_path(source)
    downloaded = str(source) in NAMED and path != Path(source)
    return "" if downloaded or str(path) in SOURCES else str(path.absolute())


def gather(
    source: Any,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    progress: Callable[[int, int], None] | None = None,
    use_cache: bool = True,
) -> Gathered:
    """What `open` reads, before it is judged."""
    if isinstance(source, tuple) and len(source) == 2:
        return gather_arrays(*source, "arrays", reading)
    if is_frame(source):
        return gather_table(read_frame(source, "frame"), reading)
    path = as_path(source)
    kind = kind_of(path)
    _check_kind(path, kind, reading)
    if kind == "source":
        gathered = gather_source(str(path), raw=reading.raw, samples=reading.samples)
    elif kind == "folder":
        gathered = gather_folder(path, reading, progress, use_cache)
    elif kind == "archive":
        gathered = gather_archives(path, reading, progress, use_cache)
    elif kind == "cifar":
        gathered = _gather_batches(path, reading)
    elif kind == "idx":
        gathered = gather_idx(path, label=None if reading.label is None else str(reading.label), raw=reading.raw)
    elif kind == "npz":
        X, y, tests, notes = read_npz(path)
        gathered = gather_arrays(X, y, path.name, reading, tests)
        gathered.notes[:0] = notes
    else:
        gathered = gather_table(read_csv(path) if kind == "csv" else read_parquet(path), reading)
    gathered.notes += _two_of_one_name(source, path, kind)
    return gathered


def _two_of_one_name(source: Any, path: Path, kind: str) -> list[str]:
    """What to say where a name means a set of ours and also something that lies here."""
    if kind == "source" and path.exists():
        return [f"this is the built-in {path}; ./{path} opens what lies here under that name"]
    if str(source) in NAMED and path == Path(source) and is_here(str(source)):
        return [f"this is what lies here under that name; the download is {shown(located(str(source)))}"]
    return []


def _check_kind(path: Path, kind: str, reading: Reading) -> None:
    """Refuse settings that say nothing about such a source."""
    if reading.samples is not None and kind != "source":
        raise SettingError(f"samples = {reading.samples}: only built-in toys draw points")
    if reading.drop and kind not in ("csv", "parquet"):
        raise SettingError(f"drop: {shown(path)} has no columns with names")
    if reading.label is not None and kind not in ("csv", "parquet", "idx", "cifar", "archive"):
        raise SettingError(f"label: {shown(path)} is no table; its classes come with it")
    if kind == "idx" and not isinstance(reading.label, str | None):
        raise SettingError(f"label: {shown(path)} has one label a row; name one labels file")


def _gather_batches(path: Path, reading: Reading) -> Gathered:
    """CIFAR's batches in a folder, or one of them."""
    found = cifar_folder(path) if path.is_dir() else cifar_batch(path)
    if found is None:
        raise DataError(f"{shown(path)}: changed while it was read; read it again")
    folder, layout = found
    return gather_cifar(path, layout, read_files(folder, layout), reading, where=lambda name: shown(folder / name))


def as_path(source: Any) -> Path:
    """A name or a path; a download's name is its folder. A URL and everything else is refused by name."""
    if not isinstance(source, str | Path):
        raise DataError(f"a {type(source).__name__} is no data source; give a name, a path, a frame or a pair (X, y)")
    if "://" in str(source):
        raise DataError(f"{shown(source)}: steepest fetches nothing from the network; download it and give the file")
    if "\0" in str(source) or not str(source):
        raise DataError(f"{shown(source)!r} is no name of a file")
    path = Path(source)
    if str(source) in NAMED and not path.exists():
        return located(str(source))
    if str(source) in SOURCES or str(path) not in SOURCES:
        return path.expanduser()
    return path.absolute()  # "./digits" is the folder, "digits" the built-in set


def kind_of(path: Path) -> str:
    """What a source is: source, folder, archive, cifar, idx, npz, parquet or csv; files by their content."""
    if str(path) in SOURCES:
        return "source"
    where = shown(path)
    try:
        if path.is_dir():
            return _kind_of_folder(path)
        if not path.exists():
            raise no_such(path, [*SOURCES, *NAMED])
        if not path.is_file():
            raise DataError(f"{where}: neither a file nor a folder")
        with path.open("rb") as file:
            head = file.read(512)
        if holds_tar(path, head):
            return "archive"
        if head.startswith(b"\x1f\x8b") and _is_packed_idx(path):
            return "idx"
        if cifar_batch(path):
            return "cifar"
    except OSError as error:
        raise cannot_read(path, error) from error
    return _kind_by_content(path, head)


def _kind_of_folder(path: Path) -> str:
    if cifar_folder(path):
        return "cifar"
    if image_files(path):
        return "idx"
    return "archive" if archive_files(path) else "folder"


def _kind_by_content(path: Path, head: bytes) -> str:
    where, suffix = shown(path), path.suffix.lower()
    if not head:
        raise DataError(f"{where}: an empty file; write it again, or name another")
    if is_idx(head):
        return "idx"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if suffix == ".npz":
            return "npz"
        raise DataError(f"{where}: a zip file; unpack it first (spreadsheets: save as CSV)")
    if suffix in (".npz", ".parquet", ".pq"):
        raise DataError(f"{where}: damaged, no {suffix[1:]} file (it begins with {head[:8].hex(' ') or 'nothing'})")
    for magic, what in REFUSED.items():
        if head.startswith(magic):
            raise DataError(f"{where}: {what}")
    if head[257:262] == b"ustar" or suffix == ".tar":
        raise DataError(f"{where}: a tar file that is damaged from its beginning; fetch it again")
    if image_format(head[:16]):
        raise DataError(f"{where}: one image; give the folder that holds a subfolder of images for each class")
    return "csv"


def _is_packed_idx(path: Path) -> bool:
    import gzip
    import zlib

    try:
        with gzip.open(path, "rb") as file:
            return is_idx(file.read(4))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return "idx" in path.name.lower()  # damaged: reading it will say how
