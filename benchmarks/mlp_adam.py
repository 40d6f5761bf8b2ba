"""A multi-layer perceptron 64-128-10 with Adam, 64 rates: steepest trains them together, PyTorch one after another."""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import steepest as st
from benchmarks.grid import BATCH, TEST
from benchmarks.measure import Outcome, interleaved, ratio

HIDDEN, EPOCHS = 128, 20


def run(rounds: int, small: bool = False) -> Outcome:
    """Target: 7 times as fast as PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return Outcome("MLP", [], {}, skipped="PyTorch is not installed; `make bench` installs it")
    X, y = load_digits(return_X_y=True)
    X, epochs = (X / 16).astype(np.float32), 2 if small else EPOCHS
    rates = np.geomspace(1e-4, 1e-2, 4 if small else 64)
    recipes = [
        st.Recipe(model=st.MLP(widths=(HIDDEN,)), method=st.Adam(rate=float(r)), batch_size=BATCH) for r in rates
    ]
    sweep = partial(st.sweep, recipes, X, y, replicates=1, epochs=epochs, test=TEST, validation=0)
    ours = sweep()
    rows = ours.rows(0)
    parts = X[rows.train.rows], y[rows.train.rows], X[rows.test.rows], y[rows.test.rows]
    theirs = np.array(one_after_another(rates, epochs, *parts, threads=1))
    work: dict[str, Any] = {
        "exact": sweep,
        "fast": partial(sweep, exact=False),
        "PyTorch": lambda: one_after_another(rates, epochs, *parts, threads=1),
    }
    times = interleaved(work, rounds, warm=False)
    what = f"MLP 64-{HIDDEN}-10 with Adam, {len(rates)} recipes, {epochs} epochs"
    against = "PyTorch, one after another"
    lines = [
        ratio(f"{what}, exact", against, times, "exact", "PyTorch", 7),
        ratio(f"{what}, exact=False", against, times, "fast", "PyTorch"),
    ]
    best = f"best held-out accuracy: steepest {ours.accuracy.max():.2%}, PyTorch {theirs.max():.2%}"
    return Outcome(
        what, lines, times, [best, "PyTorch has one thread and Adam's fused kernel, the fastest of its ways"]
    )


def one_after_another(
    rates: np.ndarray, epochs: int, X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray, threads: int
) -> list[float]:
    """The held-out accuracy of each rate."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    rows, labels = torch.from_numpy(X), torch.from_numpy(y).long()
    made = []
    for rate in rates:
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Linear(X.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, int(y.max()) + 1)
        )
        for layer in (model[0], model[2]):
            torch.nn.init.kaiming_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
        optimizer = torch.optim.Adam(model.parameters(), lr=float(rate), fused=True)
        for _ in range(epochs):
            for index in torch.randperm(len(rows)).split(BATCH):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(model(rows[index]), labels[index]).backward()
                optimizer.step()
        with torch.no_grad():
            said = model(torch.from_numpy(X_test)).argmax(1).numpy()
        made.append(float(np.mean(said == y_test)))
    torch.set_num_threads(before)
    return made
