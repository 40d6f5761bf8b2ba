"""`fit`: one training on one split of a data set, by the same engine and with the same numbers as `sweep`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from steepest.core.errors import SettingError, whole_number
from steepest.core.keys import key
from steepest.data.dataset import Dataset
from steepest.data.paths import listed, shown
from steepest.metrics import METRICS, confusion
from steepest.study import solver
from steepest.study.plan import Plan, check_recipes
from steepest.study.replicate import draw_of, notes_of, parts_of
from steepest.study.result import Result, memory_notes
from steepest.study.run import Progress, run
from steepest.study.source import from_dataset
from steepest.study.split import TEST_SHARE, VALIDATION_SHARE, Split
from steepest.study.tasks import scores_of_tasks, with_tasks
from steepest.train.ensemble import bootstrap
from steepest.train.fitted import Fitted, FittedTask, score_names
from steepest.train.recipe import Recipe
from steepest.train.scoring import copies

__all__ = ["Fitted", "fit", "scores_on"]


ROWS_BYTES = 64 << 20  # of features that are in memory together to be scored


def fit(
    data: Dataset,
    recipe: Recipe,
    *,
    epochs: int = 20,
    seed: int = 0,
    standardize: bool = True,
    test: float | str = TEST_SHARE,
    validation: float = VALIDATION_SHARE,
    replicate: int = 0,
    exact: bool = True,
    progress: Callable[[Progress], None] | None = None,
) -> Fitted:
    """Train one recipe on a data set's training rows; score it on all three parts.

    The split, the order of rows and the initial weights are those that `sweep` and `compare` give for (seed,
    replicate); with `exact` so are the weights, bit for bit. test, validation: shares, 0 for no such
    part; test "given": the rows that the data came with to be tested on. A training
    that diverges comes back with its last finite weights, status "diverged" and a note. A solver (`Coordinate`) ends at
    its optimum: `epochs` does not matter to it, and its curves have one entry. Data with several label columns trains
    one model with a head for each (`MultiTask`), split by the first.

    **Raises** SettingError for recipes or settings that do not fit, DataError for classes too small to be split.

    >>> import steepest as st
    >>> found = fit(st.open("iris"), st.Recipe(method=st.Momentum(rate=0.1)))
    >>> found.status, found.scores["test"]["accuracy"] > 0.8
    ('finished', True)
    """
    whole_number("epochs", epochs)
    whole_number("replicate", replicate, 0)
    source = from_dataset(data)
    if source.further:
        recipe = with_tasks(recipe, source.tasks)
    if isinstance(recipe, Recipe) and solver.is_solver(recipe):
        check_recipes([_stepping(recipe)], len(source.classes), source.X.shape[1:])
        solver.check_solvable(recipe, len(source.classes))
    else:
        check_recipes([recipe], len(source.classes), source.X.shape[1:], source.tasks)
    draw = draw_of(source, seed, test, validation, standardize, recipe.dtype)
    if recipe.stop is not None and recipe.stop.needs_validation and draw.sizes.validation == 0:
        raise SettingError("a stopping rule looks at validation rows, and validation = 0; give a share above 0")
    parts = parts_of(source, draw, replicate)
    tasks = tuple(FittedTask(task.name, task.classes) for task in data.tasks) if data.further else ()
    standard = source.prepared(parts.train.rows, standardize)
    fitted = Fitted(
        recipe=recipe.decided(),
        params=None,
        classes=score_names(tasks) if tasks else source.classes,
        schema=data.schema,
        standard=standard,
        shape=data.shape,
        scores={},
        curves={},
        status="finished",
        step=0,
        epochs=0,
        seed=seed,
        data={
            "name": data.name,
            "rows": len(data),
            "classes": list(data.classes),
            "fingerprint": data.fingerprint,
        },
        notes=notes_of(data, source, test) + _never_seen(data, parts.train.rows),
        tasks=tasks,
        limits=None if source.pixels else source.limits(parts.train.rows, standard, recipe.dtype),
    )
    if solver.is_solver(recipe):
        return _solved(fitted, data, parts)
    found: list[Result] = []
    plan = Plan(
        source, lambda _: [recipe], draw, replicate + 1, epochs, exact, threads=1, skip=lambda r, _: r != replicate
    )
    run(plan, found.extend, progress)
    return _trained(fitted, data, parts, found[0], epochs)


def _never_seen(data: Dataset, train: np.ndarray) -> tuple[str, ...]:
    """What to say of a further task's classes without training rows: the split is by the first task's."""
    made = []
    for task in data.further:
        counts = np.bincount(task.y[train], minlength=len(task.classes))
        missing = [name for name, count in zip(task.classes, counts) if not count]
        if missing:
            made.append(f"{shown(task.name)}: class {listed(missing)} has no training rows, so it is never predicted")
    return tuple(made)


def scores_on(fitted: Fitted, rows: Any, y: Any) -> dict[str, float]:
    """{"loss", "accuracy", "balanced", "f1"} on rows as `Dataset.features()` gives them, y [rows] class numbers.

    **Raises** SettingError for a model of several tasks, which `evaluate` scores one by one.
    """
    if fitted.tasks:
        raise SettingError(f"scores_on: the model has {len(fitted.tasks)} tasks; steepest.evaluate scores each")
    y = np.asarray(y)
    if not len(y):
        return {}
    return {"loss": mean_loss(fitted, rows, y), **_metrics(y, fitted.predict(rows), len(fitted.classes))}


def _scores_of(fitted: Fitted, data: Dataset, rows: np.ndarray) -> dict[str, float]:
    """`scores_on` of these rows of a data set, which may be too many to lie in memory together."""
    parts = _few(data, rows)
    said = [fitted.predict(data.features(part)) for part in parts]
    losses = [fitted.losses(data.features(part), data.y[part]) for part in parts]
    loss = float(np.mean(np.concatenate(losses)))
    return {"loss": loss, **_metrics(data.y[rows], np.concatenate(said), len(fitted.classes))}


def _few(data: Dataset, rows: np.ndarray) -> list[np.ndarray]:
    """These rows' numbers, few enough at a time to lie in memory."""
    return [rows[here] for here in _stretches(data, len(rows))]


def _stretches(data: Dataset, rows: int) -> list[slice]:
    few = max(1, ROWS_BYTES // (4 * data.schema.features))
    return [slice(start, start + few) for start in range(0, rows, few)]


def _metrics(y: np.ndarray, said: np.ndarray, classes: int) -> dict[str, float]:
    matrix = confusion(y, said, classes)
    return {name: float(metric(matrix)) for name, metric in METRICS.items()}


def _out_of_bag(fitted: Fitted, data: Dataset, rows: np.ndarray, replicate: int) -> tuple[dict[str, float], str]:
    """An ensemble's scores on the rows it was trained on, each row predicted by the bags that did not draw it; a note.

    A row that every bag drew is left out.
    """
    rows, counts, note = _left(fitted, data, rows, replicate)
    if not len(rows):
        return {}, note
    found = [
        fitted.out_of_bag(data.features(rows[here]), data.y[rows[here]], counts[:, here])
        for here in _stretches(data, len(rows))
    ]
    said, losses = (np.concatenate(parts) for parts in zip(*found))
    return {"loss": float(np.mean(losses)), **_metrics(data.y[rows], said, len(fitted.classes))}, note


def mean_loss(fitted: Fitted, rows: Any, y: Any, weight: np.ndarray | None = None) -> float:
    """The mean loss of rows [rows, features], by weight [rows] where given."""
    return float(np.average(fitted.losses(rows, y), weights=weight))


def divergence(fitted: Fitted, epochs: int) -> str:
    """What a user should know of a training that diverged."""
    rate = getattr(fitted.recipe.method, "rate", None)
    remedy = "lower the rate" if rate is None else f"lower the rate ({float(rate):g})"
    return (
        f"diverged at step {fitted.step:,}, in epoch {fitted.epochs + 1} of {epochs}: the loss or a weight became NaN "
        f"or infinite; the weights before that step are kept; {remedy}, clip the gradient, or standardise the rows"
    )


def _trained(fitted: Fitted, data: Dataset, parts: Split, result: Result, epochs: int) -> Fitted:
    fitted = replace(
        fitted, params=result.params, curves=result.curves, status=result.status, step=result.step, epochs=result.epochs
    )
    said = (divergence(fitted, epochs),) if result.status == "diverged" else ()
    notes = fitted.notes + memory_notes([result.narrowed])
    if fitted.tasks:
        made, more = _tasks_scored(fitted, data, parts, result.replicate)
        return replace(made, notes=notes + more + said)
    rows = parts.train.rows
    scores = {
        "train": _scores_of(fitted, data, rows),
        "validation": result.validation,
        "test": result.test,
    }
    if fitted.recipe.bagging is not None:
        scores["out-of-bag"], note = _out_of_bag(fitted, data, rows, result.replicate)
        said = (note, *said)
    return replace(fitted, scores=scores, notes=notes + said)


def _tasks_scored(fitted: Fitted, data: Dataset, parts: Split, replicate: int) -> tuple[Fitted, tuple[str, ...]]:
    """A model of several tasks with its scores, of all tasks together and of each; and a note on them."""
    notes: tuple[str, ...] = ()
    Y = np.stack([task.y for task in data.tasks], axis=1)
    found = {}
    for name, part in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
        margins = [fitted.margins(data.features(few)) for few in _few(data, part.rows)]
        found[name] = scores_of_tasks(fitted.recipe.loss, np.concatenate(margins or [[]]), Y[part.rows])
    if fitted.recipe.bagging is not None:
        rows, counts, note = _left(fitted, data, parts.train.rows, replicate)
        margins = [
            fitted.out_of_bag_margins(data.features(rows[here]), counts[:, here])
            for here in _stretches(data, len(rows))
        ]
        found["out-of-bag"] = scores_of_tasks(fitted.recipe.loss, np.concatenate(margins or [[]]), Y[rows])
        notes = (note,)
    tasks = tuple(
        replace(task, scores={name: scores[1 + place] for name, scores in found.items()})
        for place, task in enumerate(fitted.tasks)
    )
    return replace(fitted, scores={name: scores[0] for name, scores in found.items()}, tasks=tasks), notes


def _left(fitted: Fitted, data: Dataset, rows: np.ndarray, replicate: int) -> tuple[np.ndarray, np.ndarray, str]:
    """The training rows that some bag did not draw, how often each bag drew them [bags, rows]; what to say of them."""
    counts = bootstrap(key(fitted.seed, replicate, "noise"), data.groups[rows], copies(fitted.recipe))
    left = (counts == 0).any(axis=0)
    said = f"{left.sum():,} of {len(left):,} training rows, each predicted by the bags that did not draw it"
    return rows[left], counts[:, left], f"out-of-bag: {said}"


def _solved(fitted: Fitted, data: Dataset, parts: Split) -> Fitted:
    """The optimum that a solver finds on the training rows."""
    X = data.features()
    rows = parts.train.rows
    found = solver.solve(fitted.recipe, fitted.prepared(X[rows]), data.y[rows], None, len(fitted.classes))
    fitted = replace(fitted, params=found.params, step=found.sweeps, epochs=1)
    named = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    scores = {name: scores_on(fitted, X[part.rows], data.y[part.rows]) for name, part in named.items()}
    curves = {
        "train_loss": np.array([scores["train"]["loss"]]),
        "validation_loss": np.array([scores["validation"].get("loss", np.nan)]),
        "validation_accuracy": np.array([scores["validation"].get("accuracy", np.nan)]),
    }
    note = f"solved to a duality gap of {found.gap:.1e} in {found.sweeps:,} sweeps"
    return replace(fitted, scores=scores, curves=curves, notes=(*fitted.notes, note))


def _stepping(recipe: Recipe) -> Recipe:
    """The same recipe with a method that steps, for the checks that all recipes must pass."""
    return Recipe(model=recipe.model, loss=recipe.loss)
