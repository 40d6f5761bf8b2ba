"""Paired comparison of candidates over replicates: intervals, tests and verdicts. Pure functions on arrays, NumPy only.

Why not the usual paired t: the training sets of two replicates overlap, so their differences are correlated and the
naive variance S²/s is too small (a nominal 5 % test then errs in 19–34 % of studies of 5–10 replicates). Nadeau and
Bengio's correction puts the overlap back; Holm's keeps the whole family of pairs at the level.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from steepest.core.errors import SettingError

BETTER, WORSE, EQUIVALENT, UNDETERMINED = "better", "worse", "equivalent", "undetermined"
FEWEST_REPLICATES = 5  # below this only estimates, never a verdict


@dataclasses.dataclass(frozen=True)
class Pair(Mapping[str, Any]):
    """The comparison of candidates a and b, from a's side; read as `pair.verdict` or `pair["verdict"]`.

    `difference` is the mean of a − b over the replicates, `low` and `high` its plain interval, `p` Holm's p value.
    """

    a: int
    b: int
    difference: float
    low: float
    high: float
    p: float
    verdict: str

    def __getitem__(self, name: str) -> Any:
        if name in self.__dataclass_fields__:
            return getattr(self, name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dataclass_fields__)

    def __len__(self) -> int:
        return len(self.__dataclass_fields__)

    def as_dict(self) -> dict[str, Any]:
        """A plain dict with the seven fields, ready for JSON."""
        return dataclasses.asdict(self)

    @property
    def half_width(self) -> float:
        """Half the interval's width: the number behind the ±."""
        return (self.high - self.low) / 2

    def judged(self, verdict: str) -> Pair:
        """The same estimate with a verdict."""
        return dataclasses.replace(self, verdict=verdict)

    def turned(self) -> Pair:
        """The same comparison from b's side."""
        other = {BETTER: WORSE, WORSE: BETTER}.get(self.verdict, self.verdict)
        return Pair(self.b, self.a, -self.difference, -self.high, -self.low, self.p, other)


class Interval(NamedTuple):
    """A mean score and its confidence interval."""

    mean: float
    low: float
    high: float


def compare_paired(
    scores: Any, n_train: float, n_test: float, margin: float = 0.005, level: float = 0.05
) -> list[Pair]:
    """Every pair of candidates compared over paired replicates: one `Pair` for each i < j, in that order.

    **Equation** (Nadeau and Bengio, *Inference for the generalization error*, Machine Learning 52, 2003), for the
    differences d₁ … d_s of two candidates over s replicates, with mean d̄ and variance S² (divisor s − 1):

        t = d̄ / √((1/s + n_test/n_train) · S²),   s − 1 degrees of freedom

    **Family** (Holm, *A simple sequentially rejective multiple test procedure*, Scand. J. Statist. 6, 1979): of m
    pairs with p₍₁₎ ≤ … ≤ p₍ₘ₎, the adjusted p₍ₖ₎ is max over j ≤ k of (m − j + 1)·p₍ⱼ₎, at most 1. `p` is adjusted
    over all pairs of the call; `low` and `high` are the plain 1 − level interval, not adjusted.

    **Verdict**, from a's side, first that holds: below 5 replicates "undetermined"; a difference that is constant
    over the replicates and not zero "undetermined" (its chance cannot be judged; p = 1); the interval inside ±margin
    "equivalent" (so are identical scores: p = 1, interval [0, 0]); Holm's p ≤ level "better" or "worse"; else
    "undetermined".

    **Shapes** scores [replicates ≥ 2, candidates ≥ 2], each in 0 … 1; row r holds what all candidates scored under
    replicate r. n_train and n_test are the rows of each part, above 0: those that set the weights, and those that
    were scored. `margin` ≥ 0 and `difference` are in units of the score: 0.005 is half a point of accuracy.

    **Raises** SettingError (a ValueError) for NaN, naming replicate and candidate, and for anything out of the ranges
    above.

    >>> pairs = compare_paired([[0.90, 0.80], [0.91, 0.82], [0.89, 0.80], [0.92, 0.81], [0.90, 0.81]], 300, 100)
    >>> pairs[0].verdict, round(pairs[0]["difference"], 3)
    ('better', 0.096)
    """
    table = checked(scores, n_train, n_test, level)
    check_margin(margin)
    replicates, candidates = table.shape
    first, second = np.triu_indices(candidates, k=1)
    differences = table[:, first] - table[:, second]
    mean = differences.mean(axis=0)
    # Scores are counts over n_test: what moves by less than a thousandth of a row is rounding (float32 scores too),
    # not chance.
    rounding = min(1e-3 / n_test, 5e-7)
    constant = np.ptp(differences, axis=0) <= rounding
    equal = constant & (np.abs(mean) <= rounding)
    mean = np.where(equal, 0.0, mean)
    spread = np.where(constant, 0.0, differences.std(axis=0, ddof=1))
    error = spread * factor(replicates, n_train, n_test)
    t = np.abs(mean) / np.where(constant, 1.0, error)
    plain = np.where(constant, 1.0, 2 * special.stdtr(replicates - 1, -t))
    adjusted = holm(plain)
    half = quantile(replicates, level) * error
    pairs = []
    for k in range(len(first)):
        pair = Pair(
            int(first[k]),
            int(second[k]),
            float(mean[k]),
            float(mean[k] - half[k]),
            float(mean[k] + half[k]),
            float(adjusted[k]),
            UNDETERMINED,
        )
        if replicates >= FEWEST_REPLICATES and (equal[k] or not constant[k]):
            pair = pair.judged(verdict(pair, margin, level))
        pairs.append(pair)
    return pairs


def verdict(pair: Pair, margin: float, level: float) -> str:
    """What the interval and Holm's p say, equivalence first."""
    if -margin <= pair.low and pair.high <= margin:
        return EQUIVALENT
    if pair.p <= level:
        return BETTER if pair.difference > 0 else WORSE
    return UNDETERMINED


def holm(p: Any) -> np.ndarray:
    """Holm's step-down adjustment of a family of p values [m], in the order given (Holm 1979).

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def interval(values: Any, n_train: float, n_test: float, level: float = 0.05) -> Interval:
    """The mean of one candidate's scores [replicates ≥ 2] and its 1 − level interval, kept inside 0 … 1.

    mean ± t₍s−1₎ · √((1/s + n_test/n_train) · S²), the variance of `compare_paired`. It says where the candidate's
    mean score lies on data of this kind; two such intervals that overlap say nothing about their difference, which is
    paired.

    >>> interval([0.9, 0.9, 0.9], n_train=300, n_test=100)
    Interval(mean=0.9, low=0.9, high=0.9)
    """
    column = checked(np.asarray(values, dtype=float)[..., None], n_train, n_test, level, fewest=1)[:, 0]
    mean = math.fsum(column) / len(column)
    half = float(quantile(len(column), level) * column.std(ddof=1) * factor(len(column), n_train, n_test))
    if np.ptp(column) == 0:
        return Interval(float(column[0]), float(column[0]), float(column[0]))
    return Interval(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def without_verdict(pairs: list[Pair]) -> list[Pair]:
    """The same estimates with every verdict withheld (a search of too few trials gives none)."""
    return [pair.judged(UNDETERMINED) for pair in pairs]


def factor(replicates: int, n_train: float, n_test: float) -> float:
    """√(1/s + n_test/n_train): from the spread of differences to the standard error of their mean."""
    return math.sqrt(1 / replicates + n_test / n_train)


def quantile(replicates: int, level: float) -> float:
    """The two-sided t quantile with s − 1 degrees of freedom."""
    return float(special.stdtrit(replicates - 1, 1 - level / 2))


def check_margin(margin: float) -> None:
    """Refuse a margin out of its range."""
    if not (math.isfinite(margin) and margin >= 0):
        raise SettingError(f"margin = {margin!r}; it must be a finite number of at least 0 (0.005 is half a point)")


def check_level(level: float) -> None:
    """Refuse a level out of its range."""
    if not 0 < level < 1:
        raise SettingError(f"level = {level!r}; it must lie between 0 and 1 (0.05 is usual)")


def checked(scores: Any, n_train: float, n_test: float, level: float, fewest: int = 2) -> np.ndarray:
    """Scores as float64 [replicates, candidates], or the error that says what is wrong with the arguments."""
    for name, value in (("n_train", n_train), ("n_test", n_test)):
        if not (math.isfinite(value) and value > 0):
            raise SettingError(f"{name} = {value!r}; it must be a number of rows above 0")
    check_level(level)
    try:
        table = np.asarray(scores, dtype=float)
    except (TypeError, ValueError) as error:
        raise SettingError(f"scores must be a table of numbers [replicates, candidates]: {error}") from error
    if table.ndim != 2:
        raise SettingError(f"scores have shape {table.shape}; they must be [replicates, candidates]")
    for axis, what, least in ((0, "replicates", 2), (1, "candidates", fewest)):
        if table.shape[axis] < least:
            raise SettingError(f"scores have {table.shape[axis]} {what}; a comparison needs at least {least}")
    bad = ~((table >= 0) & (table <= 1 + 1e-9))
    if bad.any():
        r, c = np.argwhere(np.isnan(table) if np.isnan(table).any() else bad)[0]
        if np.isnan(table[r, c]):
            raise SettingError(
                f"score of replicate {r}, candidate {c} is NaN; score a diverged training with its last finite weights"
            )
        raise SettingError(f"score of replicate {r}, candidate {c} is {table[r, c]:g}; scores must lie in 0 … 1")
    return table
