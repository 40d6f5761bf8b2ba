"""One column of a table → numbers or categories, or one line on why it can be neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steepest.data.csvfile import TableRead
from steepest.data.paths import shown
from steepest.data.schema import Column

if TYPE_CHECKING:
    import polars as pl

EMPTY = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", "?", "-")  # in a column of numbers only
EXACT = 2**53  # whole numbers above it are not exact as floating-point numbers
LARGEST = float(np.finfo(np.float32).max)
DATE = (
    r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
    r"|\d{1,2}\.? ?-?[A-Za-z]{3,9}\.?,? ?-?\d{4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})([ T]\d{1,2}:\d{2}.*)?$"
)


@dataclass
class Cells:
    """A column understood: float64 values (NaN = missing), or category numbers (−1 = missing, −2 = unseen)."""

    column: Column
    values: np.ndarray
    note: str = ""

    @property
    def missing(self) -> np.ndarray:
        """bool [rows]: which cells are empty."""
        return np.isnan(self.values) if self.column.categories is None else self.values == -1


def understand(table: TableRead, name: str, max_categories: int) -> Cells | str:
    """The column's cells, or the one line that says why it is refused."""
    import polars as pl

    series, call = table.frame[name], f"{table.where}: column {shown(name)!r}"
    remedy = f"leave it out with --drop {shown(name)}"
    dtype = series.dtype
    if dtype.is_temporal():
        return f"{call} holds dates or times; turn them into numbers that mean something, or {remedy}"
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return f"{call} holds {dtype}, neither numbers nor text; {remedy}"
    if is_text(dtype):
        series = text(series)
    if series.null_count() == len(series):
        return f"{call} is empty; {remedy}"
    values, bad = as_numbers(series, table.decimal_comma)
    if np.isnan(values).all() and not bad.any():
        return f"{call} is empty; {remedy}"
    if not bad.any():
        problem = number_problem(table, name, series, values)
        return f"{problem}, or {remedy}" if problem else Cells(Column(name), values)
    return _categories(table, name, series, bad, max_categories, remedy)


def text(series: pl.Series) -> pl.Series:
    """Text without the blanks around it, None where nothing is left."""
    import polars as pl

    stripped = series.cast(pl.String).str.strip_chars()
    return stripped.set(stripped == "", None)


def is_text(dtype: pl.DataType) -> bool:
    """Whether a column of this type holds text, which may still be numbers."""
    import polars as pl

    return dtype in (pl.String, pl.Categorical, pl.Enum)


def as_numbers(series: pl.Series, decimal_comma: bool) -> tuple[np.ndarray, np.ndarray]:
    """float64 values (NaN where missing) and bool: which cells are there but are no number."""
    import polars as pl

    if not is_text(series.dtype):
        values = series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
        return values, np.zeros(len(values), bool)

    def parse(cells: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        numbers = cells.cast(pl.Float64, strict=False)
        there = cells.is_not_null() & ~cells.is_in(list(EMPTY))
        return numbers.fill_null(float("nan")).to_numpy(), (there & numbers.is_null()).to_numpy()

    values, bad = parse(series)
    if bad.any() and decimal_comma:
        with_point = parse(series.str.replace(r"^([+-]?\d*),(\d+)$", "$1.$2"))
        if not with_point[1].any():
            return with_point
    return values, bad


def number_problem(table: TableRead, name: str, series: pl.Series, values: np.ndarray) -> str | None:
    """Why a column of numbers cannot be used: infinite, beyond float32, whole numbers too large, dates as digits."""
    call = f"{table.where}: column {shown(name)!r}"
    infinite = np.flatnonzero(np.isinf(values)).tolist()
    if len(infinite):
        return f"{call}, {table.place(infinite[0])}: infinite ({len(infinite):,} in all); correct it"
    size = np.abs(np.nan_to_num(values))
    for row in np.flatnonzero(size >= EXACT).tolist():
        cell = series[row]
        whole = isinstance(cell, int) or (isinstance(cell, str) and re.fullmatch(r"[+-]?\d+", cell))
        if whole and abs(int(cell)) > EXACT:
            return f"{call}, {table.place(row)}: {cell} is above 2**53, where floats skip whole numbers; shorten it"
    if (size > LARGEST).any():
        row = int(np.argmax(size))
        return (
            f"{call}, {table.place(row)}: {values[row]:g} is beyond the range of float32 (3.4e38); rescale the column"
        )
    if "date" in name.lower() and np.nanmin(values) >= 1_900_01_01 and np.nanmax(values) <= 2100_12_31:
        return f"{call} holds dates written as digits; turn them into numbers that mean something"
    return None


def _categories(
    table: TableRead, name: str, series: pl.Series, bad: np.ndarray, limit: int, remedy: str
) -> Cells | str:
    call = f"{table.where}: column {shown(name)!r}"
    present = series.drop_nulls()
    distinct = present.n_unique()
    if present.head(1000).str.contains(DATE).mean() >= 0.9:  # type: ignore[operator]
        return f"{call} holds dates or times ({shown(present[0])!r}); turn them into numbers, or {remedy}"
    number_like = 1 - bad.sum() / len(present)
    if number_like > 0.5 and (distinct > limit or 2 * distinct > len(present)):
        row = int(np.flatnonzero(bad)[0])
        return f"{call}, {table.place(row)}: {shown(series[row])!r} among numbers; correct it, or {remedy}"
    if distinct == len(present) and len(present) > 3:
        return f"{call} holds another text in every row (names or ids, from which nothing can be learnt); {remedy}"
    if distinct > limit:
        more = f"{distinct:,} different texts, more than {limit} categories"
        return f"{call} holds {more}; {remedy}, or raise --max-categories"
    names = tuple(sorted(present.unique().to_list()))
    note = ""
    if number_like > 0:
        odd = series[int(np.flatnonzero(bad)[0])]
        note = f"column {shown(name)!r} mixes numbers and text ({shown(odd)!r}): taken as {len(names)} categories"
    return Cells(Column(name, names), codes(series, names), note)


def codes(series: pl.Series, categories: tuple[str, ...]) -> np.ndarray:
    """int32 [rows]: the place of each text among the categories, −1 where missing, −2 where it is none of them."""
    import polars as pl

    places = series.replace_strict(list(categories), list(range(len(categories))), default=-2, return_dtype=pl.Int32)
    return np.where(series.is_null().to_numpy(), -1, places.to_numpy())
