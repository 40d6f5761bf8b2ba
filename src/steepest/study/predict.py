"""Labels for new rows, by a trained model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.core.errors import DataError, SettingError
from steepest.data.like import read_like
from steepest.train.fitted import Fitted


@dataclass(frozen=True, eq=False)
class Predicted:
    """A label a row; `shares` [rows, classes] are probabilities, where they were asked for."""

    names: Sequence[str]
    labels: Sequence[str]
    shares: np.ndarray | None
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def predicted(
    fitted: Fitted,
    source: Any,
    *,
    probabilities: bool = False,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Predicted:
    """Read `source` (`data.read_like`) as the model's training rows were read, and label its rows.

    **Raises** DataError where rows do not fit; SettingError for probabilities of a loss that gives none.
    """
    if fitted.schema is None:
        raise DataError("the model does not say how its rows were read; give its `labels` arrays instead")
    if probabilities and not fitted.recipe.loss.probabilistic:
        name = type(fitted.recipe.loss).__name__
        raise SettingError(f"the model was trained with {name}, which gives no probabilities; leave them out")
    rows = read_like(fitted.schema, source, strict=strict, progress=progress)
    shares = fitted.probabilities(rows.features) if probabilities else None
    return Predicted(rows.names, fitted.labels(rows.features).tolist(), shares, fitted.classes, rows.notes)
