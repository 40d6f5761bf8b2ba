"""Text tables as people save them: encoding and delimiter are found out, every record must have the header's cells."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steepest.core.errors import DataError
from steepest.data.memory import check_fits
from steepest.data.paths import cannot_read, counted, listed, shown

if TYPE_CHECKING:
    import polars as pl

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 1 << 16  # bytes from which the delimiter is found out
BOMS = (  # utf-32 first: its mark begins with utf-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass
class TableRead:
    """A table before its columns are understood. `numbers[i]` is what messages call row i ("line 17")."""

    frame: pl.DataFrame
    name: str
    where: str
    numbers: np.ndarray
    unit: str = "row"
    decimal_comma: bool = False  # whether 1,5 may be a number
    hint: str = ""  # why a column may not be found
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def place(self, row: int) -> str:
        """What messages call a row."""
        return f"{self.unit} {self.numbers[row]}"


def read_csv(path: Path) -> TableRead:
    """All cells as text (None where empty); ragged rows are named among the problems and left out."""
    import polars as pl

    where = shown(path)
    try:
        length = path.stat().st_size
        check_fits(8 * length, where, "save it as Parquet, or take a part of it")
        data = path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error) from error
    notes: list[str] = []
    data = _utf8(data, where, notes)
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    if not data.strip():
        raise DataError(f"{where}: an empty file")
    separator = _separator(data)
    records = _Records(data, separator, where)
    names = _header(records, separator, where, notes)
    body, numbers, problems = records.body(len(names), where)
    try:
        frame = pl.read_csv(
            io.BytesIO(body),
            has_header=False,
            separator=separator,
            infer_schema=False,
            schema=dict.fromkeys(names, pl.String),
            infer_schema_length=None,
        ) if body else pl.DataFrame(schema=dict.fromkeys(names, pl.String))  # fmt: skip
    except pl.exceptions.PolarsError as error:
        why = f"{str(error).splitlines()[0]}" + ("; double a quote inside a cell and quote that cell" * (b'"' in body))
        raise DataError(f"{where}: cannot be read as a table: {why}") from error
    if len(frame) != len(numbers):
        raise DataError(f"{where}: its quotes do not pair up: {len(numbers):,} records became {len(frame):,} rows")
    numeric = sum(bool(re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", name)) for name in names)
    hint = "; the first line looks like data: add a line with the columns' names" if 2 * numeric > len(names) else ""
    return TableRead(frame, path.name, where, numbers, "line", separator != ",", hint, notes, problems)


def _utf8(data: bytes, where: str, notes: list[str]) -> bytes:
    encoding = next((name for mark, name in BOMS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:SAMPLE]:
        sample = data[:SAMPLE]
        odd, even = sample[1::2].count(0), sample[::2].count(0)  # Latin letters leave every other byte 0
        if max(odd, even) < 0.4 * len(sample) / 2 or len(data) % 2:
            raise DataError(f"{where}: binary, not a table; CSV, Parquet, NPZ, IDX and folders of images are read")
        encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        if encoding == "utf-8-sig":
            data = data[len(codecs.BOM_UTF8) :]
        elif encoding is not None:
            return data.decode(encoding).encode()
        data.decode()
        return data
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise DataError(f"{where}: not whole {encoding} ({error.reason} at byte {error.start:,})") from error
        notes.append(f"not UTF-8 (byte {error.start:,}), read as Latin-1; save it as UTF-8 if letters look wrong")
        return data.decode("latin-1").encode()


def _separator(data: bytes) -> str:
    """The delimiter that parts most lines of a sample into as many cells as the header."""
    sample = data[:SAMPLE].decode(errors="ignore")
    lines = [line for line in re.sub(r'"[^"]*"', "", sample).splitlines() if line.strip()]
    if len(data) > SAMPLE and len(lines) > 1:
        lines.pop()  # it may be cut
    best, score = ",", (0.0, 0)
    for separator in DELIMITERS:
        counts = [line.count(separator) for line in lines[:100]]
        if counts and counts[0]:
            found = (sum(n == counts[0] for n in counts) / len(counts), counts[0])
            best, score = (separator, found) if found > score else (best, score)
    return best


class _Records:
    """Where each record begins and ends and how many cells it has, with line breaks in quotes understood."""

    def __init__(self, data: bytes, separator: str, where: str) -> None:
        self.bytes = np.frombuffer(data, np.uint8)
        breaks = self.bytes == 10
        commas = self.bytes == ord(separator)
        lines = np.flatnonzero(breaks)
        if b'"' in data:
            inside = np.cumsum(self.bytes == 34, dtype=np.uint8) & 1  # wraps at 256, which keeps the parity
            outside = inside == 0
            breaks &= outside
            commas &= outside
            unclosed = bool(inside[-1])
        else:
            unclosed = False
        ends = np.flatnonzero(breaks)
        if not len(ends) or ends[-1] != len(self.bytes) - 1:
            ends = np.append(ends, len(self.bytes))
        self.starts = np.append(0, ends[:-1] + 1)
        self.ends = ends
        self.lines = np.searchsorted(lines, self.starts) + 1
        at = np.flatnonzero(commas)
        self.cells = np.searchsorted(at, ends) - np.searchsorted(at, self.starts) + 1
        width = self.ends - self.starts
        first = self.bytes[np.minimum(self.starts, len(self.bytes) - 1)]
        self.blank = (width == 0) | ((width == 1) & (first == 13))
        if unclosed:
            raise DataError(f"{where}: a quote is opened in line {self.lines[-1]} or after it and never closed")

    def header(self) -> tuple[int, str]:
        """The first record that is not blank, and its text."""
        first = int(np.flatnonzero(~self.blank)[0])
        return first, self.bytes[self.starts[first] : self.ends[first]].tobytes().decode()

    def body(self, cells: int, where: str) -> tuple[bytes, np.ndarray, list[str]]:
        """The bytes of the whole records after the header, their line numbers, and what is wrong with the others."""
        keep = ~self.blank
        keep[: self.header()[0] + 1] = False
        ragged = np.flatnonzero(keep & (self.cells != cells))
        problems = []
        if len(ragged):
            first = ragged[0]
            others = f", and so {counted(len(ragged) - 1, 'more line')}" if len(ragged) > 1 else ""
            has = counted(int(self.cells[first]), "cell")
            problems.append(
                f"{where}: line {self.lines[first]} has {has}, the header {cells}{others}; "
                "correct them or quote cells that hold the delimiter"
            )
            keep[ragged] = False
        lengths = np.diff(np.append(self.starts, len(self.bytes)))
        return self.bytes[np.repeat(keep, lengths)].tobytes(), self.lines[keep], problems


def _header(records: _Records, separator: str, where: str, notes: list[str]) -> list[str]:
    index, text = records.header()
    try:
        names = [name.strip() for name in next(csv.reader([text.rstrip("\r")], delimiter=separator))]
    except csv.Error as error:
        raise DataError(f"{where}: its header (line {records.lines[index]}) cannot be read ({error})") from error
    names = [name or f"column {i}" for i, name in enumerate(names, 1)]
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise DataError(f"{where}: column {listed(map(repr, twice))} is there more than once; rename one")
    if any(name == f"column {i}" for i, name in enumerate(names, 1)):
        notes.append("columns without a name are called by their place: 'column 1' is the first")
    return names


def read_parquet(path: Path) -> TableRead:
    """The columns of a Parquet file as they are typed."""
    import polars as pl

    where = shown(path)
    try:
        lazy = pl.scan_parquet(path, glob=False)
        width = len(lazy.collect_schema())
        rows = int(lazy.select(pl.len()).collect().item())
        check_fits(rows * max(width, 1) * 16, where, "take a part of it")
        frame = pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{where}: not a whole Parquet file ({str(error).splitlines()[0]})") from error
    except OSError as error:
        raise cannot_read(path, error) from error
    return TableRead(frame, path.name, where, np.arange(1, len(frame) + 1))
