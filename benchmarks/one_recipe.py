"""Digits, one recipe: steepest trains it in its block of fixed width, scikit-learn fits one SGDClassifier."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.datasets import load_digits

import steepest as st
from benchmarks.grid import BATCH, TEST, fit_one
from benchmarks.measure import Outcome, interleaved, ratio

RATE, STRENGTH, EPOCHS = 0.1, 1e-4, 20


def run(rounds: int, small: bool = False) -> Outcome:
    """Target: as fast as one SGDClassifier fit of as many epochs."""
    X, y = load_digits(return_X_y=True)
    X, epochs = (X / 16).astype(np.float32), 2 if small else EPOCHS
    recipe = st.Recipe(method=st.SGD(rate=RATE), penalty=st.L2(strength=STRENGTH), batch_size=BATCH)
    sweep = partial(st.sweep, recipe, X, y, replicates=1, epochs=epochs, test=TEST, validation=0)
    rows = sweep().rows(0)
    parts = X[rows.train.rows], y[rows.train.rows], X[rows.test.rows], y[rows.test.rows]
    work = {
        "exact": sweep,
        "alone": partial(sweep, exact=False),
        "scikit-learn": lambda: fit_one(RATE, STRENGTH, epochs, *parts),
    }
    times = interleaved(work, 5 * rounds)  # milliseconds each
    what = f"digits, one recipe, {epochs} epochs"
    lines = [
        ratio(f"{what}, in its block (exact)", "one SGDClassifier", times, "exact", "scikit-learn", 1),
        ratio(f"{what}, exact=False", "one SGDClassifier", times, "alone", "scikit-learn"),
    ]
    return Outcome(what, lines, times)
