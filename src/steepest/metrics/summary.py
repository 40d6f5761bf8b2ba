"""The classification report: precision, recall, F1 and support by class, their averages, and the confusion matrix."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from steepest.metrics import scores
from steepest.metrics.matrix import confusion


@dataclasses.dataclass(frozen=True)
class ClassScores:
    """One class: precision (hits / predicted), recall (hits / support), F1, and its rows in the truth."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclasses.dataclass(frozen=True)
class Averages:
    """Precision, recall and F1 averaged over classes."""

    precision: float
    recall: float
    f1: float


@dataclasses.dataclass(frozen=True)
class Report:
    """What `report` finds; `confusion[i][j]` counts rows of class i predicted as class j."""

    classes: tuple[ClassScores, ...]
    accuracy: float
    balanced: float
    macro: Averages
    weighted: Averages
    rows: int
    confusion: tuple[tuple[int, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, ready for JSON."""
        return {
            "classes": [dataclasses.asdict(one) for one in self.classes],
            "accuracy": self.accuracy,
            "balanced": self.balanced,
            "macro": dataclasses.asdict(self.macro),
            "weighted": dataclasses.asdict(self.weighted),
            "rows": self.rows,
            "confusion": [list(row) for row in self.confusion],
        }


def report(y: Any, predicted: Any, classes: Sequence[Any]) -> Report:
    """Precision, recall, F1 and support of every class, accuracy, and the macro and weighted averages.

    **Shapes** y and predicted [rows], class numbers; `classes` names them in order.

    What would be 0/0 (the precision of a class never predicted, the recall of one without rows) is 0. `macro` is the
    mean over the classes that are in the truth or predicted, `weighted` the mean weighted by support: both as
    scikit-learn's classification_report(y, predicted, zero_division=0). **Differs from** it: a class that occurs in
    neither is still listed (with support 0), `balanced` stands beside accuracy, and numbers are not rounded.

    **Raises** DataError for class numbers without a name, and where there are no rows.

    >>> report([0, 0, 1], [0, 1, 1], ["cat", "dog"]).classes[1]
    ClassScores(name='dog', precision=0.5, recall=1.0, f1=0.6666666666666666, support=1)
    """
    matrix = confusion(y, predicted, len(classes))
    accuracy, balanced = float(scores.accuracy(matrix)), float(scores.balanced_accuracy(matrix))
    table = np.stack([scores.precision(matrix), scores.recall(matrix), scores.f1_by_class(matrix)])
    support = matrix.sum(axis=1)
    return Report(
        classes=tuple(
            ClassScores(str(name), *(float(value) for value in table[:, i]), support=int(support[i]))
            for i, name in enumerate(classes)
        ),
        accuracy=accuracy,
        balanced=balanced,
        macro=Averages(*(float(value) for value in table[:, scores.occurring(matrix)].mean(axis=1))),
        weighted=Averages(*(float(value) for value in table @ support / support.sum())),
        rows=int(support.sum()),
        confusion=tuple(tuple(int(count) for count in row) for row in matrix),
    )
