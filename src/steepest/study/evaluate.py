"""How good a model is on rows whose classes are known."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from steepest.core.errors import DataError
from steepest.data.like import read_like
from steepest.data.paths import listed, shown
from steepest.metrics import Report, report
from steepest.study.attack import UNKNOWN, UnderAttack, under_attack
from steepest.techniques.adversarial import Attack
from steepest.train.fitted import Fitted


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found."""

    report: Report
    notes: tuple[str, ...]
    attacked: UnderAttack | None = None


def evaluate(
    fitted: Fitted,
    source: Any,
    *,
    label: str | None = None,
    strict: bool = False,
    attack: Attack | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Read `source` as the model's training rows were read, and compare what it predicts with the labels there; with
    `attack` also what it predicts of the rows under that attack.

    **Raises** DataError where rows do not fit, labels are missing, or a class is none of the model's.
    """
    if fitted.schema is None:
        raise DataError(
            "the model does not say how its rows were read; evaluate it on arrays by steepest.metrics.report"
        )
    rows = read_like(fitted.schema, source, label=label, strict=strict, progress=progress)
    where = shown(source) if isinstance(source, str | os.PathLike) else "the data"
    if rows.labels is None:
        raise DataError(f"{where}: its rows have no labels to compare with; use predict, or name the label column")
    number = {name: k for k, name in enumerate(fitted.classes)}
    strange = sorted(set(rows.labels) - set(number))
    if strange:
        raise DataError(
            f"{where}: the model does not know class {listed(strange)}; it knows {listed(fitted.classes, 20)}"
        )
    y = [number[name] for name in rows.labels]
    found = report(y, fitted.predict(rows.features), fitted.classes)
    attacked = None if attack is None else under_attack(fitted, rows.features, y, attack)
    notes = (*rows.notes, *_absent(fitted.classes, set(rows.labels)))
    if attacked is not None and attacked.within == UNKNOWN:
        notes += ("the model's file is from before files held the range of their training rows: attacked rows stay "
                  "within the range of the rows here; fit it again to attack as compare does",)  # fmt: skip
    return Evaluation(found, notes, attacked)


def _absent(classes: Sequence[str], seen: set[str]) -> list[str]:
    """What to know about classes of the model that have no rows here."""
    missing = [name for name in classes if name not in seen]
    if not missing:
        return []
    one = len(missing) == 1
    said = f"{'class' if one else 'classes'} {listed(missing)} {'has' if one else 'have'} no rows here"
    return [f"{said}: {'it does' if one else 'they do'} not count in balanced accuracy and the means of classes"]
