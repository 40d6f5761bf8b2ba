"""Random search: the trials a candidate draws from its declared spaces, and whether their optimum lies at an edge.

Trials are independent draws from the prior, not a Sobol sequence, a Latin hypercube or a grid, for three reasons:
`expected_best` is unbiased only for exchangeable draws; the first n of N trials are then exactly what a budget of n
would have drawn, so a study can be extended; and the luck of the draw stays part of what the replicates measure.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from steepest.core.errors import SettingError
from steepest.core.hyper import Space
from steepest.core.keys import generator


def draw_trials(
    spaces: Mapping[str, Space], trials: int, seed: int, replicate: int, candidate: str
) -> list[dict[str, float]]:
    """The hyperparameter values of a candidate's trials in one replicate, drawn from its spaces (name → Space).

    Nested search (own draws in every replicate and for every candidate): the luck of the search is part of the result.
    The draws are fixed by (seed, replicate, candidate); more trials only add to them. Each value lies within its space.
    A candidate without spaces gets `trials` empty settings. **Raises** SettingError for fewer than one trial.

    >>> draw_trials({"rate": Space(1e-4, 1.0, log=True)}, 2, seed=0, replicate=3, candidate="sgd × none")[0].keys()
    dict_keys(['rate'])
    """
    if trials < 1:
        raise SettingError(f"trials = {trials}; a search needs at least 1")
    for name, space in spaces.items():
        if not space.low < space.high or (space.log and space.low <= 0):
            raise SettingError(
                f"search space of {candidate}.{name} is {space}; it needs low < high, above 0 where logarithmic"
            )
    # One row a trial, so that the first trials do not depend on how many follow.
    quantiles = generator(seed, replicate, f"search {candidate}").random((trials, len(spaces)))
    return [{name: _within(space, float(u)) for (name, space), u in zip(spaces.items(), row)} for row in quantiles]


def at_edge(space: Space, best: float | Sequence[float], share: float = 0.1) -> str | None:
    """The end of its space, "low" or "high", that an optimum lies within `share` of the (log-)width of; else None.

    `best` is one value or, better, the winners of all replicates, of which the median counts: a hyperparameter that
    does not matter puts one winner at an edge in 20 % of studies, the median of 10 in 0.3 %. The share is 0.1 and not
    less, since the best of 20 draws that want to go beyond an end lies within 0.1 of it in 88 % of searches, within
    0.05 in 64 %.

    >>> at_edge(Space(1e-4, 1.0, log=True), 0.9), at_edge(Space(1e-4, 1.0, log=True), [0.9, 0.01, 0.02])
    ('high', None)
    """
    values = [float(best)] if isinstance(best, int | float) else [float(value) for value in best]
    if not values:
        raise SettingError("at_edge needs at least one value")
    middle = statistics.median(_position(space, value) for value in values)
    low, high = _position(space, space.low), _position(space, space.high)  # of few whole numbers these are far apart
    if middle <= max(share, low):
        return "low"
    return "high" if middle >= min(1 - share, high) else None


def _within(space: Space, quantile: float) -> float:
    """The value at a quantile; exp and log round, and a rounded value must not leave the space."""
    return min(max(space.at(quantile), space.low), space.high)


def _position(space: Space, value: float) -> float:
    """The quantile of a value; 0 and below have none on a logarithmic scale and lie beyond the low end."""
    return 0.0 if space.log and value <= 0 else space.position(value)
