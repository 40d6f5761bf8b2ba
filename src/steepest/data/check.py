"""What a source holds and what is wrong with it: every problem at once, where `open` stops at the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.data.classes import split_problems
from steepest.data.content import fingerprint, same_rows
from steepest.data.dataset import all_problems, conflicts, encoded, encoded_further
from steepest.data.opening import gather
from steepest.data.paths import shown
from steepest.data.reading import Reading

IMBALANCE = 10.0  # largest class over smallest: from here on accuracy says little


@dataclass(frozen=True)
class Report:
    """What `check` found. `problems` keep the source from being used, `notes` do not."""

    name: str
    kind: str = ""
    rows: int = 0
    shape: tuple[int, ...] = ()
    features: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    further: dict[str, dict[str, int]] = field(default_factory=dict)  # of the label columns after the first
    imbalance: float = 1.0  # rows of the largest class over rows of the smallest
    missing: dict[str, int] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    duplicate_rows: int = 0
    duplicate_groups: int = 0
    conflicting_groups: int = 0  # equal rows with different labels
    given_test: int = 0  # rows that the source gives for testing
    unreadable: tuple[str, ...] = ()
    fingerprint: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether `open` takes the source and a split can be drawn from it."""
        return not self.problems


def check(source: Any = "digits", **settings: Any) -> Report:
    """Look a source over with the settings of `open`, and report instead of stopping.

    >>> check("iris").classes
    {'setosa': 50, 'versicolor': 50, 'virginica': 50}
    """
    progress, use_cache = settings.pop("progress", None), settings.pop("cache", True)
    reading = Reading(**settings)
    try:
        found = gather(source, reading, progress, use_cache)
    except DataError as error:
        name = shown(source) if isinstance(source, str) or hasattr(source, "__fspath__") else type(source).__name__
        return Report(name=name, problems=(str(error),))
    problems = all_problems(found)
    if not len(found.labels):
        return Report(name=found.name, problems=tuple(problems), notes=tuple(found.notes),
                      unreadable=tuple(found.unreadable))  # fmt: skip
    y, classes = encoded(found)
    further = encoded_further(found)
    groups = same_rows(found.X)
    counts = np.bincount(y, minlength=len(classes))
    if len(classes) > 1 and counts.min() > 0:
        problems += [f"{found.where}: {problem}" for problem in split_problems(y, classes, groups)]
    rows, sets, conflicting = conflicts(y, groups)
    notes = list(found.notes)
    smallest = int(counts.min())
    imbalance = float(counts.max() / smallest) if smallest else float("inf")
    if imbalance >= IMBALANCE:
        notes.append(
            f"the largest class has {imbalance:.0f} times the rows of the smallest: look at balanced accuracy or F1"
        )
    constant = constant_features(found.X)
    names = found.schema.feature_names if len(constant) else ()
    return Report(
        name=found.name,
        kind=found.schema.kind,
        rows=len(y),
        shape=found.X.shape[1:],
        features=int(np.prod(found.X.shape[1:])),
        classes={name: int(n) for name, n in zip(classes, counts)},
        further={
            task.name: dict(zip(task.classes, np.bincount(task.y, minlength=len(task.classes)).tolist()))
            for task in further
        },
        imbalance=imbalance,
        missing=dict(found.missing),
        constant=tuple(names[k] for k in constant),
        duplicate_rows=rows,
        duplicate_groups=sets,
        conflicting_groups=conflicting,
        given_test=0 if found.given_test is None else int(found.given_test.sum()),
        unreadable=tuple(found.unreadable),
        fingerprint=fingerprint(found.X, y, classes, further),
        problems=tuple(problems),
        notes=tuple(notes),
    )


def constant_features(X: np.ndarray) -> list[int]:
    """Features with one value in all rows (empty cells aside), from which nothing can be learnt."""
    rows = X.reshape(len(X), -1)
    low, high = np.fmin.reduce(rows, axis=0), np.fmax.reduce(rows, axis=0)
    return [int(k) for k in np.flatnonzero(~(high > low))]
