"""The settings of a comparison, checked before anything runs."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steepest.core.errors import SettingError, unknown, whole_number
from steepest.losses import LOSSES
from steepest.methods import METHODS
from steepest.metrics import METRICS
from steepest.models import PRODUCTS
from steepest.models.source import pinned
from steepest.penalties import PENALTIES
from steepest.techniques import TECHNIQUES

DEFAULT_METHODS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
DEFAULT_PENALTIES = ("none", "l1", "l2", "elastic")

NONE = "none"  # of the techniques
GIVEN = "given"  # in place of a test share: the test rows that came with the data
FIXED = re.compile(r"\d+\s*([:+]|$)|[\w-]+\s*=")  # how a piece between commas begins that belongs to the text before it

PIN = re.compile(r"@[0-9a-f]{12,64}$")  # of a user's own model: the content of its file, which a run's settings keep

# What changes how results are read, not how anything is trained: trainings are kept when these change.
READING = ("metric", "margin", "level")


@dataclass(frozen=True)
class Settings:
    """What a comparison compares, and how.

    methods, penalties: registered names. techniques: "none", names, or several at once as "dropout+smoothing", with
    settings that are then not searched as "dropout:rate=0.3". model: one, or several, in words ("linear", "mlp:64,32").
    Each meets each. trials: random settings each candidate draws in each replicate (beside its defaults). margin: a
    difference of the metric (0 … 1) below which two candidates count as equivalent. level: of the tests. spaces: search
    spaces other than the declared ones, "adam.rate" → (low, high).
    products: how models multiply, "float32", "bfloat16" (`Recipe.products`), or "auto": `plan` decides by the device.
    test: a share of the rows, or "given" for the test rows that came with the data: the verdict is then for this
    training set. attack: how test rows are attacked for a second outcome, as "fgsm:size=0.1"; None: they are not.

    >>> Settings(techniques="none,dropout:rate=0.3+smoothing", model="linear,mlp:64,32").models
    ('linear', 'mlp:64,32')
    """

    methods: tuple[str, ...] = DEFAULT_METHODS
    penalties: tuple[str, ...] = DEFAULT_PENALTIES
    techniques: tuple[str, ...] = (NONE,)
    model: str | tuple[str, ...] = "linear"
    loss: str = "cross-entropy"
    trials: int = 20
    replicates: int = 10
    epochs: int = 20
    seed: int = 0
    batch_size: int = 32
    metric: str = "accuracy"
    margin: float = 0.005
    level: float = 0.05
    test: float | str = 0.25
    validation: float = 0.2
    standardize: bool = True
    spaces: Any = ()
    attack: str | None = None
    products: str = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", _names("method", self.methods, METHODS))
        object.__setattr__(self, "penalties", _names("penalty", self.penalties, PENALTIES))
        object.__setattr__(self, "techniques", _techniques(self.techniques))
        first, *more = (pinned(text) for text in texts("model", self.model))
        object.__setattr__(self, "model", (first, *more) if more else first)
        object.__setattr__(self, "spaces", _spaces(self.spaces))
        for name, known in (("loss", LOSSES), ("metric", METRICS)):
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known)
        if self.products not in PRODUCTS:
            raise unknown("products", str(self.products), PRODUCTS)
        if self.loss == "multi-task":
            raise SettingError(
                "loss = multi-task is for several labels, and a comparison is of the first; let the others help it by "
                "techniques = none,multi-task (steepest fit trains on all)"
            )
        if self.loss == "squared":
            raise SettingError(
                "loss = squared is for numbers to predict; a comparison is of classes: take cross-entropy, hinge …"
            )
        for name, least in (("trials", 1), ("replicates", 2), ("epochs", 1), ("batch_size", 1), ("seed", 0)):
            more = " (5 or more for a verdict)" if name == "replicates" else ""
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least, more))
        if self.test == GIVEN and self.metric == "f1":
            raise SettingError("metric f1 is no mean over rows, so test = given cannot judge it; use balanced")
        for name, low, high in (("margin", 0, 0.2), ("level", 0, 1), ("test", 0, 1), ("validation", 0, 1)):
            value = getattr(self, name)
            if name == "test" and value == GIVEN:
                continue
            if isinstance(value, str):
                raise SettingError(f"{name} = {value!r}; it must be a share{' or given' if name == 'test' else ''}")
            if not (math.isfinite(value) and low <= value < high) or (name != "margin" and value == 0):
                share = "; it is a share: half a point is 0.005" if name == "margin" else ""
                left = "[" if name == "margin" else "("
                raise SettingError(f"{name} = {value}; it must be in {left}{low}, {high}){share}")

    @property
    def models(self) -> tuple[str, ...]:
        """Every model, also where there is one."""
        return (self.model,) if isinstance(self.model, str) else self.model

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        made = dataclasses.asdict(self)
        return {
            **made,
            "methods": list(self.methods),
            "penalties": list(self.penalties),
            "techniques": list(self.techniques),
            "model": self.model if isinstance(self.model, str) else list(self.model),
            "spaces": {name: [low, high] for name, low, high in self.spaces},
        }

    def training(self) -> dict[str, Any]:
        """What decides the trainings: all but how results are read."""
        # a run without these keeps the key it had before there were any
        newer = {"techniques": [NONE], "attack": None, "products": "float32"}
        values = {name: value for name, value in self.as_dict().items() if name not in READING}
        return {name: value for name, value in values.items() if name not in newer or value != newer[name]}


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


def candidate_name(method: str, penalty: str, technique: str = NONE, model: str | None = None) -> str:
    """What a candidate is called; no technique is not said, nor the model where there is but one (None).

    >>> candidate_name("adam", "l2"), candidate_name("adam", "l2", "dropout", "mlp:64")
    ('adam+l2', 'adam+l2, dropout, mlp:64')
    """
    more = [technique] if technique != NONE else []
    return ", ".join([f"{method}+{penalty}", *more, *([] if model is None else [model_name(model)])])


def model_name(text: str) -> str:
    """`net.py:net` of `net.py:net@3f2a91c04b7d`; other models as they are."""
    return PIN.sub("", text)


def texts(what: str, given: str | Sequence[str]) -> tuple[str, ...]:
    """Texts between commas, where a piece that begins with a digit or is `name=value` belongs to the text before it.

    >>> texts("model", "linear, mlp:128,64:tanh"), texts("technique", "augment:shift=0.1,rotate=10+smoothing,none")
    (('linear', 'mlp:128,64:tanh'), ('augment:shift=0.1,rotate=10+smoothing', 'none'))

    Raises SettingError for none at all, for one that is given twice, and for what is no text.
    """
    made: list[str] = []
    for text in [given] if isinstance(given, str) else given:
        if not isinstance(text, str):
            raise SettingError(f"{what} {text!r}; a comparison takes texts, for it searches the settings itself")
        pieces = [piece.strip() for piece in text.split(",")]
        for place, piece in enumerate(pieces):
            if place and made and FIXED.match(piece):
                made[-1] += f",{piece}"
            elif piece:
                made.append(piece)
    if not made:
        raise SettingError(f"no {what} to compare; name one")
    for text in made:
        if made.count(text) > 1:
            raise SettingError(f"{what} {text} is named twice")
    return tuple(made)


def technique_parts(text: str) -> tuple[str, ...]:
    """What a text combines: `dropout:rate=0.3+smoothing` is ("dropout:rate=0.3", "smoothing"), and `none` is nothing.

    >>> technique_parts("weight-noise:scale=1e+1+smoothing"), technique_parts("none")
    (('weight-noise:scale=1e+1', 'smoothing'), ())
    """
    return () if text == NONE else tuple(part.strip() for part in re.split(r"\+(?!\d)", text))


def technique_name(part: str) -> str:
    """`dropout` of `dropout:rate=0.3`."""
    return part.partition(":")[0].strip()


def technique_owners(text: str) -> dict[str, str]:
    """Each technique of a text by what its values are named after: the second dropout's are `dropout2.rate` …

    >>> technique_owners("dropout:layers=1+smoothing+dropout:layers=2")
    {'dropout': 'dropout:layers=1', 'smoothing': 'smoothing', 'dropout2': 'dropout:layers=2'}
    """
    made: dict[str, str] = {}
    names: list[str] = []
    for part in technique_parts(text):
        names.append(technique_name(part))
        place = names.count(names[-1])
        owner = names[-1] if place == 1 else f"{names[-1]}{place}"
        if owner in made:  # only where somebody else's technique has such a name
            raise SettingError(f"technique {text}: two would be called {owner}, and a comparison searches by name")
        made[owner] = part
    return made


def _techniques(given: str | Sequence[str]) -> tuple[str, ...]:
    """Techniques as texts; names nobody knows are refused, and none beside others."""
    made = texts("technique", given)
    for text in made:
        names = [technique_name(part) for part in technique_parts(text)]
        if "" in names:
            raise SettingError(f"technique {text}: there is a plus with nothing beside it; write dropout+augment")
        for name in names:
            if name == NONE:
                raise SettingError(f"technique {text}: none is no technique at all, so it goes with no other")
            if name not in TECHNIQUES:
                raise unknown("technique", name, [NONE, *TECHNIQUES])
    return made


def _spaces(given: Any) -> tuple[tuple[str, float, float], ...]:
    """Search spaces as ("adam.rate", low, high), from those or from "adam.rate" → (low, high)."""
    try:
        entries = [(name, *ends) for name, ends in given.items()] if isinstance(given, Mapping) else list(given)
        return tuple((str(name), float(low), float(high)) for name, low, high in entries)
    except (TypeError, ValueError):
        raise SettingError(f"spaces = {given!r}; write them as {{'adam.rate': (1e-4, 1.0)}}") from None
