"""A plan: recipes × replicates on some rows, and which of them train together. Nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from steepest.core.errors import SettingError
from steepest.losses import LOSSES
from steepest.losses.multitask import MultiTask
from steepest.study import blocks
from steepest.study.replicate import Draw, read_in_parts, rows_bytes
from steepest.study.source import Source
from steepest.techniques.adversarial import Attack
from steepest.train import device
from steepest.train.recipe import Recipe, refuse_solver
from steepest.train.scoring import rows_at_once
from steepest.train.stream import STRETCH_BYTES
from steepest.train.techniques import check_techniques


@dataclass(frozen=True)
class Job:
    """One replicate's recipes that train together."""

    replicate: int
    block: blocks.Block


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep before it starts: the rows, what trains together, and how it is run."""

    source: Source
    recipes: Callable[[int], Sequence[Recipe]]  # of a replicate
    draw: Draw
    replicates: int
    epochs: int
    exact: bool = True
    threads: int = 0
    memory: float = 0.5
    keep_params: bool = True
    skip: Callable[[int, int], bool] | None = None  # (replicate, recipe) → already trained
    attack: Attack | None = None  # scores of the test rows under it too, as "attacked accuracy" …

    def jobs(self) -> list[Job]:
        """All jobs, replicate by replicate, without the trainings to skip."""
        made = []
        for replicate in range(self.replicates):
            recipes = [recipe.general() for recipe in self.recipes(replicate)]
            todo = [i for i in range(len(recipes)) if self.skip is None or not self.skip(replicate, i)]
            outputs = [recipes[i].loss.outputs(len(self.source.classes)) for i in todo]
            chosen = [recipes[i] for i in todo]
            for block in blocks.plan(chosen, self.shape, outputs, self.exact, self.workers, self.most):
                made.append(Job(replicate, replace(block, members=tuple(todo[i] for i in block.members))))
        return made

    def most(self, recipe: Recipe, outputs: int) -> int:
        """The widest block of a recipe's structure that memory allows."""
        sizes = self.draw.sizes
        together = rows_at_once(recipe, self.shape, outputs)
        rows = max(min(max(sizes.validation, sizes.test), together), recipe.batch_size or sizes.train)
        each = blocks.member_bytes(recipe, self.shape, outputs, rows)
        parts = read_in_parts(self.source, self.draw)
        beside = 2 * self.workers * STRETCH_BYTES if parts else rows_bytes(self.source, self.draw)
        return blocks.members_that_fit(self.memory, each, self.workers, beside)

    @property
    def shape(self) -> tuple[int, ...]:
        """A row's shape."""
        return self.source.X.shape[1:]

    @property
    def workers(self) -> int:
        """Threads that each train a block; one block keeps about one core busy, or a GPU."""
        return device.workers(self.threads, device.accelerated(), device.cores())


def check_recipes(recipes: Sequence[Recipe], classes: int, shape: tuple[int, ...], tasks: tuple[int, ...] = ()) -> None:
    """Refuse what cannot be swept on rows of `shape`, naming the recipe by its place.

    tasks: how many classes each task has, where there are several.
    """
    for place, recipe in enumerate(recipes):
        where = f"recipe {place + 1} of {len(recipes)}"
        if not isinstance(recipe, Recipe):
            raise SettingError(f"{where} is a {type(recipe).__name__}; it must be a steepest.Recipe")
        refuse_solver(recipe, where)
        try:
            _check_loss(recipe.loss, classes, tasks)
            recipe.model.check(shape)
            check_techniques(recipe, shape)
        except SettingError as error:
            if len(recipes) == 1:  # which it is needs no saying
                raise
            raise SettingError(f"{where}: {error}") from error


def _check_loss(loss: Any, classes: int, tasks: tuple[int, ...]) -> None:
    """Refuse a loss that does not go with the labels."""
    name = LOSSES.name_of(loss)
    if loss.regression != (classes == 0):
        kinds = ("numbers to predict, not classes", "classes, not numbers to predict")
        others = [other for other in LOSSES if LOSSES[other].regression == (classes == 0) and other != "multi-task"]
        raise SettingError(f"loss {name} is for {kinds[not loss.regression]}; take {' or '.join(others)}")
    several = isinstance(loss, MultiTask)
    if several and not tasks:
        raise SettingError(
            f"loss {name} is for several label columns, and there is one; name them all, as --label a,b, or leave the "
            "loss out"
        )
    if tasks and not (several and loss.classes == tasks):
        raise SettingError(
            f"loss {name} is not for {len(tasks)} label columns; take multi-task: MultiTask(classes={tasks})"
        )
