"""New rows read the way a model's training rows were read: for predicting and evaluating."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from steepest.core.errors import DataError, SettingError
from steepest.data.arrays import is_frame, numeric, read_frame
from steepest.data.classes import label_texts
from steepest.data.csvfile import TableRead, read_csv, read_parquet
from steepest.data.dataset import Dataset, Gathered
from steepest.data.decode import image_format
from steepest.data.idx import gather_idx, read_idx
from steepest.data.labels import Labels, NoSuchLabel, label_names
from steepest.data.npz import read_npz
from steepest.data.opening import as_path, gather, kind_of
from steepest.data.parts import POOLED
from steepest.data.paths import counted, no_such, shown
from steepest.data.photos import read_images
from steepest.data.reading import Reading
from steepest.data.schema import Schema
from steepest.data.sources import SOURCES, gather_source
from steepest.data.table import apply_table, no_column


@dataclass(frozen=True, eq=False)
class NewRows:
    """Rows to predict: features float32 [rows, features], a name each, true labels where the source holds them.

    further: the labels of each task after the first, where the schema has several.
    Unpacks as `features, names, labels = read_like(…)`.
    """

    features: np.ndarray
    names: list[str]
    labels: list[str] | None
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    further: tuple[list[str], ...] = ()

    def __iter__(self) -> Iterator[Any]:
        return iter((self.features, self.names, self.labels))


def read_like(
    schema: Schema,
    source: Any,
    *,
    label: Labels | None = None,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> NewRows:
    """Read new rows by a model's schema.

    source: image files or folders (one path or a list), a CSV or Parquet file or a frame (columns by name, in any
    order, with or without the label column), an NPZ or IDX file, an array [rows, …], a pair (X, y), a built-in name.
    Names are paths for images and row numbers (from 1) for everything else. label: the label column, where it is called
    otherwise than in training (of several, all in their order); the labels file for IDX. Raises DataError where rows do
    not fit the schema.
    """
    if isinstance(source, Dataset):
        return _from_dataset(schema, source)
    if is_frame(source):
        return _from_table(schema, read_frame(source, "frame"), label)
    if isinstance(source, tuple) and len(source) == 2 and not isinstance(source[0], str | Path):
        if is_frame(source[0]):
            read = _from_table(schema, read_frame(source[0], "frame"))
            return NewRows(read.features, read.names, label_texts(source[1]), read.notes)
        return _from_array(schema, numeric(source[0], "X"), label_texts(source[1]), "X")
    if isinstance(source, list | tuple) and source and all(isinstance(s, str | Path) for s in source):
        return _from_files(schema, [as_path(s) for s in source], strict, progress)
    if isinstance(source, str | Path):
        return _from_path(schema, as_path(source), label, strict, progress)
    return _from_array(schema, numeric(source, "X"), None, "X")


def _from_files(schema: Schema, paths: Sequence[Path], strict: bool, progress: Any) -> NewRows:
    if schema.kind != "images":
        if len(paths) == 1:
            return _from_path(schema, paths[0], None, strict, progress)
        raise DataError(f"the model reads {_rows_of(schema)}; give one file that holds them, not {len(paths)}")
    for path in paths:
        if not path.exists():
            raise no_such(path, ())
    rows, names, labels, notes, unreadable = read_images(schema, list(paths), strict=strict, progress=progress)
    return NewRows(rows, names, labels, tuple(notes), tuple(unreadable))


def _from_path(schema: Schema, path: Path, label: Labels | None, strict: bool, progress: Any) -> NewRows:
    if path.is_file() and str(path) not in SOURCES:
        with path.open("rb") as file:
            is_image = image_format(file.read(16)) is not None
        if is_image and schema.kind != "images":
            raise DataError(f"{shown(path)}: an image, but the model reads {_rows_of(schema)}")
        if is_image:
            return _from_files(schema, [path], strict, progress)
    kind = kind_of(path)
    if kind in ("csv", "parquet"):
        if not schema.columns:
            raise DataError(f"{shown(path)}: a table, but the model reads {_rows_of(schema)}")
        return _from_table(schema, read_csv(path) if kind == "csv" else read_parquet(path), label)
    if kind == "folder":
        if schema.kind != "images":
            raise DataError(f"{shown(path)}: a folder, but the model reads {_rows_of(schema)}")
        return _from_files(schema, [path], strict, progress)
    if kind in ("archive", "cifar"):
        return _from_parts(schema, path, label, strict, progress)
    if kind == "source":
        found = gather_source(str(path))
        return _from_array(schema, found.X, list(found.labels), str(path), found.schema)
    if kind == "npz":
        X, y, *_ = read_npz(path)
        return _from_array(schema, numeric(X, shown(path)), label_texts(y, f"{shown(path)}: y"), shown(path))
    if path.is_file() and label is None and "images" not in path.name.lower():
        return _from_array(schema, numeric(read_idx(path), shown(path)), None, shown(path))
    found = gather_idx(path, label=None if label is None else str(label))
    return _from_array(schema, found.X, list(found.labels), shown(path), found.schema)


def _from_parts(schema: Schema, path: Path, label: Labels | None, strict: bool, progress: Any) -> NewRows:
    """An archive or CIFAR's batches: all their rows, whatever part they are of."""
    if schema.kind != "images" or schema.channels not in (1, 3):
        raise DataError(f"{shown(path)}: images, but the model reads {_rows_of(schema)}")
    color = "grey" if schema.channels == 1 else "rgb"
    reading = Reading(label, schema.shape[0], color, strict=strict)
    if label is None and schema.further:
        found = _with_labels_if_any(path, replace(reading, label=schema.labels), progress)
    else:
        if label is not None:
            _relabelled(schema, label_names(label, ()))  # refuses another number of labels than the model has
        found = gather(path, reading, progress)
    lacking = len(found.further) + 1 < max(len(schema.labels), 1)
    rows = _from_array(schema, found.X, None if lacking else list(found.labels), shown(path), found.schema)
    names = found.row_names or rows.names
    notes = tuple(note for note in found.notes if POOLED not in note)
    further = tuple(list(labels) for labels in found.further.values())
    return replace(rows, names=names, notes=notes, unreadable=tuple(found.unreadable), further=further)


def _with_labels_if_any(path: Path, reading: Reading, progress: Any) -> Gathered:
    """The rows of a source with the labels of a model's tasks; other sources' rows can be predicted all the same."""
    try:
        return gather(path, reading, progress)
    except NoSuchLabel:
        return gather(path, replace(reading, label=None), progress)


def _from_dataset(schema: Schema, data: Dataset) -> NewRows:
    tasks = {task.name: task for task in data.tasks}
    if not schema.further:
        return _from_array(schema, data.X, [data.classes[k] for k in data.y], data.name, data.schema)
    rows = _from_array(schema, data.X, None, data.name, data.schema)
    if not set(schema.labels) <= set(tasks):
        return rows
    keep = [int(name) - 1 for name in rows.names]
    first, *further = ([tasks[name].classes[tasks[name].y[i]] for i in keep] for name in schema.labels)
    return replace(rows, labels=first, further=tuple(further))


def _from_table(schema: Schema, table: TableRead, label: Labels | None = None) -> NewRows:
    if label is not None:
        names = label_names(label, table.frame.columns)
        schema = _relabelled(schema, names)
        lacking = next((name for name in names if name not in table.frame.columns), None)
        if lacking is not None:
            raise no_column(table, lacking)
    if not schema.columns:
        raise DataError(f"{table.where}: a table with names, but the model reads {_rows_of(schema)}")
    features, keep, labels, notes = apply_table(table, schema)
    first, *further = labels or [None]
    names = [str(i + 1) for i in np.flatnonzero(keep)]
    return NewRows(features, names, first, tuple(notes), further=tuple(one for one in further if one is not None))


def _relabelled(schema: Schema, names: tuple[str, ...]) -> Schema:
    """The schema with label columns of other names."""
    if len(names) != max(len(schema.labels), 1):
        has = f"several tasks ({', '.join(map(shown, schema.labels))})" if schema.further else "one task"
        raise SettingError(f"label names {counted(len(names), 'column')}, and the model has {has}; name one for each")
    return replace(schema, label=names[0], further=names[1:])


def _from_array(
    schema: Schema, X: np.ndarray, labels: list[str] | None, where: str, stored: Schema | None = None
) -> NewRows:
    """Rows of the schema's shape; images are brought to its white, whatever their own white is."""
    if labels is not None and len(labels) != len(X):
        raise DataError(f"{where}: {len(X):,} rows, but {len(labels):,} labels")
    if X.shape[1:] != schema.shape and not (X.ndim == 2 and X.shape[1] == schema.features and X.dtype != np.uint8):
        raise DataError(f"{where}: rows of shape {X.shape[1:]}, but the model reads {_rows_of(schema)}")
    top = stored.top if stored else 255.0 if X.dtype == np.uint8 else schema.top
    rows = X.reshape(len(X), -1).astype(np.float32)
    if top != schema.top:
        rows *= np.float32(schema.top / top)
    rows = schema.scaled(rows)
    holes = np.isnan(rows)
    keep = np.full(len(rows), True)
    if holes.any() and schema.missing == "error":
        row, column = np.argwhere(holes)[0]
        raise DataError(
            f"{where}: row {row + 1}, {schema.feature_names[column]}: missing, and the model was trained without"
        )
    if schema.missing == "drop":
        keep = ~np.any(holes, axis=1)
    kept = None if labels is None else [label for label, stays in zip(labels, keep) if stays]
    dropped = (f"{int((~keep).sum())} rows with missing cells dropped, as in training",) if not keep.all() else ()
    return NewRows(rows[keep], [str(i + 1) for i in np.flatnonzero(keep)], kept, dropped)


def _rows_of(schema: Schema) -> str:
    shape = "×".join(map(str, schema.shape))
    if schema.kind == "images":
        return f"images of {shape}"
    return f"a table with {len(schema.columns)} columns" if schema.columns else f"arrays with rows of {shape}"
