"""A random search for a convolutional network's recipe, on a budget that its words state."""

from __future__ import annotations

from typing import Any

import numpy as np

import steepest as st
from steepest.core.spec import replace

VALIDATION = 0.25


def search(
    data: st.Dataset, rows: np.ndarray, base: st.Recipe, trials: int, epochs: int, seed: int = 0
) -> tuple[st.Recipe, str]:
    """The best of so many recipes drawn by chance, trained on some of the rows and judged on a quarter of them."""
    rng = np.random.default_rng(seed)
    recipes = [drawn(rng, number, base) for number in range(trials)]
    X = data.features(rows).reshape(len(rows), *data.shape)
    found = st.sweep(
        recipes, X, data.y[rows], replicates=1, epochs=epochs, seed=seed, test=0.0, validation=VALIDATION,
        standardize=True, exact=False,
    )  # fmt: skip
    scores = found.score(part="validation")[0]
    best = int(np.nanargmax(scores))
    said = f"searched: {trials} recipes, {len(rows):,} images of which a quarter validates, {epochs} epochs each; "
    said += f"validation {100 * np.nanmin(scores):.1f} … {100 * scores[best]:.1f} %: {recipes[best]!r}"
    return recipes[best], said


def drawn(rng: np.random.Generator, number: int, base: st.Recipe) -> st.Recipe:
    """A recipe by chance: Adam or Nesterov in turn, one cycle, flips and small shifts in every other pair of them."""
    method: Any = st.Adam(rate=10 ** rng.uniform(-3.3, -2.3))
    if number % 2:
        method = st.Nesterov(rate=10 ** rng.uniform(-1.7, -0.7), momentum=0.9)
    techniques: tuple[Any, ...] = (st.Dropout(rate=rng.uniform(0.0, 0.5)),)
    if number // 2 % 2:
        techniques += (st.Augment(flip=0.5, shift=0.06, rotate=0.0, scale=0.0),)
    strength = 10 ** rng.uniform(-4.5, -3)
    schedule = st.OneCycle(peak=0.25, div=10.0, final=100.0)
    return replace(base, method=method, penalty=st.L2(strength=strength), techniques=techniques, schedule=schedule)
