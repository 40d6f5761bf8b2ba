"""J5 on CIFAR-10 (JPEG): the sources' network by the sources' recipe, and by the best that a stated search finds.

The sources train 50 epochs on lossless pictures and reach 68.98 %. Here both recipes get fewer epochs, the same number,
and the same seeds; their accuracies are of the 10,000 test images that the collection comes with, and the intervals
count the chance of the seeds and of the examples (`study/crossed.py`).
"""

from __future__ import annotations

import dataclasses
import time

import numpy as np
from scipy import special

import steepest as st
from benchmarks.measure import GAIN, PERCENT, Line, Outcome
from benchmarks.photos import CIFAR_MISSING, cifar
from benchmarks.search import search
from steepest.study.crossed import crossed

EPOCHS, REPLICATES = 6, 3
SEARCHED_ROWS, SEARCHED_EPOCHS, TRIALS = 12_000, 4, 12  # a quarter of the rows validate: 1.4 final trainings in all
WANTED = 10.0

SOURCE = st.Recipe(
    model=st.CNN(),
    method=st.Adam(rate=0.005),
    penalty=st.L2(strength=1e-4, on="all"),
    techniques=(st.Dropout(rate=0.5),),
    batch_size=64,
)


def run(rounds: int, small: bool = False) -> Outcome:
    """One round, however many are asked for: it is a result, not a time."""
    del rounds
    folder = cifar()
    if folder is None:
        return Outcome("cifar", [], {}, skipped=CIFAR_MISSING)
    data, began = st.open(folder), time.monotonic()
    data = some(data, 100) if small else data
    source = trained(SOURCE, data, small, standardize=False)
    print(f"  source {source.mean():.4f}, {time.monotonic() - began:.0f} s", flush=True)
    best, said = searched(data, small)
    print(f"  {said}, {time.monotonic() - began:.0f} s", flush=True)
    ours = trained(best, data, small, standardize=True)
    how = f"CNN of J5, CIFAR-10 (JPEG), {EPOCHS} epochs on the CPU, {REPLICATES} seeds"
    gained = ours.astype(float) - source
    lines = [
        line(f"{how}: the sources' recipe, pixels in 0 … 1", "", source, PERCENT, None),
        line(f"{how}: the best recipe of the search, standardised pixels", "", ours, PERCENT, None),
        line(f"{how}: the best recipe of the search", "the sources' recipe", gained, GAIN, WANTED),
    ]
    return Outcome("cifar", lines, {}, [said, f"{time.monotonic() - began:,.0f} s for all of it"])


def some(data: st.Dataset, every: int) -> st.Dataset:
    """Every so manieth row."""
    parts = {name: getattr(data, name)[::every] for name in ("X", "y", "groups", "given_test")}
    return dataclasses.replace(data, **parts)


def trained(recipe: st.Recipe, data: st.Dataset, small: bool, standardize: bool) -> np.ndarray:
    """Which test images were named right, bool [seeds, images]."""
    found = st.sweep(
        [recipe], data, replicates=2 if small else REPLICATES, epochs=1 if small else EPOCHS, test="given",
        validation=0.0, standardize=standardize, exact=False,
    )  # fmt: skip
    return found.right[:, 0]


def searched(data: st.Dataset, small: bool) -> tuple[st.Recipe, str]:
    """The best recipe of the search, by validation rows out of the training rows; and how it was found."""
    rows = np.flatnonzero(~np.asarray(data.given_test))
    rows = np.random.default_rng(0).choice(rows, len(rows) // 2 if small else SEARCHED_ROWS, replace=False)
    return search(data, rows, SOURCE, *((2, 1) if small else (TRIALS, SEARCHED_EPOCHS)))


def line(what: str, against: str, table: np.ndarray, unit: str, bound: float | None) -> Line:
    """The mean of a table [seeds, images] with its 95 % interval, in per cent or points."""
    found = crossed(table.astype(float))
    half = float(special.stdtrit(found.freedom, 0.975)) * found.error
    low, mean, high = (100 * value for value in (found.mean - half, found.mean, found.mean + half))
    return Line(what, against, mean, unit, bound, low, high)
