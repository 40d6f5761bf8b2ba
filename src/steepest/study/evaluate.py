"""How good a model is on rows whose classes are known."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steepest.core.errors import DataError
from steepest.data.labels import Labels
from steepest.data.like import NewRows, read_like
from steepest.data.paths import listed, shown
from steepest.metrics import Report, report
from steepest.study.attack import UNKNOWN, UnderAttack, refuse_tasks, under_attack
from steepest.techniques.adversarial import Attack
from steepest.train.fitted import Fitted


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found; of several tasks a report for each, by name, and the first one's as `report`."""

    report: Report
    notes: tuple[str, ...]
    attacked: UnderAttack | None = None
    tasks: Mapping[str, Report] = field(default_factory=dict)


def evaluate(
    fitted: Fitted,
    source: Any,
    *,
    label: Labels | None = None,
    strict: bool = False,
    attack: Attack | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Read `source` as the model's training rows were read, and compare what it predicts with the labels there; with
    `attack` also what it predicts of the rows under that attack.

    **Raises** DataError where rows do not fit, labels are missing, or a class is none of the model's; SettingError for
    an attack on a model of several tasks.
    """
    if fitted.schema is None:
        raise DataError(
            "the model does not say how its rows were read; evaluate it on arrays by steepest.metrics.report"
        )
    if attack is not None:
        refuse_tasks(fitted)
    rows = read_like(fitted.schema, source, label=label, strict=strict, progress=progress)
    where = shown(source) if isinstance(source, str | os.PathLike) else "the data"
    if fitted.tasks:
        return _evaluated_tasks(fitted, rows, where)
    if rows.labels is None:
        raise DataError(f"{where}: its rows have no labels to compare with; use predict, or name the label column")
    y = _numbers(rows.labels, fitted.classes, where)
    found = report(y, fitted.predict(rows.features), fitted.classes)
    attacked = None if attack is None else under_attack(fitted, rows.features, y, attack)
    notes = (*rows.notes, *_absent(fitted.classes, set(rows.labels)))
    if attacked is not None and attacked.within == UNKNOWN:
        notes += ("the model's file is from before files held the range of their training rows: attacked rows stay "
                  "within the range of the rows here; fit it again to attack as compare does",)  # fmt: skip
    return Evaluation(found, notes, attacked)


def _evaluated_tasks(fitted: Fitted, rows: NewRows, where: str) -> Evaluation:
    if rows.labels is None:
        names = listed(task.name for task in fitted.tasks)
        raise DataError(
            f"{where}: its rows lack labels to compare with; the model predicts {names}: give all of these columns, "
            "without empty cells (by --label where they are called otherwise), or use predict"
        )
    said, notes = fitted.predict(rows.features), list(rows.notes)
    reports: dict[str, Report] = {}
    for place, (task, labels) in enumerate(zip(fitted.tasks, (rows.labels, *rows.further))):
        y = _numbers(labels, task.classes, f"{where}: column {shown(task.name)!r}")
        reports[task.name] = report(y, said[:, place], task.classes)
        notes += [f"{shown(task.name)}: {note}" for note in _absent(task.classes, set(labels))]
    return Evaluation(reports[fitted.tasks[0].name], tuple(notes), tasks=reports)


def _numbers(labels: Sequence[str], classes: Sequence[str], where: str) -> list[int]:
    """The class number of each label."""
    number = {name: k for k, name in enumerate(classes)}
    strange = sorted(set(labels) - set(number))
    if strange:
        raise DataError(f"{where}: the model does not know class {listed(strange)}; it knows {listed(classes, 20)}")
    return [number[name] for name in labels]


def _absent(classes: Sequence[str], seen: set[str]) -> list[str]:
    """What to know about classes of the model that have no rows here."""
    missing = [name for name in classes if name not in seen]
    if not missing:
        return []
    one = len(missing) == 1
    said = f"{'class' if one else 'classes'} {listed(missing)} {'has' if one else 'have'} no rows here"
    return [f"{said}: {'it does' if one else 'they do'} not count in balanced accuracy and the means of classes"]
