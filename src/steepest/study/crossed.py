"""Paired comparison on a test set that came with the data: the variance of seeds crossed with that of examples.

Replicates then share training and test rows; only their seeds (order, initial weights, validation rows) differ.
Seeds alone would say how sure we are *on these rows*: over 5 or 10 of them a paired t calls equal methods different in
half of all studies. What generalises to new rows must count the examples' chance too.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from steepest.core.errors import SettingError
from steepest.study.statistics import (
    EQUIVALENT,
    FEWEST_REPLICATES,
    UNDETERMINED,
    Interval,
    Pair,
    check_level,
    check_margin,
    holm,
    verdict,
)


class Crossed(NamedTuple):
    """The mean of a table [seeds, examples], its standard error and degrees of freedom."""

    mean: float
    error: float
    freedom: float


def crossed(table: np.ndarray) -> Crossed:
    """The mean of a table [seeds ≥ 2, examples ≥ 2] whose rows and columns are both drawn by chance.

    **Equation** (two-way random effects, e.g. Searle, Casella and McCulloch, *Variance Components*, 1992; degrees of
    freedom by Satterthwaite 1946), with the mean squares of seeds, examples and the residual:

        Var(mean) = (MS_s + MS_e − MS_r) / (S·E),   at least MS_s / (S·E) and MS_e / (S·E)

    >>> crossed(np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])).mean.__round__(3)
    0.833
    """
    return _crossed(table.mean(axis=1), table.mean(axis=0), _squares(table.ravel()))


def _crossed(by_seed: np.ndarray, by_example: np.ndarray, squares: float) -> Crossed:
    """`crossed` from what it needs of a table: the means of its rows and columns, and its sum of squares."""
    seeds, examples = len(by_seed), len(by_example)
    mean = float(by_seed.mean())
    of_seeds, of_examples = by_seed - mean, by_example - mean
    ss_seed = examples * _squares(of_seeds)
    ss_example = seeds * _squares(of_examples)
    ss_rest = max(squares - seeds * examples * mean**2 - ss_seed - ss_example, 0.0)  # below 0 by rounding only
    ms_seed, ms_example = ss_seed / (seeds - 1), ss_example / (examples - 1)
    ms_rest = ss_rest / ((seeds - 1) * (examples - 1))
    variance = max(ms_seed + ms_example - ms_rest, ms_seed, ms_example)
    if variance <= 0:
        return Crossed(mean, 0.0, float(seeds - 1))
    spread = ms_seed**2 / (seeds - 1) + ms_example**2 / (examples - 1)
    if variance == ms_seed + ms_example - ms_rest:
        spread += ms_rest**2 / ((seeds - 1) * (examples - 1))
    freedom = max(variance**2 / spread, seeds - 1)
    return Crossed(mean, math.sqrt(variance / (seeds * examples)), freedom)


def _squares(values: np.ndarray) -> float:
    """Their sum. Not by BLAS: its threads, many times a second, wait longer for one another than they work."""
    return float(np.einsum("i,i->", values, values))


def compare_crossed(scores: Any, margin: float = 0.005, level: float = 0.05) -> list[Pair]:
    """Every pair of candidates compared on one test set over seeds: one `Pair` for each i < j, in that order.

    **Shapes** scores [seeds ≥ 2, candidates ≥ 2, examples ≥ 2]: what each example adds to the score's mean, 0 or 1 for
    accuracy. The difference of two candidates is `crossed`; Holm's p, the interval and the verdict are as in
    `compare_paired`, below 5 seeds "undetermined". Identical scores are equivalent with p = 1.

    **Raises** SettingError for other shapes, for NaN, and for a margin or level out of range.
    """
    table = _checked(scores, margin, level)
    seeds, candidates, _ = table.shape
    places = list(itertools.combinations(range(candidates), 2))
    found = _differences(table)
    plain = [1.0 if f.error == 0 else float(2 * special.stdtr(f.freedom, -abs(f.mean) / f.error)) for f in found]
    pairs = []
    for (i, j), f, p in zip(places, found, holm(plain)):
        half = float(special.stdtrit(f.freedom, 1 - level / 2)) * f.error
        pair = Pair(i, j, f.mean, f.mean - half, f.mean + half, float(p), UNDETERMINED)
        if seeds >= FEWEST_REPLICATES and (f.error > 0 or f.mean == 0):
            pair = pair.judged(verdict(pair, margin, level) if f.error > 0 else EQUIVALENT)
        pairs.append(pair)
    return pairs


def _differences(table: np.ndarray) -> list[Crossed]:
    """`crossed` of every pair's difference.

    Means of differences are differences of means; only the sum of squares needs every example of a pair, in one pass.
    """
    by_seed, by_example = table.mean(axis=2), table.mean(axis=0)  # [seeds, candidates], [candidates, examples]
    whole = np.ascontiguousarray(table.swapaxes(0, 1)).reshape(table.shape[1], -1)
    difference = np.empty_like(whole[0])
    found = []
    for i, j in itertools.combinations(range(len(whole)), 2):
        np.subtract(whole[i], whole[j], out=difference)
        found.append(_crossed(by_seed[:, i] - by_seed[:, j], by_example[i] - by_example[j], _squares(difference)))
    return found


def interval_crossed(scores: Any, level: float = 0.05) -> Interval:
    """The mean of one candidate's scores [seeds, examples] and its 1 − level interval, kept inside 0 … 1."""
    table = _checked(np.asarray(scores, dtype=float)[:, None], 0.0, level, fewest=1)[:, 0]
    mean, error, freedom = crossed(table)
    half = float(special.stdtrit(freedom, 1 - level / 2)) * error
    return Interval(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def _checked(scores: Any, margin: float, level: float, fewest: int = 2) -> np.ndarray:
    """Scores as float64 [seeds, candidates, examples], or the error that says what is wrong."""
    table = np.asarray(scores, dtype=float)
    if table.ndim != 3 or table.shape[0] < 2 or table.shape[1] < fewest or table.shape[2] < 2:
        raise SettingError(
            f"scores have shape {table.shape}; they must be [seeds, candidates, examples], at least 2 of each"
        )
    if np.isnan(table).any():
        seed, candidate, example = np.argwhere(np.isnan(table))[0]
        raise SettingError(f"score of seed {seed}, candidate {candidate}, example {example} is NaN")
    check_margin(margin)
    check_level(level)
    return table
