"""Labels for new rows, by a trained model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.core.errors import DataError, SettingError
from steepest.data.like import read_like
from steepest.train.fitted import Fitted, FittedTask
from steepest.train.uncertainty import Uncertainty, check_sampling

SEED = 0  # of the draws: the same command says the same


@dataclass(frozen=True, eq=False)
class Predicted:
    """A label a row; `shares` [rows, classes] are probabilities and `sampled` their mean and spread over draws of
    dropped units, where they were asked for. With `sampled` the label is the class of the highest mean. Of several
    `tasks`, a row's labels are a tuple, and classes are those of one task after the other."""

    names: Sequence[str]
    labels: Sequence[Any]
    shares: np.ndarray | None
    sampled: Uncertainty | None
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    tasks: tuple[FittedTask, ...] = ()


def predicted(
    fitted: Fitted,
    source: Any,
    *,
    probabilities: bool = False,
    samples: int | None = None,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Predicted:
    """Read `source` (`data.read_like`) as the model's training rows were read, and label its rows.

    samples: predict so many times with units dropped (`Fitted.uncertainty`).
    **Raises** DataError where rows do not fit; SettingError for probabilities of a loss that gives none, or samples of
    a model without dropout.
    """
    if fitted.schema is None:
        raise DataError("the model does not say how its rows were read; give its `labels` arrays instead")
    if probabilities and not fitted.recipe.loss.probabilistic:
        name = type(fitted.recipe.loss).__name__
        raise SettingError(f"the model was trained with {name}, which gives no probabilities; leave them out")
    if samples is not None:
        check_sampling(fitted.recipe, samples, SEED)
    rows = read_like(fitted.schema, source, strict=strict, progress=progress)
    shares = fitted.probabilities(rows.features) if probabilities else None
    sampled = None if samples is None else fitted.uncertainty(rows.features, samples, SEED)
    if fitted.tasks:
        of_each = [np.array(task.classes, dtype=object) for task in fitted.tasks]
        said = fitted.predict(rows.features) if sampled is None else _likeliest(fitted, sampled.mean)
        labels: list[Any] = list(zip(*(classes[said[:, place]].tolist() for place, classes in enumerate(of_each))))
    else:
        said = fitted.predict(rows.features) if sampled is None else sampled.mean.argmax(axis=1)
        labels = [fitted.classes[number] for number in said]
    return Predicted(rows.names, labels, shares, sampled, fitted.classes, rows.notes, fitted.tasks)


def _likeliest(fitted: Fitted, shares: np.ndarray) -> np.ndarray:
    """The class of the highest probability of each task [rows, tasks]."""
    return np.stack([shares[:, own].argmax(axis=1) for own in fitted.recipe.loss.slices], axis=1)
