"""Arrays and frames as a data source: NumPy, polars, pandas, pyarrow, anything with `__arrow_c_stream__`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.data.classes import label_texts
from steepest.data.columns import EXACT, LARGEST
from steepest.data.csvfile import TableRead
from steepest.data.dataset import Dataset, Gathered, finish
from steepest.data.parts import given_rows
from steepest.data.paths import counted, shown
from steepest.data.reading import Reading
from steepest.data.schema import Schema
from steepest.data.table import gather_table


def from_arrays(
    X: Any,
    y: Any,
    name: str = "arrays",
    *,
    raw: bool = False,
    missing: str = "error",
    drop: Sequence[str] = (),
    max_categories: int = 50,
) -> Dataset:
    """A Dataset from rows and labels.

    X: [rows, features] numbers, images [rows, H, W] or [rows, H, W, C] (uint8 becomes 0..1), or a frame with named
    columns (text columns become one-hot). y: one label a row, numbers or text, or the name of a column of the frame.
    Raises DataError for labels that mix 1, "1" and 1.0, for infinite or (unless `missing` is "mean" or "drop") missing
    cells, which it names.

    >>> from_arrays([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], ["a", "b", "a"]).y.tolist()
    [0, 1, 0]
    """
    reading = Reading(raw=raw, missing=missing, drop=tuple(drop), max_categories=max_categories)
    return finish(gather_arrays(X, y, name, reading), reading)


def gather_arrays(X: Any, y: Any, name: str, reading: Reading, given_test: np.ndarray | None = None) -> Gathered:
    """`from_arrays`, before it is judged."""
    if is_frame(X):
        table = read_frame(X, name)
        given = y if isinstance(y, str) or y is None else None
        labels = None if given is not None or y is None else label_texts(y)
        return gather_table(table, replace(reading, label=given), labels)
    if reading.drop:
        raise DataError(f"{name}: an array's columns have no names to drop")
    rows = numeric(X, name)
    labels = label_texts(y)
    if len(labels) != len(rows):
        raise DataError(f"{name}: X has {len(rows):,} rows, but y {len(labels):,} labels")
    keep, notes, problems, gone = _judge_cells(rows, reading.missing)
    if not keep.all():
        rows, labels = rows[keep], [label for label, stays in zip(labels, keep) if stays]
        given_test = None if given_test is None else given_rows(given_test[keep])
    images = rows.dtype == np.uint8
    kind = "images" if images and rows.shape[-1] in (1, 3) else "array"
    schema = Schema(kind, rows.shape[1:], missing=reading.missing, top=255.0 if images else 1.0, raw=reading.raw)
    return Gathered(name, rows, labels, schema, name, notes, [f"{name}: {p}" for p in problems], missing=gone,
                    given_test=given_test)  # fmt: skip


def is_frame(X: Any) -> bool:
    """Whether X has named columns."""
    lazy = hasattr(X, "collect_schema")  # polars warns when asked for a lazy frame's columns
    return lazy or hasattr(X, "__arrow_c_stream__") or (hasattr(X, "columns") and hasattr(X, "dtypes"))


def read_frame(X: Any, name: str) -> TableRead:
    """A frame of any library as polars columns."""
    import polars as pl

    if isinstance(X, pl.LazyFrame):
        X = X.collect()
    try:
        frame = X if isinstance(X, pl.DataFrame) else pl.DataFrame(X)
    except ImportError:  # pandas needs pyarrow for its stream
        frame = pl.DataFrame({str(c): X[c].to_numpy() for c in X.columns}, strict=False)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise DataError(f"{name}: the frame cannot be read ({str(error).splitlines()[0]})") from error
    return TableRead(frame, name, name, np.arange(len(frame)))


def numeric(X: Any, name: str) -> np.ndarray:
    """X as [rows, features] float32, or images [rows, H, W, C] uint8 or float32; what cannot be is named."""
    if hasattr(X, "toarray"):
        raise DataError(f"{name}: X is a sparse matrix; give X.toarray()")
    try:
        values = np.asarray(X)
    except ValueError as error:
        raise DataError(f"{name}: the rows of X differ in length; each needs the same features") from error
    if values.ndim not in (2, 3, 4):
        raise DataError(
            f"{name}: X has shape {values.shape}; it must be [rows, features], [rows, H, W] or [rows, H, W, C]"
        )
    if 0 in values.shape:
        raise DataError(f"{name}: X has shape {values.shape}, which holds nothing")
    if values.ndim == 4 and values.shape[1] in (1, 3) and values.shape[3] not in (1, 2, 3, 4):
        raise DataError(f"{name}: X has shape {values.shape}; put channels last: X.transpose(0, 2, 3, 1)")
    if values.ndim == 3:
        values = values[..., None]
    if values.dtype == np.uint8 and values.ndim == 4:
        return values
    if values.dtype.kind in "OUS":
        values = _floats(values, name)
    if values.dtype.kind not in "biuf":
        raise DataError(f"{name}: X holds {values.dtype}; numbers are needed, or a frame with named columns")
    _check_range(values, name)
    return values.astype(np.float32)


def _floats(values: np.ndarray, name: str) -> np.ndarray:
    try:
        return values.astype(np.float64)
    except (ValueError, TypeError):
        pass
    for index in np.ndindex(*values.shape):
        try:
            float(values[index])
        except (ValueError, TypeError):
            break
    place, cell = ", ".join(map(str, index)), values[index]
    cell = cell.item() if isinstance(cell, np.generic) else cell
    raise DataError(f"{name}: X[{place}] is {shown(repr(cell))}, no number; give text columns as a frame with names")


def _check_range(values: np.ndarray, name: str) -> None:
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        wrong, why = (values > EXACT) | (values < -EXACT), "a whole number above 2**53, which a float cannot hold"
    elif values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            wrong, why = np.abs(values) > LARGEST, "beyond the range of float32 (3.4e38); rescale it"
    else:
        return
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        found = "infinite; correct it" if np.isinf(float(values[index])) else f"{values[index]}, {why}"
        raise DataError(
            f"{name}: X[{', '.join(map(str, index))}] is {found} ({counted(int(wrong.sum()), 'such cell')})"
        )


def _judge_cells(rows: np.ndarray, missing: str) -> tuple[np.ndarray, list[str], list[str], dict[str, int]]:
    """Which rows stay, notes, problems, and missing cells by feature."""
    keep = np.ones(len(rows), bool)
    if rows.dtype.kind != "f":
        return keep, [], [], {}
    holes = np.isnan(rows).reshape(len(rows), -1)
    total = int(holes.sum())
    if not total:
        return keep, [], [], {}
    index = ", ".join(str(int(i)) for i in np.argwhere(np.isnan(rows))[0])
    gone = {f"x[{column}]": int(holes[:, column].sum()) for column in np.flatnonzero(holes.any(0))}
    cells = counted(total, "missing cell")
    if missing == "drop":
        keep = np.logical_not(np.any(holes, axis=1), out=keep)
        if not keep.any():
            return keep, [], ["no row is left; every row has a missing cell"], gone
        return keep, [f"{counted(int((~keep).sum()), 'row')} of {len(rows):,} with missing cells dropped"], [], gone
    if missing == "mean":
        return keep, [f"{cells} in {counted(len(gone), 'feature')} take the training rows' mean"], [], gone
    problem = f"X[{index}] is NaN ({cells}); fill it in, or use missing='mean' or 'drop' (--missing)"
    return keep, [], [problem], gone
