"""Recipes whose method is a solver: coordinate descent takes a linear model straight to its optimum."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from steepest.core.errors import SettingError
from steepest.core.spec import refuse
from steepest.losses.sigmoid import OneVsRest
from steepest.losses.softmax import CrossEntropy
from steepest.models.linear import Linear
from steepest.penalties.general import general
from steepest.penalties.norms import ElasticNet
from steepest.schedules.decay import Constant
from steepest.train.recipe import Recipe


class Solved(NamedTuple):
    """What a solver found: weights like the model's, the largest duality gap, and the sweeps of all problems."""

    params: dict[str, np.ndarray]
    gap: float
    sweeps: int


def is_solver(recipe: Recipe) -> bool:
    """Whether the recipe's method solves instead of stepping."""
    return bool(getattr(recipe.method, "solver", False))


def solve(recipe: Recipe, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, classes: int) -> Solved:
    """Minimise a recipe's objective on rows X [rows, features], y [rows] class numbers, weight [rows] or None.

    Two classes: cross-entropy has two scores ±u/2 where one-vs-rest has the one score u, so its l2 counts half on u
    and its l1 alike. **Raises** SettingError for what coordinate descent cannot do, and SteepestError where the gap
    is not reached.
    """
    penalty = check_solvable(recipe, classes)
    softmax = isinstance(recipe.loss, CrossEntropy)
    # a sum of losses weighs the penalty less than their mean does
    scale = 1.0 if recipe.reduction == "mean" else 1.0 / (len(X) if weight is None else float(np.sum(weight)))
    path = recipe.method.solve(
        X.reshape(len(X), -1),
        y,
        l1=scale * float(penalty.l1),
        l2=scale * float(penalty.l2) * (0.5 if softmax else 1.0),
        loss="logistic",
        intercept=recipe.model.bias,
        row_weights=weight,
    )
    W = np.atleast_2d(path.weights[0].T)  # [outputs, features]
    b = np.atleast_1d(path.intercepts[0])
    if softmax:
        W, b = np.concatenate([-W / 2, W / 2]), np.concatenate([-b / 2, b / 2])
    dtype = np.dtype(recipe.dtype)
    params = {"W": W.astype(dtype), **({"b": b.astype(dtype)} if recipe.model.bias else {})}
    return Solved(params, float(np.max(path.gaps[0])), int(np.sum(path.iterations[0])))


def check_solvable(recipe: Recipe, classes: int) -> ElasticNet:
    """The penalty as an elastic net; what coordinate descent cannot do is refused by name."""
    method = recipe.method
    if not isinstance(recipe.model, Linear):
        raise refuse(method, f"solves linear models, and the model is {recipe.model!r}; use another method")
    if isinstance(recipe.loss, CrossEntropy) and classes > 2:
        raise refuse(method, f"cannot solve CrossEntropy with {classes} classes; use loss one-vs-rest")
    if not isinstance(recipe.loss, CrossEntropy | OneVsRest):
        raise refuse(method, f"cannot solve {type(recipe.loss).__name__}; use loss one-vs-rest")
    for name in ("clip", "average", "stop", "techniques"):
        if getattr(recipe, name) not in (None, ()):
            raise refuse(method, f"takes no steps, so {name} = {getattr(recipe, name)!r} has nothing to act on")
    if not isinstance(recipe.schedule, Constant):
        raise refuse(method, f"takes no steps, so schedule = {recipe.schedule!r} has nothing to act on")
    penalty: Any = general(recipe.penalty, has_stride=True)
    if not isinstance(penalty, ElasticNet) or penalty.subgradient or penalty.on != "weights":
        raise refuse(method, f"solves with L1, L2 or ElasticNet on the weights, not with {recipe.penalty!r}")
    if not float(penalty.l1) + float(penalty.l2) > 0:
        raise SettingError(f"{type(method).__name__}: needs a penalty to have an optimum; use l1, l2 or elastic")
    return penalty
