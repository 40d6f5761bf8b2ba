"""The animal photos by the sources' CNN: the best recipe of a stated search, over several splits.

The sources' linear model reaches 57.20 %. The recipe is searched on the training rows of one split. The test rows of
the others share rows with the search, as splits of 3,000 photos must, so that first split, whose test rows played no
part in it, is also told of by itself.
"""

from __future__ import annotations

import time

import numpy as np
from scipy import stats

import steepest as st
from benchmarks.measure import PERCENT, Line, Outcome
from benchmarks.photos import MISSING, animals
from benchmarks.search import search

TRIALS, SEARCHED_EPOCHS, EPOCHS, REPLICATES = 12, 24, 48, 5
WANTED = 75.0
BASE = st.Recipe(model=st.CNN(), batch_size=64)


def run(rounds: int, small: bool = False) -> Outcome:
    """One round, however many are asked for: it is a result, not a time."""
    del rounds
    folder = animals()
    if folder is None:
        return Outcome("animals_cnn", [], {}, skipped=MISSING)
    data, began = st.open(folder), time.monotonic()
    how = {"replicates": 2 if small else REPLICATES, "epochs": 1 if small else EPOCHS, "validation": 0.0}
    splits = st.sweep([st.Recipe()], data, **{**how, "epochs": 1})  # whose splits are those of the CNN's, below
    best, said = search(data, splits.rows(0).train.rows, BASE, *((2, 1) if small else (TRIALS, SEARCHED_EPOCHS)))
    print(f"  {said}, {time.monotonic() - began:.0f} s", flush=True)
    found = st.sweep([best], data, **how, standardize=True, exact=False)
    assert np.array_equal(found.rows(0).test.rows, splits.rows(0).test.rows)
    scores = 100 * found.accuracy[:, 0]
    sizes = len(found.rows(0).train.rows), len(found.rows(0).test.rows)
    half = stats.t.ppf(0.975, len(scores) - 1) * scores.std(ddof=1) * (1 / len(scores) + sizes[1] / sizes[0]) ** 0.5
    what = f"CNN of J5, animal photos at 32×32, {how['epochs']} epochs, best recipe of the search"
    lines = [
        Line(
            f"{what}, {len(scores)} splits",
            "",
            scores.mean(),
            PERCENT,
            WANTED,
            scores.mean() - half,
            scores.mean() + half,
        ),
        Line(f"{what}, the split whose training rows it was searched on", "", scores[0], PERCENT, WANTED),
    ]
    return Outcome("animals_cnn", lines, {}, [said, f"{time.monotonic() - began:,.0f} s for all of it, on the CPU"])
