"""The settings of a comparison, checked before anything runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steepest.core.errors import SettingError, unknown, whole_number
from steepest.losses import LOSSES
from steepest.methods import METHODS
from steepest.metrics import METRICS
from steepest.penalties import PENALTIES

DEFAULT_METHODS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
DEFAULT_PENALTIES = ("none", "l1", "l2", "elastic")

# What changes how results are read, not how anything is trained: trainings are kept when these change.
READING = ("metric", "margin", "level")


@dataclass(frozen=True)
class Settings:
    """What a comparison compares, and how.

    methods, penalties: registered names; every method meets every penalty. trials: random settings each candidate draws
    in each replicate (beside its defaults). margin: a difference of the metric (0 … 1) below which two candidates count
    as equivalent. level: of the tests. spaces: search spaces other than the declared ones, "adam.rate" → (low, high).
    """

    methods: tuple[str, ...] = DEFAULT_METHODS
    penalties: tuple[str, ...] = DEFAULT_PENALTIES
    model: str = "linear"
    loss: str = "cross-entropy"
    trials: int = 20
    replicates: int = 10
    epochs: int = 20
    seed: int = 0
    batch_size: int = 32
    metric: str = "accuracy"
    margin: float = 0.005
    level: float = 0.05
    test: float = 0.25
    validation: float = 0.2
    standardize: bool = True
    spaces: Any = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", _names("method", self.methods, METHODS))
        object.__setattr__(self, "penalties", _names("penalty", self.penalties, PENALTIES))
        object.__setattr__(self, "spaces", _spaces(self.spaces))
        for name, known in (("loss", LOSSES), ("metric", METRICS)):
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known)
        if self.loss == "squared":
            raise SettingError("loss = squared is for regressions; a comparison trains classifiers")
        for name, least in (("trials", 1), ("replicates", 2), ("epochs", 1), ("batch_size", 1), ("seed", 0)):
            more = " (5 or more for a verdict)" if name == "replicates" else ""
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least, more))
        for name, low, high in (("margin", 0, 0.2), ("level", 0, 1), ("test", 0, 1), ("validation", 0, 1)):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value < high) or (name != "margin" and value == 0):
                share = "; it is a share: half a point is 0.005" if name == "margin" else ""
                left = "[" if name == "margin" else "("
                raise SettingError(f"{name} = {value}; it must be in {left}{low}, {high}){share}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        made = dataclasses.asdict(self)
        return {
            **made,
            "methods": list(self.methods),
            "penalties": list(self.penalties),
            "spaces": {name: [low, high] for name, low, high in self.spaces},
        }

    def training(self) -> dict[str, Any]:
        """What decides the trainings: all but how results are read."""
        return {name: value for name, value in self.as_dict().items() if name not in READING}


def _names(what: str, given: str | Sequence[str], known: Any) -> tuple[str, ...]:
    names = tuple(name.strip() for name in given.split(",")) if isinstance(given, str) else tuple(given)
    if not names:
        raise SettingError(f"no {what} to compare; known: {', '.join(known)}")
    for name in names:
        if not isinstance(name, str):
            raise SettingError(f"{what} {name!r}; a comparison takes names, for it searches the settings itself")
        if name not in known:
            raise unknown(what, str(name), known)
        if names.count(name) > 1:
            raise SettingError(f"{what} {name} is named twice")
    return names


def _spaces(given: Any) -> tuple[tuple[str, float, float], ...]:
    """Search spaces as ("adam.rate", low, high), from those or from "adam.rate" → (low, high)."""
    try:
        entries = [(name, *ends) for name, ends in given.items()] if isinstance(given, Mapping) else list(given)
        return tuple((str(name), float(low), float(high)) for name, low, high in entries)
    except (TypeError, ValueError):
        raise SettingError(f"spaces = {given!r}; write them as {{'adam.rate': (1e-4, 1.0)}}") from None
