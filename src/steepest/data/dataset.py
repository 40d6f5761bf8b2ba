"""`Dataset`: rows, class numbers, and all that is known about where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from steepest.core.errors import DataError
from steepest.data.cache import release
from steepest.data.classes import class_problems, encode, spelling_problem
from steepest.data.content import fingerprint, same_rows
from steepest.data.labels import Task
from steepest.data.paths import counted, shown
from steepest.data.reading import Reading
from steepest.data.schema import Schema


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to learn from.

    Shapes: X [rows, features] float32 for tables, [rows, H, W, C] uint8 for images (as decoded); y int32 [rows], label
    k is classes[k]; groups int32 [rows], the same number for rows with the same content, which a split must not part;
    given_test bool [rows], the rows that the data came with as its test set, None where it came with none; further:
    the label columns after the first, where there are several tasks (rows are split by the first); reading: how
    the source was asked to be read; place: where it lay, "" for arrays, frames and sets with a name.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray
    fingerprint: str
    schema: Schema
    notes: tuple[str, ...] = ()
    given_test: np.ndarray | None = None
    further: tuple[Task, ...] = ()
    reading: Reading = field(default_factory=Reading)
    place: str = ""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every label column, the first in front."""
        return (Task(self.schema.label or "label", self.y, self.classes), *self.further)

    @property
    def of_first_task(self) -> Dataset:
        """The same rows with the first label column alone; the others are no features either."""
        return replace(self, further=(), schema=replace(self.schema, further=()))

    @property
    def shape(self) -> tuple[int, ...]:
        """A row's shape: (H, W, C) or (features,)."""
        return self.X.shape[1:]

    def features(self, rows: np.ndarray | None = None) -> np.ndarray:
        """float32 [rows, features], before standardisation: pixels as 0..1 unless raw, NaN for a missing cell.

        rows: only those of these numbers.
        """
        made = self.schema.scaled(self.X if rows is None else self.X[rows])
        release(self.X)  # where they are mapped, their pages would fill the memory
        return made

    @property
    def on_disk(self) -> bool:
        """Whether the rows are more than memory should hold, and lie in a mapped file."""
        return isinstance(self.X, np.memmap)

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.shape))
        classes = " and ".join(str(len(task.classes)) for task in self.tasks)
        return f"<Dataset {shown(self.name)!r}: {len(self):,} rows of {shape}, {classes} classes>"


@dataclass
class Gathered:
    """What a source gave before it is judged: `open` stops at the first problem, `check` reports them all."""

    name: str
    X: np.ndarray
    labels: Sequence[str]
    schema: Schema
    where: str  # how messages call the source
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    known_classes: tuple[str, ...] = ()  # classes that the source names even where they have no rows
    given_test: np.ndarray | None = None  # bool [rows]
    row_names: list[str] = field(default_factory=list)  # where rows have names (files), else empty
    further: dict[str, Sequence[str]] = field(default_factory=dict)  # label columns after the first, by name


def encoded(gathered: Gathered) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers and names; a class that the source names without rows keeps its place."""
    y, classes = encode([*gathered.labels, *gathered.known_classes])
    return y[: len(gathered.labels)], classes


def encoded_further(gathered: Gathered) -> tuple[Task, ...]:
    """The tasks after the first."""
    return tuple(Task(name, *encode(labels)) for name, labels in gathered.further.items())


def all_problems(gathered: Gathered) -> list[str]:
    """Everything that keeps the gathered rows from being a Dataset."""
    y, classes = encoded(gathered)
    spelling = spelling_problem(gathered.labels, f"{gathered.where}: the label")
    problems = gathered.problems + ([spelling] if spelling else [])
    if gathered.problems and not len(y):
        return problems  # no rows, for the reasons given
    found = class_problems(y, classes, gathered.where)
    problems += [one for one in found if not any(known.startswith(one) for known in problems)]  # said, with a hint
    for task in encoded_further(gathered) if len(y) else ():
        where = f"{gathered.where}: column {shown(task.name)!r}"
        spelling = spelling_problem(gathered.further[task.name], where)
        problems += [spelling] if spelling else class_problems(task.y, task.classes, where)
    return problems


def finish(gathered: Gathered, reading: Reading) -> Dataset:
    """The Dataset, or a DataError with the first problem and how many more there are."""
    problems = all_problems(gathered)
    if problems:
        more = f" ({counted(len(problems) - 1, 'more problem')}: see `steepest data check`)" if problems[1:] else ""
        raise DataError(problems[0] + more)
    y, classes = encoded(gathered)
    further = encoded_further(gathered)
    groups = same_rows(gathered.X)
    notes = gathered.notes + duplicate_notes(y, groups)
    return Dataset(
        name=gathered.name,
        X=gathered.X,
        y=y,
        classes=classes,
        groups=groups,
        fingerprint=fingerprint(gathered.X, y, classes, further),
        schema=gathered.schema,
        notes=tuple(notes),
        given_test=gathered.given_test,
        further=further,
        reading=reading,
    )


def conflicts(y: np.ndarray, groups: np.ndarray) -> tuple[int, int, int]:
    """Rows that are there more than once, in how many groups, and how many of these groups have conflicting labels."""
    counts = np.bincount(groups) if len(groups) else np.zeros(0, int)
    pairs = np.unique(np.stack([groups, y]), axis=1)
    labels = np.bincount(pairs[0], minlength=len(counts)) if len(groups) else counts
    return int(counts[counts > 1].sum()), int((counts > 1).sum()), int((labels > 1).sum())


def duplicate_notes(y: np.ndarray, groups: np.ndarray) -> list[str]:
    """What a user should know about rows that are there more than once."""
    rows, sets, conflicting = conflicts(y, groups)
    if not rows:
        return []
    notes = [f"{counted(rows, 'duplicate row')} in {counted(sets, 'group')}: each group is kept on one side of a split"]
    if conflicting:
        notes.append(f"{counted(conflicting, 'group')} of equal rows with different labels")
    return notes
