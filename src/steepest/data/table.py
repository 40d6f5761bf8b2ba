"""A table → features: numeric columns as they are, text columns one-hot, empty cells by the policy chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from steepest.core.errors import DataError, SettingError
from steepest.data.columns import Cells, as_numbers, codes, is_text, number_problem, text, understand
from steepest.data.csvfile import TableRead
from steepest.data.dataset import Gathered
from steepest.data.labels import Labels, label_names
from steepest.data.paths import counted, ends, listed, near, shown
from steepest.data.reading import Reading
from steepest.data.schema import Column, Schema

USUAL_LABELS = ("label", "class", "target", "y")


def gather_table(table: TableRead, reading: Reading, labels: Sequence[str] | None = None) -> Gathered:
    """Features and labels of a table, from the label columns or given beside it; every problem is listed."""
    if not len(table.frame):
        raise DataError(table.problems[0] if table.problems else f"{table.where} holds no rows")
    if labels is None:
        names = _label_columns(table, reading.label)
        columns: list[Sequence[str]] = [label_cells(table, name) for name in names]
    elif len(labels) != len(table.frame):
        raise DataError(f"{table.where}: {len(table.frame):,} rows, but {len(labels):,} labels")
    else:
        names, columns = (), [labels]
    _check_drop(table, reading.drop, names)
    notes, problems = list(table.notes), list(table.problems)
    kept: list[Cells] = []
    for name in table.frame.columns:
        if name in names or name in reading.drop:
            continue
        cells = understand(table, name, reading.max_categories)
        if isinstance(cells, str):
            problems.append(cells)
        elif _counts_rows(cells) and name == "column 1":
            notes.append("the first column has no name and counts the rows: left out")
        else:
            kept.append(cells)
            notes += [note for note in (cells.note, _caution(cells)) if note]
    if not kept:
        problems.append(f"{table.where}: no column is left to learn from")
    keep = _judge_missing(table, kept, dict(zip(names or (None,), columns)), reading.missing, notes, problems)
    schema = Schema(
        "table", (sum(c.column.width for c in kept) or 1,), tuple(c.column for c in kept), names[0] if names else None,
        reading.missing, 1.0, reading.raw, names[1:],
    )  # fmt: skip
    X = _features(kept, len(table.frame))[keep]
    gone = {shown(c.column.name): int(c.missing.sum()) for c in kept if c.missing.any()}
    chosen, *further = ([column[i] for i in np.flatnonzero(keep).tolist()] for column in columns)
    if not chosen:
        problems.append(f"{table.where}: no row is left; every row has an empty cell")
    return Gathered(table.name, X, chosen, schema, table.where, notes, problems, missing=gone,
                    further=dict(zip(names[1:], further)))  # fmt: skip


def _label_columns(table: TableRead, label: Labels | None) -> tuple[str, ...]:
    names = table.frame.columns
    if label is not None:
        wanted = label_names(label, names)
        for name in wanted:
            if name not in names:
                raise no_column(table, name)
        return wanted
    usual = [name for name in names if name.lower() in USUAL_LABELS]
    if len(usual) != 1:
        raise DataError(f"{table.where}: which column is the label? name it by --label: {ends(names)}{table.hint}")
    table.notes.append(f"column {usual[0]!r} taken as the label")
    return (usual[0],)


def no_column(table: TableRead, name: str) -> DataError:
    """The error for a label column that a table lacks."""
    hint = near(name, table.frame.columns) or "; it has " + ends(table.frame.columns)
    return DataError(f"{table.where}: no column {shown(name)!r}{hint}{table.hint}")


def _check_drop(table: TableRead, drop: Sequence[str], labels: Sequence[str]) -> None:
    for name in drop:
        if name not in table.frame.columns:
            hint = near(name, table.frame.columns) or "; it has " + ends(table.frame.columns)
            raise DataError(f"{table.where}: no column {shown(name)!r} to drop{hint}")
        if name in labels:
            raise SettingError(f"drop: column {shown(name)!r} is {'the' if len(labels) == 1 else 'a'} label")


def label_cells(table: TableRead, label: str) -> list[str]:
    """A label column as text, "" where empty. "NA", "None" and "007" are labels like any other."""
    import polars as pl

    series = table.frame[label]
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise DataError(
            f"{table.where}: the label column {shown(label)!r} holds {series.dtype}; text or numbers are needed"
        )
    if series.dtype.is_float():
        series = series.fill_nan(None)
        if (series.drop_nulls() == series.drop_nulls().round()).all() and (series.drop_nulls().abs() < 2**53).all():
            series = series.cast(pl.Int64)  # 1.0 from a file that knows no whole numbers with gaps
    return text(series.cast(pl.String)).fill_null("").to_list()


def _judge_missing(
    table: TableRead,
    kept: list[Cells],
    labels: Mapping[str | None, Sequence[str]],
    missing: str,
    notes: list[str],
    problems: list[str],
) -> np.ndarray:
    """bool [rows]: which rows stay. Adds the notes and problems that the policy makes of empty cells."""
    unlabelled = np.zeros(len(table.frame), bool)
    for column in labels.values():
        unlabelled |= np.array([not name for name in column], bool)
    holes = np.zeros(len(table.frame), bool)
    for cells in kept:
        holes |= cells.missing
    if missing == "drop":
        gone = holes | unlabelled
        if gone.any():
            notes.append(f"{counted(int(gone.sum()), 'row')} of {len(gone):,} with empty cells dropped")
        return ~gone
    for label, column in labels.items():
        without = np.array([not name for name in column], bool)
        if without.any():
            problems.append(
                f"{table.where}: column {shown(label)!r}, {table.place(int(np.argmax(without)))}: no label "
                f"({counted(int(without.sum()), 'row')}); fill it in, or leave such rows out with --missing drop"
            )
    if holes.any():
        having = [cells for cells in kept if cells.missing.any()]
        cells = having[0]
        total = counted(sum(int(cells.missing.sum()) for cells in having), "empty cell")
        total += f" in {counted(len(having), 'column')}"
        if missing == "error":
            problems.append(
                f"{table.where}: column {shown(cells.column.name)!r}, {table.place(int(np.argmax(cells.missing)))}: "
                f"empty ({total}); fill them with --missing mean, or leave such rows out with --missing drop"
            )
        else:
            notes.append(f"{total}: numbers take the training rows' mean, text no category")
    return ~unlabelled


def _counts_rows(cells: Cells) -> bool:
    values = cells.values
    return len(values) > 2 and bool((np.diff(values) == 1).all()) and cells.column.categories is None


def _caution(cells: Cells) -> str:
    """What may surprise about a column of numbers: that it counts the rows, or that float32 rounds it away."""
    if cells.column.categories is not None:
        return ""
    name = shown(cells.column.name)
    if len(cells.values) > 10 and _counts_rows(cells):
        return f"column {name!r} counts the rows; if that is only a number, leave it out with --drop {name}"
    deviation = np.nanstd(cells.values)
    lost = np.nanmax(np.abs(cells.values - cells.values.astype(np.float32)))
    if lost > 0.01 * deviation and deviation > 0:
        return f"column {name!r} differs by less than float32 can hold ({lost:.2g} lost); subtract a constant from it"
    return ""


def _features(kept: list[Cells], rows: int) -> np.ndarray:
    """float32 [rows, features]: NaN for an empty number, all zero for an empty or unseen text."""
    X = np.zeros((rows, sum(cells.column.width for cells in kept)), np.float32)
    at = 0
    for cells in kept:
        if cells.column.categories is None:
            X[:, at] = cells.values
        else:
            there = np.flatnonzero(cells.values >= 0)
            X[there, at + cells.values[there]] = 1.0
        at += cells.column.width
    return X


def apply_table(table: TableRead, schema: Schema) -> tuple[np.ndarray, np.ndarray, list[list[str]] | None, list[str]]:
    """New rows read by a schema: float32 features, bool [rows] which stayed, the labels of each task or None, notes.

    Columns are found by name in any order; missing ones are an error, further ones are left out and noted.
    """
    if table.problems:
        raise DataError(table.problems[0])
    if not len(table.frame):
        raise DataError(f"{table.where} holds no rows")
    names, notes = table.frame.columns, list(table.notes)
    lacking = [column.name for column in schema.columns if column.name not in names]
    if lacking:
        hint = near(lacking[0], names) or "; it has " + ends(names)
        raise DataError(f"{table.where}: the model needs column {listed(map(repr, lacking))}{hint}{table.hint}")
    extra = [name for name in names if name not in {*schema.labels, *(c.name for c in schema.columns)}]
    if extra:
        notes.append(f"column {listed(map(repr, extra))} not used by the model")
    kept = [_apply_column(table, column, notes) for column in schema.columns]
    holes = np.any([cells.missing for cells in kept], axis=0)
    if holes.any() and schema.missing == "error":
        cells = next(cells for cells in kept if cells.missing.any())
        raise DataError(
            f"{table.where}: column {shown(cells.column.name)!r}, {table.place(int(np.argmax(cells.missing)))}: empty, "
            "and the model was trained with --missing error"
        )
    keep = ~holes if schema.missing == "drop" else np.ones(len(holes), bool)
    if not keep.all():
        notes.append(f"{counted(int((~keep).sum()), 'row')} with empty cells dropped, as in training")
    return _features(kept, len(table.frame))[keep], keep, _labels_of(table, schema.labels, keep, notes), notes


def _labels_of(table: TableRead, names: Sequence[str], keep: np.ndarray, notes: list[str]) -> list[list[str]] | None:
    """The labels of each task, None where a label column is not there or has empty cells."""
    import polars as pl

    there = [name for name in names if name in table.frame.columns and table.frame[name].dtype != pl.Null]
    if not there or len(there) < len(names):
        return None
    found = [[label for label, stays in zip(label_cells(table, name), keep) if stays] for name in names]
    gaps = [name for name, labels in zip(names, found) if not all(labels)]
    notes += [f"column {shown(name)!r} has empty cells, so its labels are not used" for name in gaps]
    return None if gaps else found


def _apply_column(table: TableRead, column: Column, notes: list[str]) -> Cells:
    series = table.frame[column.name]
    if series.dtype.is_temporal() or series.dtype.is_nested():
        raise DataError(f"{table.where}: column {shown(column.name)!r} holds {series.dtype}; the model needs "
                        f"{'numbers' if column.categories is None else 'text'}")  # fmt: skip
    if column.categories is not None:
        series = text(series)
        cells = Cells(column, codes(series, column.categories))
        unseen = np.flatnonzero(cells.values == -2)
        if len(unseen):
            new = listed(dict.fromkeys(repr(series[int(i)]) for i in unseen), 3)
            rows = counted(len(unseen), "row")
            notes.append(f"column {shown(column.name)!r}: {new} not seen in training ({rows}), no category")
        return cells
    if is_text(series.dtype):
        series = text(series)
    values, bad = as_numbers(series, table.decimal_comma)
    problem = number_problem(table, column.name, series, values)
    if bad.any():
        row = int(np.argmax(bad))
        problem = (
            f"{table.where}: column {shown(column.name)!r}, {table.place(row)}: {shown(series[row])!r} is no number"
        )
    if problem:
        raise DataError(problem)
    return Cells(column, values)
