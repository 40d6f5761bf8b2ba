"""What the run store gives and takes: a run, a training, and how each lies in a row of its table.

Dictionaries are JSON as Python writes it, in ASCII: file names that are not Unicode survive, finite floats come back
bit for bit, and NaN and the infinities, which SQLite's numbers cannot be, are written by name.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np


@dataclasses.dataclass(frozen=True)
class Training:
    """One finished training of a study: which, with what, and how it came out."""

    replicate: int
    candidate: str  # "adam+l2"
    trial: int  # 0: the method's defaults
    hyperparameters: Mapping[str, float]
    status: Literal["finished", "stopped", "diverged"]
    step: int  # the step at which it diverged, or the number of steps made
    validation: Mapping[str, float]  # metric → score, "loss" among them
    test: Mapping[str, float]
    curve: tuple[float, ...] = ()  # the training loss per epoch
    narrowed: bool = False  # for want of memory its block was too narrow for the same bits every time
    hits: bytes = b""  # of a given test set, as in `result.Result`; empty where test rows were drawn

    def __post_init__(self) -> None:
        object.__setattr__(self, "curve", tuple(float(loss) for loss in self.curve))


@dataclasses.dataclass(frozen=True)
class RunRow:
    """One run as it is stored. `created` is for people only: runs are in the order of `id`, whatever the clock did."""

    id: int
    key: str
    command: str
    name: str
    settings: dict[str, Any]
    data: dict[str, Any]
    environment: dict[str, Any]
    status: Literal["running", "interrupted", "finished"]  # "running": a process works on it now
    created: str
    seconds: float  # of work, over all the processes that worked on it and lived to tell
    result: dict[str, Any] | None
    trainings: int


COLUMNS = "replicate, candidate, trial, hyperparameters, status, step, validation, test, curve, narrowed, hits"


def pack(run_id: int, training: Training) -> tuple[Any, ...]:
    """A training as the values of its row: `run` and COLUMNS."""
    return (
        run_id,
        int(training.replicate),
        training.candidate,
        int(training.trial),
        _scores(training.hyperparameters),
        training.status,
        int(training.step),
        _scores(training.validation),
        _scores(training.test),
        np.asarray(training.curve, "<f8").tobytes(),
        int(training.narrowed),
        training.hits,
    )


def _scores(values: Mapping[str, float]) -> str:
    return json.dumps({name: float(value) for name, value in values.items()})  # float: NumPy's and JAX's numbers too


def unpack(row: tuple[Any, ...]) -> Training:
    """A training from the values of COLUMNS."""
    replicate, candidate, trial, hyperparameters, status, step, validation, test, curve, narrowed, hits = row
    return Training(
        replicate,
        candidate,
        trial,
        json.loads(hyperparameters),
        status,
        step,
        json.loads(validation),
        json.loads(test),
        tuple(np.frombuffer(curve, "<f8").tolist()),
        bool(narrowed),
        bytes(hits),
    )


RUN_COLUMNS = (
    "id, key, command, name, settings, data, environment, status, created, seconds, result,"
    " (SELECT count(*) FROM trainings WHERE run = runs.id)"
)


def unpack_run(row: tuple[Any, ...]) -> RunRow:
    """A run from the values of RUN_COLUMNS, its status as it was last written."""
    number, key, command, name, settings, data, environment, status, created, seconds, result, trainings = row
    return RunRow(
        id=number,
        key=key,
        command=command,
        name=json.loads(name),
        settings=json.loads(settings),
        data=json.loads(data),
        environment=json.loads(environment),
        status=status,
        created=created,
        seconds=seconds,
        result=None if result is None else json.loads(result),
        trainings=trainings,
    )
