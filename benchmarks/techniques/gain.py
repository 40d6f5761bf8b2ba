"""What a technique gains in accuracy, as a line with the interval that `compare` gives.

`SEED` draws what is told: splits, orders, initial weights. Settings were searched with study seeds 0 and 100, and on
CIFAR-10 with the training archive's rows where the test archive's are told of, so that no draw serves both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import steepest as st
from benchmarks.measure import Line
from steepest.core.spec import replace
from steepest.study.crossed import compare_crossed
from steepest.study.statistics import Pair, compare_paired

SEED = 1
REPLICATES = 20  # of drawn splits
SEEDS = 10  # of a given test set, where the examples' chance is most of it


def of_splits(
    what: str, data: tuple[Any, Any], recipe: st.Recipe, techniques: Any, epochs: int, small: bool,
    standardize: bool = False, test: float = 0.25,
) -> Line:  # fmt: skip
    """With the techniques less without, by fresh splits of the rows."""
    settings = {"replicates": 2 if small else REPLICATES, "epochs": 1 if small else epochs, "validation": 0.0}
    both = replace(recipe, techniques=st.Recipe(techniques=techniques).techniques)
    # two structures: each would be padded to a block of its own, for bits that nobody compares here
    found = st.sweep([both, recipe], *data, exact=False, seed=SEED, standardize=standardize, test=test, **settings)
    parts = found.rows(0)
    return paired(what, found.accuracy, len(parts.train.rows), len(parts.test.rows))


def of_given(
    data: st.Dataset, recipe: st.Recipe, others: Mapping[str, st.Recipe], epochs: int, small: bool,
    standardize: bool = True, validation: float = 0.0, seeds: int = SEEDS,
) -> list[Line]:  # fmt: skip
    """Each of the others less the recipe itself, on the test rows that came with the data."""
    settings = {"replicates": 2 if small else seeds, "epochs": 1 if small else epochs, "validation": validation}
    recipes = [recipe, *others.values()]
    right = st.sweep(
        recipes, data, exact=False, seed=SEED, standardize=standardize, test="given", **settings
    ).right  # fmt: skip
    return [crossed(what, right[:, [place, 0]]) for place, what in enumerate(others, 1)]


def with_test_set(X: np.ndarray, y: np.ndarray, here: np.ndarray, there: np.ndarray) -> st.Dataset:
    """Rows to train on and rows to test on, by their numbers, as a data set that came with both."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "rows.npz"
        np.savez(file, X_train=X[here], y_train=y[here], X_test=X[there], y_test=y[there])
        return st.open(file)


def paired(what: str, accuracy: np.ndarray, rows: int, tests: int) -> Line:
    """Accuracies [replicates, 2] with and without, by `rows` training and `tests` test rows, as a line."""
    return _line(what, compare_paired(accuracy, rows, tests)[0], accuracy[:, 1].mean())


def crossed(what: str, right: np.ndarray) -> Line:
    """Which rows were right [seeds, 2, examples] with and without, as a line."""
    return _line(what, compare_crossed(right)[0], right[:, 1].mean())


def _line(what: str, pair: Pair, without: float) -> Line:
    against = f"{100 * without:.1f} % without"
    return Line(what, against, 100 * pair.difference, "points", None, 100 * pair.low, 100 * pair.high)
