"""What comes of a training: its weights and curves, and the scores of what it predicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from steepest.core.stack import stack
from steepest.metrics import METRICS, confusion
from steepest.study.plan import Job, Plan
from steepest.study.settings import GIVEN
from steepest.study.source import Source
from steepest.train.attack import score_under
from steepest.train.population import Replicate, Trained

Tree = Any


@dataclass(frozen=True, eq=False)
class Result:
    """One finished training."""

    replicate: int
    recipe: int
    status: str  # "finished", "stopped" or "diverged"
    step: int  # where it diverged, or the steps made
    epochs: int
    validation: dict[str, float]  # metric → score, and "loss"
    test: dict[str, float]
    curves: dict[str, np.ndarray]
    params: Tree | None
    narrowed: bool = False  # its block was narrower than `exact` wants, for want of memory
    hits: bytes = b""  # which rows of a given test set it got right, as np.packbits; then which of them attacked


def results(plan: Plan, job: Job, replicate: Replicate, trained: Trained) -> Iterator[Result]:
    """A block's trainings one by one, their predictions scored."""
    members = job.block.members
    validation = _scores(plan.source, replicate.validation, trained.validation, len(members))
    test = _scores(plan.source, replicate.test, trained.test, len(members))
    attacked, said_attacked = _under_attack(plan, job, replicate, trained.params)
    for i, recipe in enumerate(members):
        yield Result(
            replicate=job.replicate,
            recipe=recipe,
            status=str(trained.status[i]),
            step=int(trained.step[i]),
            epochs=int(trained.epochs[i]),
            validation=validation[i],
            test=test[i] | attacked[i],
            curves={name: curve[i] for name, curve in trained.curves.items()},
            params=jax.tree.map(lambda leaf, i=i: leaf[i].copy(), trained.params) if plan.keep_params else None,
            narrowed=job.block.narrowed,
            hits=_hits(replicate.test, trained.test, i, said_attacked[i]) if plan.draw.test == GIVEN else b"",
        )


def memory_notes(narrowed: Iterable[bool]) -> tuple[str, ...]:
    """What to say where trainings' blocks were narrowed for want of memory: one line, or nothing."""
    count = sum(narrowed)
    if not count:
        return ()
    ran = "1 training ran in a block" if count == 1 else f"{count:,} trainings ran in blocks"
    return (f"{ran} narrower than usual for want of memory: equal to other runs to rounding, not bit for bit",)


def _hits(rows: Any, scored: Any, member: int, attacked: list[np.ndarray]) -> bytes:
    """Which test rows a member got right, a bit each, as they are, then attacked; a given test set has no filling."""
    said = [scored[0][member], *attacked]
    return b"".join(np.packbits(_first_task(rows.y, 1) == _first_task(labels, 1)).tobytes() for labels in said)


def _first_task(numbers: Any, axes: int) -> np.ndarray:
    """Class numbers of so many axes; those of several tasks have one more, and scores are of the first task."""
    found = np.asarray(numbers)
    return found[..., 0] if found.ndim > axes else found


def _scores(source: Source, rows: Any, scored: Any, members: int) -> list[dict[str, float]]:
    """Metric → score of each member on a part of the rows; only the loss for a regression, nothing without rows."""
    if rows is None:
        return [{} for _ in range(members)]
    said, losses = scored
    made: list[dict[str, float]] = [{"loss": float(loss)} for loss in losses]
    if not source.regression:
        y, said = _first_task(rows.y, 1), _first_task(said, 2)
        matrices = confusion(y, said, len(source.classes), np.asarray(rows.weight, np.float64))
        for name, metric in METRICS.items():
            for scores, value in zip(made, metric(matrices)):
                scores[name] = float(value)
    return made


def _under_attack(
    plan: Plan, job: Job, replicate: Replicate, params: Tree
) -> tuple[list[dict[str, float]], list[list[np.ndarray]]]:
    """Each member's metrics on the test rows that its own gradient has moved, "attacked accuracy" …; and the labels it
    gives them, [rows] in a list that is empty where nothing is attacked."""
    members, recipes, rows = job.block.members, plan.recipes(job.replicate), replicate.test
    if plan.attack is None or rows is None:
        return [{} for _ in members], [[] for _ in members]
    filling = job.block.width - len(members)  # with copies of the last, as in training
    chosen = [recipes[i].general() for i in members]
    padded = stack(chosen + chosen[-1:] * filling, chosen[0].dtype)
    weights = jax.tree.map(lambda leaf: np.concatenate([leaf, np.repeat(leaf[-1:], filling, axis=0)]), params)
    said = _first_task(score_under(padded, weights, rows, plan.attack, replicate.facts)[: len(members)], 2)
    weight = np.asarray(rows.weight, np.float64)
    matrices = confusion(_first_task(rows.y, 1), said, len(plan.source.classes), weight)
    scored = {f"attacked {name}": metric(matrices) for name, metric in METRICS.items()}
    made = [{name: float(values[i]) for name, values in scored.items()} for i in range(len(members))]
    return made, [[labels] for labels in said]
