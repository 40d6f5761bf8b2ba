"""Several tasks, a label column each: the loss that a recipe trains them by, and the scores of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steepest.core.errors import SettingError
from steepest.core.spec import refuse, replace
from steepest.losses.multitask import MultiTask
from steepest.losses.softmax import CrossEntropy
from steepest.metrics import METRICS, confusion
from steepest.models.linear import Linear
from steepest.techniques.bagging import Bagging
from steepest.techniques.further import FurtherTasks
from steepest.train.recipe import Recipe, refuse_solver


def with_tasks(recipe: Recipe, classes: Sequence[int]) -> Recipe:
    """The recipe for tasks of so many classes each: its loss as `MultiTask`, by its weights where it has some.

    The technique `FurtherTasks` becomes its loss, too.

    **Raises** SettingError for another loss than cross-entropy, weights or classes that are not those of the tasks, a
    solver, and techniques that are for one task's classes.

    >>> with_tasks(Recipe(), (3, 2)).loss
    MultiTask(classes=(3, 2), weights=(1.0, 1.0))
    """
    if not isinstance(recipe, Recipe):
        return recipe  # refused by name where recipes are checked
    refuse_solver(recipe, "a training of several tasks")
    if not isinstance(recipe.loss, CrossEntropy | MultiTask):
        name = type(recipe.loss).__name__
        raise SettingError(
            f"each task's loss is CrossEntropy, and the recipe's is {name}; leave it out, or weigh the "
            "tasks by multi-task:weights=1/0.5"
        )
    recipe, counts = _for_the_first(recipe, len(classes)), tuple(classes)
    loss = recipe.loss
    for technique in recipe.techniques:
        if technique.needs_classes and technique is not recipe.bagging:
            raise refuse(technique, f"is for one task's classes, and there are {len(counts)} tasks; leave it out")
    check_votes(recipe.bagging, len(counts))
    if isinstance(loss, CrossEntropy):
        return replace(recipe, loss=MultiTask(counts))
    if loss.classes not in ((), counts):
        raise refuse(loss, f"classes = {loss.classes}, and the label columns have {counts}; leave them out")
    return replace(recipe, loss=MultiTask(counts, loss.weights, loss.judge))


def compared(recipe: Recipe, classes: Sequence[int]) -> Recipe:
    """The recipe as a comparison trains it: on the first task alone, unless `FurtherTasks` is among its techniques."""
    return with_tasks(recipe, classes) if classes and helped(recipe) else recipe


def helped(recipe: Recipe) -> bool:
    """Whether further tasks are to help the first."""
    return any(isinstance(technique, FurtherTasks) for technique in recipe.techniques)


def _for_the_first(recipe: Recipe, tasks: int) -> Recipe:
    """The recipe with the loss that `FurtherTasks` stands for in its place."""
    weights = [technique.weight for technique in recipe.techniques if isinstance(technique, FurtherTasks)]
    if not weights:
        return recipe
    if isinstance(recipe.loss, MultiTask):
        raise SettingError("multi-task is both technique and loss, each with weights of its own; leave one out")
    if isinstance(recipe.model, Linear):
        raise SettingError("multi-task helps by hidden layers that the tasks share, and linear has none: each task's "
                           "scores have weights of their own; use a model such as mlp:64")  # fmt: skip
    others = tuple(technique for technique in recipe.techniques if not isinstance(technique, FurtherTasks))
    loss = MultiTask((), (1.0, *[weights[0]] * (tasks - 1)), judge="first")
    return replace(recipe, loss=loss, techniques=others)


def check_votes(bagging: Bagging | None, tasks: int) -> None:
    """Refuse an ensemble of several tasks that votes: a vote is for one class."""
    if tasks and bagging is not None and bagging.combine == "vote":
        raise refuse(bagging, 'has no votes for several tasks at once; combine by "average"')


def scores_of_tasks(loss: MultiTask, margins: np.ndarray, Y: np.ndarray) -> tuple[dict[str, float], ...]:
    """The scores of all tasks together, then of each: "loss", "accuracy", "balanced", "f1"; {} without rows.

    margins float64 [rows, Σₜ classesₜ] are the model's scores, Y [rows, tasks] class numbers. Together: the loss that
    is trained by, Σₜ wₜ·ℓₜ, and the tasks' mean of every other score.
    """
    if not len(Y):
        return ({},) * (1 + len(loss.classes))
    each = []
    for task, own in enumerate(loss.slices):
        scores, y = margins[:, own], Y[:, task]
        matrix = confusion(y, scores.argmax(axis=1), scores.shape[1])
        found = {"loss": float(np.mean(np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(y)), y]))}
        each.append(found | {name: float(metric(matrix)) for name, metric in METRICS.items()})
    together = {name: float(np.mean([one[name] for one in each])) for name in METRICS}
    return {"loss": sum(w * one["loss"] for w, one in zip(loss.weights, each)), **together}, *each
