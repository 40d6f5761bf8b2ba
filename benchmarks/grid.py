"""A grid of rates × L2 strengths for a linear classifier: steepest, scikit-learn and the loop by hand, in turn."""

from __future__ import annotations

import statistics
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import SGDClassifier

import steepest as st
from benchmarks import hand_written
from benchmarks.measure import Line, Outcome, interleaved, ratio, timed
from steepest.train.device import cores

BATCH = 32
TEST = 0.25
WITHIN = 1.5  # points of accuracy: how far the best of steepest and of scikit-learn may be apart


@dataclass(frozen=True)
class Bounds:
    """How many times faster steepest has to be than scikit-learn and than the loop written by hand."""

    exact: float
    fast: float
    exact_by_hand: float = 0.5
    fast_by_hand: float = 0.75


@dataclass(frozen=True, eq=False)
class Grid:
    """The rows and the recipes; every rate meets every strength."""

    name: str
    X: np.ndarray
    y: np.ndarray
    rates: np.ndarray
    strengths: np.ndarray
    epochs: int

    def pairs(self) -> np.ndarray:
        """[recipes, 2]: rate and strength."""
        return np.array([(r, s) for r in self.rates for s in self.strengths], np.float32)

    def recipes(self) -> list[st.Recipe]:
        """One for each pair; from weights of zero, where scikit-learn starts."""
        return [
            st.Recipe(method=st.SGD(rate=float(r)), penalty=st.L2(strength=float(s)), batch_size=BATCH)
            for r, s in self.pairs()
        ]


def compare(grid: Grid, bounds: Bounds, rounds: int) -> Outcome:
    """All five in turn: steepest exact and not, scikit-learn on all cores, the loop written by hand in its layouts."""
    recipes = grid.recipes()
    sweep = partial(st.sweep, recipes, grid.X, grid.y, replicates=1, epochs=grid.epochs, test=TEST, validation=0)
    cold, _ = timed(sweep)
    ours = {"exact": sweep(), "fast": sweep(exact=False)}
    rows = ours["exact"].rows(0)
    parts = [grid.X[rows.train.rows], grid.y[rows.train.rows], grid.X[rows.test.rows], grid.y[rows.test.rows]]
    theirs = scikit_learn(grid, *parts)
    work: dict[str, Any] = {
        "exact": sweep,
        "fast": partial(sweep, exact=False),
        "scikit-learn": lambda: scikit_learn(grid, *parts),
    }
    by_hand = {layout: _by_hand(grid, parts, layout) for layout in hand_written.LAYOUTS}
    for layout, train in by_hand.items():
        _agrees(train(), ours["exact"])
        work[f"by hand, {layout}"] = train
    times = interleaved(work, rounds, warm=False)  # all of it ran above
    hand = f"by hand, {hand_written.YARDSTICK}"
    best = f"by hand, {min(hand_written.LAYOUTS, key=lambda lay: statistics.median(times[f'by hand, {lay}'].wall))}"
    accuracy = {name: 100 * float(result.accuracy.max()) for name, result in ours.items()} | {"scikit-learn": theirs}
    apart = max(accuracy.values()) - min(accuracy.values())
    what = f"{grid.name}, {len(recipes)} recipes, {grid.epochs} epochs"
    lines = [
        ratio(f"{what}, exact", "scikit-learn", times, "exact", "scikit-learn", bounds.exact),
        ratio(f"{what}, exact=False", "scikit-learn", times, "fast", "scikit-learn", bounds.fast),
        Line(f"{what}, best held-out accuracies apart", "scikit-learn", apart, "points", WITHIN),
        ratio(f"{what}, exact", f"JAX {hand}", times, "exact", hand, bounds.exact_by_hand),
        ratio(f"{what}, exact=False", f"JAX {hand}", times, "fast", hand, bounds.fast_by_hand),
        ratio(f"{what}, exact", f"{best}, the fastest layout found", times, "exact", best),
        ratio(f"{what}, exact=False", f"{best}, the fastest layout found", times, "fast", best),
    ]
    best_accuracy = ", ".join(f"{name} {value:.2f} %" for name, value in accuracy.items())
    notes = [
        f"best held-out accuracy on {len(parts[3])} rows: {best_accuracy}",
        f"steepest's first run, programs compiled or loaded from the cache: {cold:.2f} s",
        "medians in seconds: " + ", ".join(f"{n} {statistics.median(t.wall):.3f}" for n, t in times.items()),
    ]
    return Outcome(what, lines, times, notes)


def scikit_learn(grid: Grid, X: Any, y: Any, X_test: Any, y_test: Any) -> float:
    """The best held-out accuracy of the same grid over SGDClassifier, on all cores, in per cent."""
    jobs = (delayed(fit_one)(float(r), float(s), grid.epochs, X, y, X_test, y_test) for r, s in grid.pairs())
    return 100 * max(Parallel(n_jobs=cores())(jobs))


def fit_one(rate: float, strength: float, epochs: int, X: Any, y: Any, X_test: Any, y_test: Any) -> float:
    model = classifier(rate, strength, epochs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "maximum number of iterations reached" is what was asked for
        try:
            return model.fit(X, y).score(X_test, y_test)
        except ValueError as error:  # its weights overflowed
            if "overflow" not in str(error):
                raise
            return 0.0


def classifier(rate: float, strength: float, epochs: int) -> SGDClassifier:
    """scikit-learn's linear classifier by SGD (one row a step) for a fixed number of epochs."""
    return SGDClassifier(
        loss="log_loss", penalty="l2", alpha=strength, learning_rate="constant", eta0=rate, max_iter=epochs, tol=None,
        random_state=0,
    )  # fmt: skip


def _by_hand(grid: Grid, parts: list[np.ndarray], layout: str) -> Any:
    """The yardstick on the same rows."""
    X, y = np.asarray(parts[0], np.float32), parts[1]
    steps = -(-len(X) // BATCH)
    orders = np.zeros((grid.epochs, steps * BATCH), np.int32)
    weights = np.zeros((grid.epochs, steps * BATCH), np.float32)
    chance = np.random.default_rng(0)
    for epoch in range(grid.epochs):
        orders[epoch, : len(X)], weights[epoch, : len(X)] = chance.permutation(len(X)), 1
    shape = (grid.epochs, steps, BATCH)
    rates, strengths = grid.pairs().T
    return lambda: hand_written.train(layout, rates, strengths, X, y, orders.reshape(shape), weights.reshape(shape))


def _agrees(trained: tuple[np.ndarray, np.ndarray], ours: st.Sweep) -> None:
    """The yardstick must train what steepest trains: weights of the same size (orders and initial weights differ)."""
    for place in (0, len(ours.recipes) // 2, len(ours.recipes) - 1):
        params = ours.params(0, place)
        size = np.linalg.norm(trained[0][place]) / np.linalg.norm(params["W"])
        if trained[0][place].shape != params["W"].shape or not (ours.status[0, place] == "diverged" or 0 < size < 3):
            raise AssertionError(f"the loop by hand does not train recipe {place} as steepest does (sizes {size:.2f})")
