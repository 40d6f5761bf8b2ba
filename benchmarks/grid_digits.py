"""Digits, linear softmax, SGD: 16 rates × 16 L2 strengths, batches of 32, 20 epochs."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from benchmarks.grid import Bounds, Grid, compare
from benchmarks.measure import Outcome


def run(rounds: int, small: bool = False) -> Outcome:
    """Targets: 15 and 25 times as fast as scikit-learn's grid, half and three quarters of a loop by hand."""
    X, y = load_digits(return_X_y=True)
    number = 3 if small else 16
    grid = Grid(
        "digits", (X / 16).astype(np.float32), y, np.geomspace(1e-3, 1, number), np.geomspace(1e-6, 1e-2, number),
        epochs=2 if small else 20,
    )  # fmt: skip
    return compare(grid, Bounds(exact=15, fast=25), rounds)
