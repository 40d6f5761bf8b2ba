"""`sweep`: train recipes × replicates and look at everything that came out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from steepest.core.errors import SettingError, whole_number
from steepest.study import replicate as replicates_
from steepest.study import source as sources
from steepest.study.plan import Plan, check_recipes
from steepest.study.result import Result, memory_notes
from steepest.study.run import Progress, run
from steepest.study.split import TEST_SHARE, VALIDATION_SHARE, Split
from steepest.study.tasks import with_tasks
from steepest.train.recipe import Recipe

Tree = Any


@dataclass(frozen=True, eq=False)
class Sweep:
    """What came out of a sweep; arrays are [replicates, recipes] unless said otherwise.

    accuracy: on the test part (`score("balanced")`, `score("f1", part="validation")` give others); status: "finished",
    "stopped" or "diverged" (scored with its last finite weights); step: where it diverged, or the steps made;
    curves: "train_loss", "validation_loss", "validation_accuracy" → [replicates, recipes, epochs], NaN once a training
    has ended; notes: what to know of the results, such as that memory was too short for `exact` to hold.
    """

    recipes: tuple[Recipe, ...]
    classes: tuple[str, ...]
    status: np.ndarray
    step: np.ndarray
    epochs: np.ndarray
    curves: dict[str, np.ndarray]
    notes: tuple[str, ...]
    _results: dict[tuple[int, int], Result]
    _split: Callable[[int], Split]

    @property
    def accuracy(self) -> np.ndarray:
        """The share of test rows predicted right."""
        return self.score("accuracy")

    def score(self, metric: str = "accuracy", part: str = "test") -> np.ndarray:
        """ "accuracy", "balanced", "f1" or "loss" on the "test" or "validation" part."""
        if part not in ("test", "validation"):
            raise SettingError(f"part = {part!r}; it must be 'test' or 'validation'")
        values = np.full(self.status.shape, math.nan)
        for place, result in self._results.items():
            scores = getattr(result, part)
            if metric not in scores:
                known = ", ".join(scores) or f"nothing (there are no {part} rows)"
                raise SettingError(f"{metric!r} was not measured on the {part} part; measured: {known}")
            values[place] = scores[metric]
        return values

    @property
    def right(self) -> np.ndarray:
        """Which rows of a given test set each training predicts right: bool [replicates, recipes, rows]."""
        packed = [[self._results[r, i].hits for i in range(self.status.shape[1])] for r in range(self.status.shape[0])]
        if not packed[0][0]:
            raise SettingError("test rows were drawn, other ones in each replicate; only of test='given' is this kept")
        rows = len(self.rows(0).test.rows)
        bits = [[np.unpackbits(np.frombuffer(one, np.uint8), count=rows) for one in row] for row in packed]
        return np.array(bits, bool)

    def params(self, replicate: int, recipe: int) -> Tree:
        """The weights a training reports: a tree of arrays as its model makes them."""
        if (replicate, recipe) not in self._results:
            raise SettingError(
                f"no training ({replicate}, {recipe}); there are {self.status.shape[0]} replicates "
                f"× {self.status.shape[1]} recipes, numbered from 0"
            )
        return self._results[replicate, recipe].params

    def rows(self, replicate: int) -> Split:
        """Which rows a replicate trained, validated and tested on."""
        return self._split(replicate)

    def __repr__(self) -> str:
        replicates, recipes = self.status.shape
        diverged = int((self.status == "diverged").sum())
        return f"<Sweep: {recipes} recipes × {replicates} replicates, {diverged} diverged>"


def sweep(
    recipes: Recipe | Sequence[Recipe],
    X: Any,
    y: Any = None,
    *,
    replicates: int = 3,
    epochs: int = 20,
    seed: int = 0,
    exact: bool = True,
    standardize: bool = False,
    test: float | str = TEST_SHARE,
    validation: float = VALIDATION_SHARE,
    groups: Any = None,
    threads: int = 0,
    memory: float = 0.5,
    progress: Callable[[Progress], None] | None = None,
) -> Sweep:
    """Train every recipe under every replicate.

    **Data** X [rows, features] (or [rows, H, W, C]), used as given unless `standardize` (learnt from each replicate's
    training rows); y [rows] labels of any kind, or numbers where the recipes' loss is `Squared`. Or a Dataset alone; of
    several tasks, scores are the first one's.
    **Replicates** each draws a stratified split (`test` share, then `validation` share of the rest; 0 for none; equal
    rows, or equal `groups`, stay on one side), the order of rows and the initial weights. All recipes of a replicate
    share them; (seed, replicate) decides them.
    **Settings** epochs ≥ 1; `exact`: blocks of fixed width, so that on the CPU a result is the same bit for bit
    whatever trains beside it (False: faster, the same to rounding); `threads` 0: one for each core; `memory`: the share
    of free memory to ask for, in (0, 1].
    **Raises** SettingError for recipes or settings that do not fit, DataError for rows or classes that cannot be used.

    >>> from sklearn.datasets import load_iris
    >>> from steepest.methods.sgd import SGD
    >>> X, y = load_iris(return_X_y=True)
    >>> sweep([Recipe(method=SGD(rate=r)) for r in (0.01, 0.1)], X, y, standardize=True).accuracy.shape
    (3, 2)
    """
    chosen = [recipes] if isinstance(recipes, Recipe) else list(recipes)
    if not chosen:
        raise SettingError("no recipes; give at least one")
    for name, value in (("replicates", replicates), ("epochs", epochs)):
        whole_number(name, value)
    for name, value in (("seed", seed), ("threads", threads)):
        whole_number(name, value, least=0)
    if not 0 < memory <= 1:
        raise SettingError(f"memory = {memory}; it must be a share in (0, 1]")
    regression = all(isinstance(r, Recipe) and r.loss.regression for r in chosen)
    source = sources.from_arrays(X, y, regression, groups)
    if source.further:
        chosen = [with_tasks(recipe, source.tasks) for recipe in chosen]
    check_recipes(chosen, len(source.classes), source.X.shape[1:], source.tasks)
    dtypes = {recipe.dtype for recipe in chosen}
    if len(dtypes) > 1:
        raise SettingError("recipes of float32 and float64 do not share replicates; sweep them one after the other")
    draw = replicates_.draw_of(source, seed, test, validation, standardize, dtypes.pop())
    if draw.sizes.validation == 0 and any(r.stop is not None and r.stop.needs_validation for r in chosen):
        raise SettingError("a stopping rule looks at validation rows, and validation = 0; give a share above 0")
    plan = Plan(source, lambda _: chosen, draw, replicates, epochs, exact, threads, memory)
    found: dict[tuple[int, int], Result] = {}
    run(plan, lambda results: found.update({(r.replicate, r.recipe): r for r in results}), progress)
    return _gathered(plan, chosen, found)


def _gathered(plan: Plan, recipes: list[Recipe], found: dict[tuple[int, int], Result]) -> Sweep:
    shape = (plan.replicates, len(recipes))

    def column(of: Callable[[Result], Any], dtype: Any) -> np.ndarray:
        values = [[of(found[r, i]) for i in range(shape[1])] for r in range(shape[0])]
        return np.array(values, dtype).reshape(*shape, *np.shape(values[0][0]))

    return Sweep(
        recipes=tuple(recipes),
        classes=plan.source.classes,
        status=column(lambda r: r.status, str),
        step=column(lambda r: r.step, np.int64),
        epochs=column(lambda r: r.epochs, np.int64),
        curves={n: column(lambda r, n=n: r.curves[n], np.float64) for n in jax.tree.leaves(list(found[0, 0].curves))},
        notes=memory_notes(result.narrowed for result in found.values()),
        _results=found,
        _split=lambda replicate: replicates_.parts_of(plan.source, plan.draw, replicate),
    )
