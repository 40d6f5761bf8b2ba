"""Coordinate descent for lasso, elastic net and L1 logistic regression, to a duality gap.

A solver, not a method: it takes a linear model straight to its optimum instead of stepping along a gradient.

    minimise  F(w, b) = Σᵢ ωᵢ ℓ(yᵢ, xᵢ·w + b) + l1·Σ|w| + ½·l2·Σw²,      ωᵢ = row weight / sum of row weights

Each strength starts at the weights of the next stronger one. A working set of features grows by those that break the
optimality conditions; on it the loss becomes a quadratic (squared error is one, log loss has Newton's), which
coordinate descent minimises (`quadratic.py`); and a duality gap (`duality.py`) says when to stop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from steepest.core.errors import SettingError, SteepestError
from steepest.core.hyper import Hyper, count, positive
from steepest.core.spec import spec
from steepest.methods.duality import LinearLoss, LogLoss, SquaredError
from steepest.methods.quadratic import minimise

Array = np.ndarray
EPSILON = float(np.finfo(np.float64).eps)


@dataclasses.dataclass(frozen=True)
class Path:
    """What a solver found, one entry a strength, in the order asked for.

    strengths [s, 2] (columns l1 and l2); weights [s, features], intercepts, gaps and iterations [s]; with more than
    two classes weights [s, features, classes] and the rest [s, classes].
    """

    strengths: Array
    weights: Array
    intercepts: Array
    gaps: Array
    iterations: Array


@spec
class Coordinate:
    """Coordinate descent: w_j ← S(w_j − h_j/H_jj, l1/H_jj), h and H the gradient and Hessian of the rest of F.

    (Friedman, Hastie & Tibshirani 2010; Wu & Lange 2008.) Double precision whatever JAX is set to.

    **Shapes**: X [rows, features], y [rows]; see `Path` for what comes back.
    **Hyperparameters**: tolerance on the duality gap, > 0; max_iter sweeps over the working set, for each strength.
    **Differs**: scikit-learn's Lasso and ElasticNet are l1 = alpha·l1_ratio, l2 = alpha·(1 − l1_ratio), and stop at a
    gap of tol·Σy²/n; its LogisticRegression is l1 or l2 = 1/(C·rows), and its liblinear penalises the intercept too.

    >>> X, y = np.array([[1.0], [-1.0]]), np.array([2.0, -2.0])
    >>> Coordinate().solve(X, y, l1=[0.5, 3.0]).weights.tolist()
    [[1.5], [0.0]]
    """

    tolerance: Hyper = positive(1e-10)
    max_iter: Hyper = count(10_000)

    equation: ClassVar[str] = "w_j ← S(w_j − h_j/H_jj, l1/H_jj)"
    paper: ClassVar[str] = "Friedman, Hastie & Tibshirani 2010; Wu & Lange 2008"
    solver: ClassVar[bool] = True
    has_stride: ClassVar[bool] = False
    full_batch: ClassVar[bool] = True
    contains: ClassVar[tuple[str, ...]] = ()

    def solve(
        self,
        X: Any,
        y: Any,
        *,
        l1: Any = 0.0,
        l2: Any = 0.0,
        loss: str = "squared",
        intercept: bool = True,
        row_weights: Any = None,
    ) -> Path:
        """Minimise F for each strength of a path.

        l1 and l2 are numbers or sequences of one length (the path; any order), each pair with one of them above 0.
        loss "squared" is ½(y − s)² of numbers y; "logistic" is log(1 + exp(−y·s)) of two classes (0 and 1, or −1 and
        1), and of more classes 0 … C − 1 one such problem each, against the rest, as `OneVsRest` has it.
        row_weights [rows] ≥ 0 count rows more or less (default: all alike).

        Raises SettingError for data or strengths that make no such problem, and SteepestError where the gap is above
        the tolerance after max_iter sweeps. A gap below float64's own rounding cannot be had: where the weights
        stand still, `tolerance` is taken relative to F(0).
        """
        X, y, omega = _rows(X, y, row_weights)
        strengths = _strengths(l1, l2)
        if loss == "squared":
            return _path(self, X, omega, intercept, strengths, [SquaredError(y)])
        if loss != "logistic":
            raise SettingError(f"Coordinate: loss = {loss!r}; it must be 'squared' or 'logistic'")
        return _path(self, X, omega, intercept, strengths, [LogLoss(signs) for signs in _signs(y)])


# --- the data -----------------------------------------------------------------------------------------------------


def _rows(X: Any, y: Any, row_weights: Any) -> tuple[Array, Array, Array]:
    X, y = np.asarray(X, np.float64), np.asarray(y)
    if X.ndim != 2 or 0 in X.shape or y.shape != X.shape[:1]:
        raise SettingError(f"Coordinate: X is {X.shape} and y {y.shape}; they must be [rows, features] and [rows]")
    omega = np.ones(len(X)) if row_weights is None else np.asarray(row_weights, np.float64)
    if omega.shape != y.shape or not (omega >= 0).all() or not 0 < omega.sum() < np.inf:
        raise SettingError("Coordinate: row_weights must be one finite number of at least 0 a row, some above 0")
    for name, values in (("X", X), ("y", y)):
        if not np.isfinite(values).all():
            raise SettingError(f"Coordinate: {name} holds NaN or infinity; leave out or fill in what is missing")
    used = omega > 0
    return X[used], y[used], omega[used] / omega.sum()


def _strengths(l1: Any, l2: Any) -> Array:
    try:
        pairs = np.stack(np.broadcast_arrays(np.atleast_1d(l1), np.atleast_1d(l2)), axis=-1).astype(np.float64)
    except ValueError:
        raise SettingError("Coordinate: l1 and l2 must be numbers, or sequences of one length") from None
    if pairs.ndim != 2 or not len(pairs) or not np.isfinite(pairs).all() or (pairs < 0).any():
        raise SettingError("Coordinate: l1 and l2 must be finite numbers of at least 0")
    if (pairs.sum(axis=1) == 0).any():
        raise SettingError(
            "Coordinate: l1 = l2 = 0; without a penalty there is no duality gap to stop at: set one above 0"
        )
    return pairs


def _signs(y: Array) -> list[Array]:
    """±1 for each binary problem: one for two classes, else one a class."""
    found = np.unique(y)
    if np.array_equal(found, [-1, 1]):
        return [y.astype(np.float64)]
    classes = len(found)
    if classes < 2 or not np.array_equal(found, np.arange(classes)):
        raise SettingError(
            f"Coordinate: classes {found[:5].tolist()}; they must be 0, 1, … with none left out, or −1, 1"
        )
    return [np.where(y == c, 1.0, -1.0) for c in ([1] if classes == 2 else range(classes))]


# --- a path of strengths --------------------------------------------------------------------------------------------


@dataclasses.dataclass
class _Problem:
    """One binary or regression problem on centred features; w and b are where it stands now."""

    X: Array
    omega: Array
    loss: LinearLoss
    intercept: bool
    gram: Array | None
    w: Array
    b: float

    def scores(self) -> Array:
        support = np.flatnonzero(self.w)
        return self.X[:, support] @ self.w[support] + self.b

    def objective(self, s: Array, l1: float, l2: float) -> float:
        return float(self.omega @ self.loss.rows(s) + l1 * np.abs(self.w).sum() + 0.5 * l2 * self.w @ self.w)


def _path(
    solver: Coordinate, X: Array, omega: Array, intercept: bool, strengths: Array, losses: Sequence[LinearLoss]
) -> Path:
    means = omega @ X if intercept else np.zeros(X.shape[1])
    centred = X - means  # the same problem with b + w·means for b, and better conditioned
    if intercept:
        # what centring leaves of a constant column is rounding, and no feature
        centred[:, np.abs(centred).max(axis=0) <= 16 * EPSILON * np.abs(X).max(axis=0)] = 0.0
    squared = isinstance(losses[0], SquaredError)
    gram = (centred * omega[:, None]).T @ centred if squared and X.shape[1] <= max(2 * len(X), 500) else None
    solved = []
    for loss in losses:
        b = loss.start(omega) if intercept else 0.0
        problem = _Problem(centred, omega, loss, intercept, gram, np.zeros(X.shape[1]), b)
        found: dict[int, Any] = {}
        for i in np.lexsort((-strengths[:, 1], -strengths[:, 0])):  # strongest first: each starts near its solution
            gap, sweeps = _solve(solver, problem, *map(float, strengths[i]))
            found[i] = problem.w.copy(), problem.b - means @ problem.w, gap, sweeps
        solved.append([found[i] for i in range(len(strengths))])
    columns = [np.array([[step[k] for step in one] for one in solved]) for k in range(4)]
    shaped = [c[0] if len(losses) == 1 else np.moveaxis(c, 0, -1) for c in columns]
    return Path(strengths, *shaped)


# --- one strength ---------------------------------------------------------------------------------------------------


def _solve(solver: Coordinate, at: _Problem, l1: float, l2: float) -> tuple[float, int]:
    """Minimise F from where the problem stands; the gap reached and the sweeps it took."""
    working = np.flatnonzero(at.w)
    relative = solver.tolerance * max(1.0, float(at.omega @ at.loss.rows(np.zeros(len(at.omega)))))
    sweeps, stale, best, lowest = 0, 0, np.inf, np.inf
    while True:
        s = at.scores()
        pull = at.loss.pull(s)
        q = at.X.T @ (at.omega * pull)
        gap = _gap(at, s, pull, q, l1, l2)
        value = at.objective(s, l1, l2)
        # neither F nor the gap falls any more: this is as far as float64 goes
        stale = stale + 1 if value >= lowest - 8 * EPSILON * abs(lowest) and gap > 0.5 * best else 0
        # one Newton step past the tolerance costs little and gives the weights, not only F, to many digits
        done = best <= solver.tolerance or gap <= 1e-3 * solver.tolerance
        stands, best, lowest = stale >= 5, min(gap, best), min(value, lowest)
        spent = stands or sweeps >= solver.max_iter
        if (gap <= solver.tolerance and (done or spent)) or (stands and gap <= relative):
            return gap, sweeps
        if spent:
            raise SteepestError(
                f"Coordinate: l1 = {l1:g}, l2 = {l2:g}: a duality gap of {gap:.1e} after {sweeps} sweeps, and "
                f"{solver.tolerance:g} was asked for; raise {'tolerance' if stands else 'max_iter or tolerance'}, "
                "or standardise the features"
            )
        working = _grown(working, at.w, q, l1)
        sweeps += _newton(at, s, pull, working, l1, l2, int(solver.max_iter) - sweeps)


def _grown(working: Array, w: Array, q: Array, l1: float) -> Array:
    """The working set with the features that break |q_j| ≤ l1 at w_j = 0 worst; at most doubled."""
    outside = np.abs(q)
    outside[working] = 0.0
    breaking = np.flatnonzero(outside > l1)
    room = max(50, len(working))
    if len(breaking) > room:
        breaking = breaking[np.argpartition(-outside[breaking], room)[:room]]
    return np.union1d(np.union1d(working, breaking), np.flatnonzero(w))


def _gap(at: _Problem, s: Array, pull: Array, q: Array, l1: float, l2: float) -> float:
    """P − D as a sum of Fenchel–Young terms, each at least 0, so that no digits cancel; the best of two dual points."""
    theta, u = pull, q
    if at.intercept:
        theta = at.loss.balanced(pull, at.omega)
        u = at.X.T @ (at.omega * theta)
    size, w = np.abs(u), np.abs(at.w)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = min(1.0, float(np.min(np.where(size > 0, (l1 + l2 * w) / size, 1.0))))
    gaps = []
    for c in (scale, 1.0) if l2 > 0 else (scale,):
        over = np.maximum(c * size - l1, 0.0) if l2 > 0 else np.zeros_like(size)
        ours = (l1 * w - c * u * at.w) + 0.5 * l2 * w * w + (over * over / (2 * l2) if l2 > 0 else 0.0)
        gaps.append(float(at.omega @ at.loss.distance(s, c * theta) + ours.sum()))
    return max(min(gaps), 0.0)


def _newton(at: _Problem, s: Array, pull: Array, working: Array, l1: float, l2: float, budget: int) -> int:
    """Minimise the quadratic model of F on the working set (and the intercept), and go there as far as F falls."""
    X, weight = at.X[:, working], at.omega * at.loss.curvature(s)
    k = len(working)
    H, x = np.zeros((k + 1, k + 1)), np.zeros(k + 1)
    H[:k, :k] = at.gram[np.ix_(working, working)] if at.gram is not None else (X * weight[:, None]).T @ X
    H[np.arange(k), np.arange(k)] += l2
    x[:k] = at.w[working]
    if at.intercept:
        H[k, :k] = H[:k, k] = X.T @ weight
        H[k, k], x[k] = weight.sum(), at.b
    h = np.append(l2 * at.w[working] - X.T @ (at.omega * pull), -(at.omega @ pull) if at.intercept else 0.0)
    new, sweeps = minimise(H, H @ x - h, np.append(np.full(k, l1), 0.0), x, budget)
    move = new - x
    if isinstance(at.loss, SquaredError):  # the model is F itself
        at.w[working], at.b = new[:k], float(new[k])
        return sweeps
    start, slope = at.objective(s, l1, l2), h @ move + l1 * (np.abs(new[:k]).sum() - np.abs(x[:k]).sum())
    for halvings in range(40):
        step = 0.5**halvings
        there = new if step == 1 else x + step * move  # x + (new − x) would not keep exact zeros
        at.w[working], at.b = there[:k], float(there[k])
        # near the optimum F no longer resolves the descent; there Newton's full step is right
        if at.objective(at.scores(), l1, l2) <= start + 0.01 * step * slope + 8 * EPSILON * abs(start):
            return sweeps
    at.w[working], at.b = x[:k], float(x[k])
    return sweeps
