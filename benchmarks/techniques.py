"""What each technique gains in accuracy on real data, in points, by paired replicates with the comparison's interval.

One function a technique; it may give several lines. Nothing is asked of a gain: a technique that does not help here is
told of as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import steepest as st
from benchmarks.measure import Line, Outcome
from benchmarks.photos import animals
from steepest.core.spec import replace
from steepest.study.statistics import compare_paired

REPLICATES = 20


def run(rounds: int, small: bool = False) -> Outcome:
    """One round, however many are asked for: it is a result, not a time."""
    del rounds
    lines = [line for case in CASES for line in case(small)]
    return Outcome("techniques", lines, {}, [f"{REPLICATES} paired replicates each; the interval is the comparison's"])


def smoothing(small: bool) -> list[Line]:
    """Digits: Adam at a high rate, whose softmax saturates without it."""
    recipe = st.Recipe(model=st.MLP(widths=(64,)), method=st.Adam(rate=0.01))
    return [gained("label smoothing 0.1, digits, MLP 64", digits(), recipe, st.Smoothing(0.1), 20, small)]


def dropout(small: bool) -> list[Line]:
    """J7's network on digits."""
    recipe = st.Recipe(model=st.MLP(widths=(256, 128)), method=st.Adam(rate=0.001))
    layers = (st.Dropout(0.5, layers=(1,)), st.Dropout(0.3, layers=(2,)))
    return [gained("dropout 0.5 and 0.3, digits, MLP 256-128 (J7)", digits(), recipe, layers, 40, small)]


def noise(small: bool) -> list[Line]:
    """Digits, each kind of noise by itself."""
    recipe = st.Recipe(model=st.MLP(widths=(64,)), method=st.Adam(rate=0.01))
    kinds = {
        "inputs, 0.1": st.InputNoise(0.1),
        "hidden units, 0.2": st.HiddenNoise(0.2),
        "weights, 0.03": st.WeightNoise(0.03),
        "labels, 0.05": st.LabelNoise(0.05),
    }
    return [
        gained(f"noise on {kind}, digits, MLP 64", digits(), recipe, technique, 20, small)
        for kind, technique in kinds.items()
    ]


def augmentation(small: bool) -> list[Line]:
    """The animal photos, which a perceptron learns by heart unless it sees them mirrored and moved: 62.4 to 66.3 %."""
    folder = animals()
    if folder is None:
        return []
    data = st.open(folder, size=16)
    rows = data.features().reshape(len(data), *data.shape)
    recipe = st.Recipe(model=st.MLP(widths=(128,)), method=st.Adam(rate=0.001), batch_size=64)
    what = "augmentation (mirrored, moved), animal photos at 16×16, MLP 128"
    return [gained(what, (rows, data.y), recipe, st.Augment(flip=0.5, shift=0.1), 60, small, standardize=True)]


CASES: tuple[Callable[[bool], list[Line]], ...] = (smoothing, dropout, noise, augmentation)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Rows [1797, 8, 8] in 0 … 1, and their labels."""
    data = st.open("digits")
    return data.features().reshape(len(data), *data.shape), data.y


def gained(
    what: str, data: tuple[Any, Any], recipe: st.Recipe, techniques: Any, epochs: int, small: bool = False,
    standardize: bool = False,
) -> Line:  # fmt: skip
    """Test accuracy with the techniques less that without, in points, with its 95 % interval."""
    settings = {"replicates": 2 if small else REPLICATES, "epochs": 1 if small else epochs, "validation": 0.0}
    both = replace(recipe, techniques=st.Recipe(techniques=techniques).techniques)
    # two structures: each would be padded to a block of its own, for bits that nobody compares here
    found = st.sweep([both, recipe], *data, exact=False, standardize=standardize, **settings)
    parts = found.rows(0)
    pair = compare_paired(found.accuracy, len(parts.train.rows), len(parts.test.rows))[0]
    against = f"{100 * found.accuracy[:, 1].mean():.1f} % without"
    return Line(what, against, 100 * pair.difference, "points", None, 100 * pair.low, 100 * pair.high)
