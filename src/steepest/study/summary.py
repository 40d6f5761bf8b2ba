"""From the trainings of a comparison to its answer: cells, pairs, warnings, verdict. Pure functions on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.core.hyper import Domain
from steepest.core.spec import hyperparameters
from steepest.methods import METHODS
from steepest.penalties import PENALTIES
from steepest.study.best_of import expected_best
from steepest.study.candidates import Candidate
from steepest.study.crossed import compare_crossed, interval_crossed
from steepest.study.settings import Settings, model_name, technique_name, technique_owners
from steepest.study.space import at_edge
from steepest.study.statistics import Pair, compare_paired, interval, without_verdict
from steepest.study.verdict import Design, Family, search_space_suspect, sentence
from steepest.techniques import TECHNIQUES

LOST = "all of its trainings diverged; search smaller rates, or look at the model and its initial weights"


@dataclass(frozen=True, eq=False)
class Given:
    """What is known of each row of a test set that came with the data."""

    # (replicate, candidate, trial) → which rows it got right, np.packbits, then those it got right under attack
    hits: Mapping[tuple[int, int, int], bytes]
    shares: np.ndarray  # [rows] what a hit adds to the score, times the number of rows

    def rows(self, replicate: int, candidate: int, trial: int, attacked: bool = False) -> np.ndarray:
        """What each row [rows] adds to the score's mean, as it is or attacked."""
        packed = np.frombuffer(self.hits[replicate, candidate, trial], np.uint8)
        place = self._size if attacked else 0
        return np.unpackbits(packed[place:], count=len(self.shares)) * self.shares

    @property
    def attacked(self) -> bool:
        """Whether it is known of attacked rows; runs of earlier versions did not keep it."""
        return all(len(packed) > self._size for packed in self.hits.values())

    @property
    def _size(self) -> int:
        """How many bytes a bit for each row takes."""
        return -(-len(self.shares) // 8)


def shares(y: np.ndarray, metric: str) -> np.ndarray:
    """What a hit in each row adds to a metric, times the number of rows: 1 for accuracy, by class for the balanced one.

    >>> shares(np.array([0, 0, 0, 1]), "balanced").round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    classes, number, counts = np.unique(y, return_inverse=True, return_counts=True)
    return len(y) / (len(classes) * counts[number]) if metric == "balanced" else np.ones(len(y))


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was measured, [replicates, candidates, 1 + trials] each; entry 0 of the last axis is the defaults."""

    validation: np.ndarray  # the metric on validation rows
    loss: np.ndarray  # on validation rows, inf where it is not a number
    test: np.ndarray  # the metric on test rows
    diverged: np.ndarray  # bool
    values: Sequence[Sequence[Sequence[Mapping[str, float]]]]  # the hyperparameters
    attacked: np.ndarray | None = None  # the metric on test rows under attack
    given: Given | None = None  # where the test rows came with the data

    def scores(self, attacked: bool) -> np.ndarray:
        """The metric on test rows as they are, or attacked."""
        found = self.attacked if attacked else self.test
        if found is None:
            raise ValueError("test rows were not attacked")
        return found


@dataclass(frozen=True, eq=False)
class Answer:
    """What a comparison found; `cells` and `pairs` are plain dicts, ready for JSON."""

    cells: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    attacked_pairs: list[dict[str, Any]] | None  # the same by the scores under attack; None where nothing was attacked
    families: list[dict[str, Any]]
    verdict: str
    warnings: list[str]
    recommended: dict[str, Any]


def summarise(settings: Settings, made: Sequence[Candidate], got: Outcomes, n_train: float, n_test: float) -> Answer:
    """The answer of a comparison.

    In each replicate every candidate picks the trial with the best validation score (ties: the lower validation loss)
    and is scored with it on the test rows. A method picks among the trials of all its candidates; so do a penalty, a
    technique and a model.
    """
    s = settings
    design = Design(s.replicates, s.trials, n_train, n_test, s.margin, s.level, s.metric, got.given is not None)
    best = np.array([pick(got, [c]) for c in range(len(made))])  # [candidates, replicates, 2]
    cells = [_cell(candidate, c, got, best[c], design) for c, candidate in enumerate(made)]
    families = _factors(s, made, got)
    judged = [family.judged(design) for family in families]
    cell_names = tuple(candidate.name for candidate in made)
    among_cells = _Scored("cell", cell_names, _scores(got.test, best), _rows(got, best)).judged(design)
    return Answer(
        cells=cells,
        pairs=[_named(pair, family) for family in (*judged, among_cells) for pair in family.pairs],
        attacked_pairs=_attacked_pairs(s, made, got, design),
        families=[family.row(design) for family in families],
        verdict=sentence(judged, design),
        warnings=_warnings(judged[0], cell_names, cells, s.metric),
        recommended=_recommended(cells, got, best),
    )


def _attacked_pairs(
    s: Settings, made: Sequence[Candidate], got: Outcomes, design: Design
) -> list[dict[str, Any]] | None:
    """Pairs by the scores under attack, of the trials that validation rows chose as they are."""
    if got.attacked is None or (got.given is not None and not got.given.attacked):
        return None
    families = [family.judged(design) for family in _factors(s, made, got, attacked=True)]
    return [_named(pair, family) for family in families for pair in family.pairs]


def _factors(s: Settings, made: Sequence[Candidate], got: Outcomes, attacked: bool = False) -> list[_Scored]:
    """Methods and penalties, and techniques and models where there are several; each searches all else along."""
    named = [("method", s.methods), ("penalty", s.penalties)]
    named += [(factor, names) for factor, names in (("technique", s.techniques), ("model", s.models)) if names[1:]]
    scored = []
    for factor, names in named:
        of = [getattr(candidate, factor) for candidate in made]
        picks = np.array([pick(got, [c for c, owner in enumerate(of) if owner == name]) for name in names])
        rows = _rows(got, picks, attacked)
        scored.append(_Scored(factor, tuple(map(model_name, names)), _scores(got.scores(attacked), picks), rows))
    return scored


@dataclass(frozen=True, eq=False)
class _Scored:
    """Things compared with one another, by their test scores [replicates, members]."""

    factor: str
    names: tuple[str, ...]
    scores: np.ndarray
    rows: np.ndarray | None  # [replicates, members, rows] what each row of a given test set adds to the scores

    def judged(self, design: Design) -> Family:
        pairs: list[Pair] = []
        if self.rows is not None and len(self.names) > 1:
            pairs = compare_crossed(self.rows, design.margin, design.level)
        elif len(self.names) > 1:
            pairs = compare_paired(self.scores, design.n_train, design.n_test, design.margin, design.level)
        pairs = without_verdict(pairs) if design.estimates_only else pairs
        return Family(self.factor, self.names, tuple(self.scores.mean(axis=0).tolist()), tuple(pairs))

    def row(self, design: Design) -> dict[str, Any]:
        """For reports: each member's mean test score with its interval."""
        rows = [None] * len(self.names) if self.rows is None else list(self.rows.swapaxes(0, 1))
        members = [{"name": name, **_mean(self.scores[:, i], design, rows[i])} for i, name in enumerate(self.names)]
        return {"factor": self.factor, "members": members}


def pick(got: Outcomes, members: Sequence[int]) -> np.ndarray:
    """[replicates, 2]: in each replicate the best candidate among `members` by validation score, and its trial."""
    score = got.validation[:, members, 1:]
    loss = got.loss[:, members, 1:]
    replicates, _, trials = score.shape
    flat_score, flat_loss = score.reshape(replicates, -1), loss.reshape(replicates, -1)
    chosen = np.lexsort((flat_loss, -flat_score), axis=1)[:, 0]
    return np.stack([np.asarray(members)[chosen // trials], 1 + chosen % trials], axis=1)


def _scores(test: np.ndarray, picks: np.ndarray) -> np.ndarray:
    """Test scores [replicates, entries] of the picked trials; picks [entries, replicates, 2]."""
    replicate = np.arange(test.shape[0])
    return np.stack([test[replicate, p[:, 0], p[:, 1]] for p in picks], axis=1)


def _rows(got: Outcomes, picks: np.ndarray, attacked: bool = False) -> np.ndarray | None:
    """What each given test row adds to the scores of the picked trials, [replicates, entries, rows]."""
    if got.given is None or (attacked and not got.given.attacked):
        return None
    made = [[got.given.rows(r, int(c), int(t), attacked) for r, (c, t) in enumerate(pick)] for pick in picks]
    return np.array(made).swapaxes(0, 1)


def _mean(values: np.ndarray, design: Design, rows: np.ndarray | None = None) -> dict[str, Any]:
    """A mean with its interval; rows [replicates, rows] where the test set was given. None: no interval is known."""
    if design.given and rows is None:
        return {"mean": float(values.mean()), "low": None, "high": None, "values": values.tolist()}
    if rows is not None:
        found = interval_crossed(rows, design.level)
    else:
        found = interval(values, design.n_train, design.n_test, design.level)
    return {"mean": found.mean, "low": found.low, "high": found.high, "values": values.tolist()}


def _named(pair: Pair, family: Family) -> dict[str, Any]:
    return {"factor": family.factor, **pair.as_dict(), "a": family.names[pair.a], "b": family.names[pair.b]}


def _cell(candidate: Candidate, c: int, got: Outcomes, best: np.ndarray, design: Design) -> dict[str, Any]:
    defaults = got.test[:, c, 0]
    replicate = _most_promising(got, best)
    trial = int(best[replicate, 1])
    winners = [got.values[r][c][int(best[r, 1])] for r in range(len(best))]
    return {
        "method": candidate.method,
        "penalty": candidate.penalty,
        "technique": candidate.technique,
        "model": candidate.model,
        "default": {"mean": float(defaults.mean()), "values": defaults.tolist()},
        "tuned": {
            "hyperparameters": dict(got.values[replicate][c][trial]),
            "validation": float(got.validation[replicate, c, trial]),
        },
        "test": _of_winners(got, best, design),
        **({} if got.attacked is None else {"attacked": _of_winners(got, best, design, attacked=True)}),
        "expected_best": expected_best(got.validation[:, c, 1:]).mean(axis=0).tolist(),
        "diverged": int(got.diverged[:, c].sum()),
        "warnings": [LOST] if got.diverged[:, c].all() else _edges(candidate, winners),
    }


def _of_winners(got: Outcomes, best: np.ndarray, design: Design, attacked: bool = False) -> dict[str, Any]:
    """The mean score of a cell's winners on the test rows, as they are or attacked, with its interval."""
    rows = _rows(got, best[None], attacked)
    return _mean(_scores(got.scores(attacked), best[None])[:, 0], design, None if rows is None else rows[:, 0])


def _edges(candidate: Candidate, winners: Sequence[Mapping[str, float]]) -> list[str]:
    """A warning for each hyperparameter whose winners crowd at an end of its space that can be moved."""
    made = []
    for name, space in candidate.spaces.items():
        end = at_edge(space, [values[name] for values in winners])
        whole, domain = _owned(candidate, name)
        last = end is not None and getattr(space, end) == getattr(domain, end)
        if end is not None and not last:
            made.append(
                f"best {name} lies at the {end} edge of its space ({space}); widen it: --space {whole}=LOW:HIGH"
            )
    return made


def _owned(candidate: Candidate, name: str) -> tuple[str, Domain]:
    """A hyperparameter with its owner's name in front, and the values that it may take."""
    owner, _, own = name.rpartition(".")
    if owner:
        technique = TECHNIQUES[technique_name(technique_owners(candidate.technique)[owner])]
        return name, hyperparameters(technique)[own].metadata["domain"]
    ours = hyperparameters(METHODS[candidate.method])
    if name in ours:
        return f"{candidate.method}.{name}", ours[name].metadata["domain"]
    return f"{candidate.penalty}.{name}", hyperparameters(PENALTIES[candidate.penalty])[name].metadata["domain"]


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


def _recommended(cells: Sequence[dict[str, Any]], got: Outcomes, best: np.ndarray) -> dict[str, Any]:
    """The cell whose winners do best on validation rows, with its recommended setting. No test score chooses."""
    replicate = np.arange(got.test.shape[0])
    means = [got.validation[replicate, p[:, 0], p[:, 1]].mean() for p in best]
    losses = [got.loss[replicate, p[:, 0], p[:, 1]].mean() for p in best]
    c = int(np.lexsort((losses, -np.array(means)))[0])
    return {name: cells[c][name] for name in ("method", "penalty", "technique", "model")} | cells[c]["tuned"]


def _warnings(methods: Family, names: Sequence[str], cells: Sequence[dict[str, Any]], metric: str) -> list[str]:
    contains = {name: METHODS[name].contains for name in methods.names}
    suspects = search_space_suspect(methods.pairs, methods.names, contains, metric)
    return suspects + [f"{name}: {text}" for name, cell in zip(names, cells) for text in cell["warnings"]]
