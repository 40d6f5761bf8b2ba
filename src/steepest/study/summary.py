"""From the trainings of a comparison to its answer: cells, pairs, warnings, verdict. Pure functions on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.methods import METHODS
from steepest.study.candidates import Candidate
from steepest.study.settings import Settings
from steepest.study.space import at_edge
from steepest.study.statistics import Pair, compare_paired, expected_best, interval, without_verdict
from steepest.study.verdict import Design, Family, search_space_suspect, sentence


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was measured, [replicates, candidates, 1 + trials] each; entry 0 of the last axis is the defaults."""

    validation: np.ndarray  # the metric on validation rows
    loss: np.ndarray  # on validation rows, inf where it is not a number
    test: np.ndarray  # the metric on test rows
    diverged: np.ndarray  # bool
    values: Sequence[Sequence[Sequence[Mapping[str, float]]]]  # the hyperparameters


@dataclass(frozen=True, eq=False)
class Answer:
    """What a comparison found; `cells` and `pairs` are plain dicts, ready for JSON."""

    cells: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    families: list[dict[str, Any]]
    verdict: str
    warnings: list[str]
    recommended: dict[str, Any]


def summarise(settings: Settings, made: Sequence[Candidate], got: Outcomes, n_train: float, n_test: float) -> Answer:
    """The answer of a comparison.

    In each replicate every candidate picks the trial with the best validation score (ties: the lower validation loss)
    and is scored with it on the test rows; a method picks among the trials of all its candidates, and so does a penalty.
    """
    design = Design(
        settings.replicates, settings.trials, n_train, n_test, settings.margin, settings.level, settings.metric
    )
    best = np.array([pick(got, [c]) for c in range(len(made))])  # [candidates, replicates, 2]
    cell_scores = _scores(got, best)
    cells = [_cell(settings, made[c], c, got, best[c], cell_scores[:, c], design) for c in range(len(made))]
    families, pairs = [], []
    for factor, names, of in (
        ("method", settings.methods, lambda c: c.method),
        ("penalty", settings.penalties, lambda c: c.penalty),
    ):
        picks = np.array([pick(got, [i for i, c in enumerate(made) if of(c) == name]) for name in names])
        families.append(_family(factor, names, _scores(got, picks), design))
    for family in families:
        pairs += [_named(pair, family.factor, family.names) for pair in family.pairs]
    names = tuple(candidate.name for candidate in made)
    pairs += [_named(pair, "cell", names) for pair in _pairs(cell_scores, design)]
    return Answer(
        cells=cells,
        pairs=pairs,
        families=[
            _family_row(family, picks_of, design)
            for family, picks_of in zip(families, _family_scores(settings, made, got))
        ],
        verdict=sentence(families, design),
        warnings=_warnings(families[0], cells, settings),
        recommended=_recommended(made, cells, got, best),
    )


def pick(got: Outcomes, members: Sequence[int]) -> np.ndarray:
    """[replicates, 2]: the candidate among `members`, and its trial, with the best validation score in each replicate."""
    score = got.validation[:, members, 1:]
    loss = got.loss[:, members, 1:]
    replicates, _, trials = score.shape
    flat_score, flat_loss = score.reshape(replicates, -1), loss.reshape(replicates, -1)
    chosen = np.lexsort((flat_loss, -flat_score), axis=1)[:, 0]
    return np.stack([np.asarray(members)[chosen // trials], 1 + chosen % trials], axis=1)


def _scores(got: Outcomes, picks: np.ndarray) -> np.ndarray:
    """Test scores [replicates, entries] of the picked trials; picks [entries, replicates, 2]."""
    replicate = np.arange(got.test.shape[0])
    return np.stack([got.test[replicate, p[:, 0], p[:, 1]] for p in picks], axis=1)


def _family_scores(settings: Settings, made: Sequence[Candidate], got: Outcomes) -> list[np.ndarray]:
    groups: list[tuple[tuple[str, ...], Callable[[Candidate], str]]] = [
        (settings.methods, lambda c: c.method),
        (settings.penalties, lambda c: c.penalty),
    ]
    return [
        _scores(got, np.array([pick(got, [i for i, c in enumerate(made) if of(c) == name]) for name in names]))
        for names, of in groups
    ]


def _pairs(scores: np.ndarray, design: Design) -> list[Pair]:
    if scores.shape[1] < 2:
        return []
    pairs = compare_paired(scores, design.n_train, design.n_test, design.margin, design.level)
    return without_verdict(pairs) if design.estimates_only else pairs


def _family(factor: str, names: tuple[str, ...], scores: np.ndarray, design: Design) -> Family:
    return Family(factor, names, tuple(scores.mean(axis=0).tolist()), tuple(_pairs(scores, design)))


def _family_row(family: Family, scores: np.ndarray, design: Design) -> dict[str, Any]:
    """A family for reports: each member's mean test score with its interval."""
    return {
        "factor": family.factor,
        "members": [{"name": name, **_mean(scores[:, i], design)} for i, name in enumerate(family.names)],
    }


def _mean(values: np.ndarray, design: Design) -> dict[str, Any]:
    found = interval(values, design.n_train, design.n_test, design.level)
    return {"mean": found.mean, "low": found.low, "high": found.high, "values": values.tolist()}


def _named(pair: Pair, factor: str, names: Sequence[str]) -> dict[str, Any]:
    return {"factor": factor, **pair.as_dict(), "a": names[pair.a], "b": names[pair.b]}


def _cell(
    settings: Settings,
    candidate: Candidate,
    c: int,
    got: Outcomes,
    best: np.ndarray,
    scores: np.ndarray,
    design: Design,
) -> dict[str, Any]:
    defaults = got.test[:, c, 0]
    winner = _most_promising(got, best)
    replicate, trial = winner, int(best[winner, 1])
    winners = [got.values[r][c][int(best[r, 1])] for r in range(len(best))]
    warnings = []
    for name, space in candidate.spaces.items():
        end = at_edge(space, [values[name] for values in winners])
        if end is not None:
            owner = (
                candidate.method if name in got.values[0][c][1] and _is_method(candidate, name) else candidate.penalty
            )
            warnings.append(
                f"best {name} lies at the {end} edge of its space ({space}); widen it: --space {owner}.{name}=LOW:HIGH"
            )
    return {
        "method": candidate.method,
        "penalty": candidate.penalty,
        "default": {"mean": float(defaults.mean()), "values": defaults.tolist()},
        "tuned": {
            "hyperparameters": dict(got.values[replicate][c][trial]),
            "validation": float(got.validation[replicate, c, trial]),
        },
        "test": _mean(scores, design),
        "expected_best": expected_best(got.validation[:, c, 1:]).mean(axis=0).tolist(),
        "diverged": int(got.diverged[:, c].sum()),
        "warnings": warnings,
    }


def _is_method(candidate: Candidate, name: str) -> bool:
    return name in METHODS[candidate.method].__dataclass_fields__


def _most_promising(got: Outcomes, best: np.ndarray) -> int:
    """The replicate whose winner is recommended: best on its validation rows, less how easy those rows are.

    Replicates differ in how hard their validation rows are; the candidates' defaults, which are the same recipes in
    every replicate, tell by how much.
    """
    replicate = np.arange(len(best))
    ease = got.validation[:, :, 0].mean(axis=1)
    score = got.validation[replicate, best[:, 0], best[:, 1]] - ease
    loss = got.loss[replicate, best[:, 0], best[:, 1]]
    return int(np.lexsort((loss, -score))[0])


def _recommended(
    made: Sequence[Candidate], cells: Sequence[dict[str, Any]], got: Outcomes, best: np.ndarray
) -> dict[str, Any]:
    """The cell whose winners do best on validation rows, with its recommended setting. No test score chooses."""
    replicate = np.arange(got.test.shape[0])
    means = [got.validation[replicate, p[:, 0], p[:, 1]].mean() for p in best]
    losses = [got.loss[replicate, p[:, 0], p[:, 1]].mean() for p in best]
    c = int(np.lexsort((losses, -np.array(means)))[0])
    return {"method": made[c].method, "penalty": made[c].penalty, **cells[c]["tuned"]}


def _warnings(methods: Family, cells: Sequence[dict[str, Any]], settings: Settings) -> list[str]:
    contains = {name: METHODS[name].contains for name in methods.names}
    suspects = search_space_suspect(methods.pairs, methods.names, contains, settings.metric)
    return suspects + [f"{cell['method']}+{cell['penalty']}: {text}" for cell in cells for text in cell["warnings"]]
