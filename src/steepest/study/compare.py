"""`compare`: which method, penalty, technique and model make the better classifier here, by how much, if at all.

study = plan(data, Settings(…))            nothing has run yet: what will be trained, and about how long it takes
comparison = run_study(study, store)       trains what the store does not hold yet, and answers
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from steepest.core.errors import unknown
from steepest.data.arrays import from_arrays
from steepest.data.dataset import Dataset
from steepest.data.opening import open as open_data
from steepest.study.environment import environment
from steepest.study.replicate import parts_of
from steepest.study.result import Result, memory_notes
from steepest.study.run import Progress, run
from steepest.study.settings import DEFAULT_METHODS, DEFAULT_PENALTIES, GIVEN, Settings
from steepest.study.store import RunRow, Store, Training
from steepest.study.study import Study, plan
from steepest.study.summary import Answer, Given, Outcomes, shares, summarise

SCHEMA = "steepest.compare/1"


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a comparison found. `as_dict()` is what `steepest compare --json` prints."""

    study: Study
    answer: Answer
    seconds: float
    run: int | None  # its number in the run store
    stored: bool  # nothing was trained now: all of it was in the store
    notes: tuple[str, ...] = ()  # on the data, and where memory was too short for results to be the same bit for bit

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        return self.answer.verdict

    @property
    def cells(self) -> list[dict[str, Any]]:
        """One a candidate."""
        return self.answer.cells

    @property
    def pairs(self) -> list[dict[str, Any]]:
        """Every pair of methods, of penalties, of techniques, of models and of candidates."""
        return self.answer.pairs

    @property
    def attacked_pairs(self) -> list[dict[str, Any]] | None:
        """Pairs of methods, penalties, techniques and models by their scores under attack; None without an attack."""
        return self.answer.attacked_pairs

    @property
    def warnings(self) -> list[str]:
        """What to know before believing the verdict."""
        return self.answer.warnings

    @property
    def recommended(self) -> dict[str, Any]:
        """Method, penalty, technique, model and hyperparameters to train with, chosen by validation rows."""
        return self.answer.recommended

    @property
    def trainings(self) -> int:
        """How many trainings it rests on."""
        return self.study.trainings

    def as_dict(self) -> dict[str, Any]:
        """The whole result as plain values."""
        settings = {**self.study.settings.as_dict(), "search": self.study.spaces()}
        return {
            "schema": SCHEMA,
            "data": self.study.data,
            "settings": settings,
            "cells": self.cells,
            "pairs": self.pairs,
            **({} if self.answer.attacked_pairs is None else {"attacked_pairs": self.answer.attacked_pairs}),
            "families": self.answer.families,
            "verdict": self.verdict,
            "warnings": self.warnings,
            "recommended": self.recommended,
            "notes": list(self.notes),
            "trainings": self.trainings,
            "seconds": self.seconds,
            "run": self.run,
        }

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.cells)} candidates: {self.verdict}>"


def run_study(
    study: Study,
    store: Store | None = None,
    *,
    fresh: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Comparison:
    """Train what is missing, block by block into the store, and answer.

    With a store, a run that was interrupted goes on where it was, and one that was finished is answered from what it
    holds, unless `fresh`. The result is the same bit for bit either way.
    """
    if store is None:
        began = time.monotonic()
        kept: list[Training] = []
        _train(study, set(), kept.extend, progress)
        return _comparison(study, kept, time.monotonic() - began, None, stored=False)
    row = store.begin(
        study.key,
        command="compare",
        name=study.data["name"],
        settings=study.settings.as_dict(),
        data=study.data,
        environment=environment(),
        fresh=fresh,
    )
    stored = row.status == "finished"
    if not stored:
        _complete(study, store, row, progress)
    comparison = _comparison(study, store.trainings(row.id), store.get(row.id).seconds, row.id, stored)
    read_otherwise = stored and (row.result or {}).get("settings") != comparison.as_dict()["settings"]
    if not stored or read_otherwise:  # another metric or margin: `runs show` and `fit --from` follow the latest reading
        store.finish(row.id, comparison.as_dict(), 0.0, study.settings.as_dict())
    return comparison


def _complete(study: Study, store: Store, row: RunRow, progress: Callable[[Progress], None] | None) -> None:
    """Train what the run lacks; whatever ends it early, what was done stays."""
    with store.lock(row.id):
        began = time.monotonic()
        try:
            _train(study, store.done(row.id), lambda trainings: store.add(row.id, trainings), progress)
        finally:
            store.interrupted(row.id, time.monotonic() - began)


def _train(
    study: Study,
    done: set[tuple[int, str, int]],
    keep: Callable[[list[Training]], None],
    progress: Callable[[Progress], None] | None,
) -> None:
    trials = cache(study.trials)

    def skip(replicate: int, recipe: int) -> bool:
        candidate, trial, _ = trials(replicate)[recipe]
        return (replicate, candidate.name, trial) in done

    def training(result: Result) -> Training:
        candidate, trial, values = trials(result.replicate)[result.recipe]
        return Training(
            replicate=result.replicate,
            candidate=candidate.name,
            trial=trial,
            hyperparameters=values,
            status=result.status,  # type: ignore[arg-type]
            step=result.step,
            validation=result.validation,
            test=result.test,
            curve=tuple(result.curves["train_loss"].tolist()),
            narrowed=result.narrowed,
            hits=result.hits,
        )

    run(study.as_plan(skip), lambda results: keep([training(result) for result in results]), progress)


def _comparison(
    study: Study, trainings: Sequence[Training], seconds: float, run: int | None, stored: bool
) -> Comparison:
    notes = study.notes + memory_notes(training.narrowed for training in trainings)
    return Comparison(study, _answer(study, trainings), seconds, run, stored, notes)


def _answer(study: Study, trainings: Sequence[Training]) -> Answer:
    s = study.settings
    shape = (s.replicates, len(study.candidates), study.each)
    number = {candidate.name: c for c, candidate in enumerate(study.candidates)}
    validation, loss, test = (np.full(shape, np.nan) for _ in range(3))
    attacked = None if s.attack is None else np.full(shape, np.nan)
    diverged = np.zeros(shape, bool)
    values: list[list[list[Any]]] = [[[{}] * study.each for _ in study.candidates] for _ in range(s.replicates)]
    for t in trainings:
        at = (t.replicate, number[t.candidate], t.trial)
        validation[at], test[at] = t.validation[s.metric], t.test[s.metric]
        loss[at] = t.validation["loss"] if np.isfinite(t.validation["loss"]) else np.inf
        diverged[at] = t.status == "diverged"
        if attacked is not None:
            attacked[at] = t.test[f"attacked {s.metric}"]
        values[at[0]][at[1]][at[2]] = dict(t.hyperparameters)
    parts = [parts_of(study.source, study.draw, r) for r in range(s.replicates)]
    n_train = float(np.mean([part.train.weight.sum() for part in parts]))
    n_test = float(np.mean([part.test.weight.sum() for part in parts]))
    given = None
    if s.test == GIVEN:
        hits = {(t.replicate, number[t.candidate], t.trial): t.hits for t in trainings}
        given = Given(hits, shares(study.source.y[parts[0].test.rows], s.metric))
    got = Outcomes(validation, loss, test, diverged, values, attacked, given)
    return summarise(s, study.candidates, got, n_train, n_test)


def compare(
    X: Any,
    y: Any = None,
    *,
    methods: str | Sequence[str] = DEFAULT_METHODS,
    penalties: str | Sequence[str] = DEFAULT_PENALTIES,
    store: Store | None = None,
    fresh: bool = False,
    progress: Callable[[Progress], None] | None = None,
    **settings: Any,
) -> Comparison:
    """Compare methods × penalties × techniques × models on rows X and labels y (or on what `open` takes, or a Dataset).

    Every candidate searches `trials` random settings in each of `replicates` fresh splits, picks one by validation
    rows and is scored on test rows; differences are judged on paired replicates with the Nadeau–Bengio correction and
    Holm's. Further settings are those of `Settings`: techniques, model, trials, replicates, epochs, seed, batch_size,
    metric, margin, level, test, validation, standardize, loss, spaces, attack, products.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> found = compare(X, y, methods=["sgd", "adam"], penalties=["none"], trials=2, replicates=2, epochs=2)
    >>> found.trainings, found.verdict[:26]
    (12, 'estimates only, no verdict')
    """
    names = [field.name for field in dataclasses.fields(Settings)]
    for name in settings:
        if name not in names:
            raise unknown("setting of a comparison", name, names)
    if isinstance(X, str | Path):
        data = open_data(X)
    else:
        data = X if isinstance(X, Dataset) else from_arrays(X, y)
    chosen: dict[str, Any] = {"methods": methods, "penalties": penalties, **settings}
    return run_study(
        plan(data, Settings(**chosen)),
        store,
        fresh=fresh,
        progress=progress,
    )
