"""Hyperparameters: a default, a domain that is enforced, and a search space that only guides a comparison.

A hyperparameter is a *leaf* of a recipe: its value never decides what is compiled, so a thousand values of it train
in one program. `rate(0.01)`, `fraction(0.9)`, `strength(1e-4)` … are dataclass fields; `core.spec` turns the class
they stand in into a frozen pytree.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

from steepest.core.errors import SettingError, unknown

Hyper = Any  # a real number; inside a population an array with one entry a member


@dataclasses.dataclass(frozen=True)
class Domain:
    """The values a hyperparameter may take: an interval, each end open or closed."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below and math.isfinite(value) and not (self.whole and value != int(value))

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a finite number"
        if self.low == -math.inf and self.high == math.inf:
            return kind
        if self.high == math.inf:
            return f"{kind} {'above' if self.open_low else 'of at least'} {self.low:g}"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{kind} in {left}{self.low:g}, {self.high:g}{right}"


@dataclasses.dataclass(frozen=True)
class Space:
    """Where a comparison looks for good values: log-uniform, or uniform, between two bounds, both among them.

    `whole`: among whole numbers, each as likely as what rounds to it of the prior between low − ½ and high + ½. So all
    are equally likely where that is uniform, the ends too; where it is log-uniform, k is by about 1/k.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, u: float) -> float:
        """The value at quantile u of the prior.

        >>> round(Space(1e-4, 1.0, log=True).at(0.5), 6), [Space(2, 4, whole=True).at(u) for u in (0.3, 0.4, 0.7)]
        (0.01, [2.0, 3.0, 4.0])
        """
        low, high = self._ends
        if self.log:
            value = math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
        else:
            value = low + u * (high - low)
        return float(min(max(math.floor(value + 0.5), self.low), self.high)) if self.whole else value

    def position(self, value: float) -> float:
        """The quantile of a value: the inverse of `at`; of a whole number, the middle of those it has."""
        low, high = self._ends
        if not self.log:
            return (value - low) / (high - low)
        if self.whole:
            value = math.sqrt((value - 0.5) * (value + 0.5))
        return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))

    @property
    def _ends(self) -> tuple[float, float]:
        """Where the prior begins and ends, before it is rounded."""
        return (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)

    def __str__(self) -> str:
        kind = "log-uniform" if self.log else "uniform"
        return f"{kind} {self.low:g} … {self.high:g}{', whole numbers' if self.whole else ''}"


def hyper(default: Any, domain: Domain, space: Space | None = None) -> Any:
    """A hyperparameter field: default, enforced domain, search space (where it has one; whole as the domain is)."""
    if space is not None and domain.whole:
        space = dataclasses.replace(space, whole=True)
    return dataclasses.field(default=default, metadata={"domain": domain, "space": space})


def rate(default: float, low: float = 1e-4, high: float = 1.0) -> Any:
    """A learning rate: finite and above 0, searched log-uniformly."""
    return hyper(default, Domain(low=0.0, open_low=True), Space(low, high, log=True))


def strength(default: float, low: float = 1e-6, high: float = 1e-1) -> Any:
    """A penalty's strength: at least 0, searched log-uniformly."""
    return hyper(default, Domain(low=0.0), Space(low, high, log=True))


def fraction(default: float, space: Space | None = None) -> Any:
    """A share or a decay: in [0, 1)."""
    return hyper(default, Domain(low=0.0, high=1.0, open_high=True), space)


def positive(default: float, space: Space | None = None) -> Any:
    """Any finite number above 0."""
    return hyper(default, Domain(low=0.0, open_low=True), space)


def count(default: int, low: int = 1, space: Space | None = None) -> Any:
    """A whole number of epochs, steps or times, at least `low`."""
    return hyper(default, Domain(low=float(low), whole=True), space)


def choice(words: Iterable[str], default: str | None = None) -> Any:
    """A setting that is one of some words: by default the first, unless another is named. The words are enforced."""
    words = tuple(words)
    return dataclasses.field(default=words[0] if default is None else default, metadata={"choices": words})


def part(default: Any = dataclasses.MISSING, **kwargs: Any) -> Any:
    """A field that holds another specification, or a tree of arrays: its leaves become leaves of the whole."""
    return dataclasses.field(default=default, metadata={"part": True}, **kwargs)


def several() -> Any:
    """A field that holds a tuple of numbers, each a leaf, as many as its owner says; it checks them itself."""
    return dataclasses.field(default=(), metadata={"part": True, "numbers": True})


def check_choice(owner: str, field: dataclasses.Field[Any], value: Any) -> None:
    """Refuse a word that is not one of the field's."""
    if str(value) not in field.metadata["choices"]:
        raise unknown(f"{owner}.{field.name}", str(value), field.metadata["choices"])


def check_value(owner: str, field: dataclasses.Field[Any], value: Any) -> None:
    """Refuse a value outside the field's domain. Arrays (a population's column) pass: their entries were checked."""
    domain: Domain = field.metadata["domain"]
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        if hasattr(value, "shape") or type(value) is object:
            return  # a column of a population, a tracer, or a placeholder of jax's tree functions
        raise SettingError(f"{owner}.{field.name} = {value!r}; it must be {domain}")
    if float(value) not in domain:
        raise SettingError(f"{owner}.{field.name} = {float(value):g}; it must be {domain}")
