"""What each technique gains in accuracy on real data, in points, by paired replicates with the comparison's interval.

One function a technique; it may give several lines. Nothing is asked of a gain: a technique that does not help here is
told of as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier

import steepest as st
from benchmarks.measure import Line, Outcome
from benchmarks.photos import animals
from steepest.core.spec import replace
from steepest.core.stack import stack
from steepest.study.replicate import draw_of, draw_replicate
from steepest.study.source import from_dataset
from steepest.study.statistics import compare_paired
from steepest.train.attack import score_under
from steepest.train.population import train

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


def adversarial(small: bool) -> list[Line]:
    """Digits, attacked by FGSM and PGD: the accuracy that training on FGSM's rows saves."""
    recipe = st.Recipe(model=st.MLP(widths=(64,)), method=st.Adam(rate=0.003))
    recipes = [replace(recipe, techniques=(st.Adversarial(size),)) for size in (0.2, 0.0)]  # 0: no training on them
    source = from_dataset(st.open("digits"))
    draw = draw_of(source, 0, 0.25, 0.0, standardize=True)
    attacks = {f"{kind}, size {size:g}": st.Attack(size, kind=kind) for kind in ("fgsm", "pgd") for size in (0.1, 0.3)}
    attacks = {"no attack": st.Attack(0.0), **attacks}
    found: dict[str, list[np.ndarray]] = {name: [] for name in attacks}
    for number in range(2 if small else REPLICATES):
        replicate = draw_replicate(source, draw, number)
        params = train(recipes, replicate, 1 if small else 20).params
        y = np.asarray(replicate.test.y)  # type: ignore[union-attr]
        for name, attack in attacks.items():
            said = score_under(stack(recipes), params, replicate.test, attack, replicate.facts)  # type: ignore[arg-type]
            found[name].append((np.asarray(said) == y).mean(axis=1))
    lengths = draw.sizes.train, draw.sizes.test
    return [paired(f"adversarial 0.2, digits, MLP 64: {name}", np.stack(found[name]), *lengths) for name in attacks]


def tangent_prop(small: bool) -> list[Line]:
    """Half of the digits: flat along the images' own seven tangents."""
    recipe = st.Recipe(model=st.MLP(widths=(64,)), method=st.Adam(rate=0.003))
    technique = st.TangentProp(1e-3, along="all", smooth=0.5)
    what = "tangent prop 0.001, half of digits, MLP 64"
    return [gained(what, digits(), recipe, technique, 60, small, standardize=True, test=0.5)]


def sparse(small: bool) -> list[Line]:
    """Digits: hidden units that are mostly silent."""
    recipe = st.Recipe(model=st.MLP(widths=(256,)), method=st.Adam(rate=0.003))
    return [gained("sparse 0.001 (L1), digits, MLP 256", digits(), recipe, st.Sparse(1e-3), 20, small)]


def moved_digits(small: bool) -> list[Line]:
    """Digits, the test images turned by 15° or moved by a pixel: tangent against Euclidean distance, one neighbour."""
    X, y = digits()
    X = np.pad(X[..., 0], ((0, 0), (2, 2), (2, 2)))
    moves = {
        "as they are": lambda images: images,
        "turned by 15°": lambda images: ndimage.rotate(images, 15, axes=(2, 1), reshape=False, order=1),
        "moved by a pixel": lambda images: ndimage.shift(images, (0, 0, 1), order=1),
    }
    hits: dict[str, list[tuple[float, float]]] = {name: [] for name in moves}
    rows, tests = (60, 40) if small else (600, 200)
    for number in range(2 if small else REPLICATES):
        order = np.random.default_rng(number).permutation(len(X))
        here, there = order[:rows], order[rows : rows + tests]
        ours = st.TangentDistance().fit(X[here], y[here])
        euclid = KNeighborsClassifier(1).fit(X[here].reshape(rows, -1), y[here])
        for name, move in moves.items():
            images = move(X[there])
            plain = euclid.score(images.reshape(tests, -1), y[there])
            hits[name].append((ours.score(images, y[there]), plain))
    return [paired(f"tangent distance, {rows} digits, {name}", np.array(hits[name]), rows, tests) for name in moves]


CASES: tuple[Callable[[bool], list[Line]], ...] = (
    smoothing,
    dropout,
    noise,
    augmentation,
    adversarial,
    tangent_prop,
    sparse,
    moved_digits,
)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Rows [1797, 8, 8] in 0 … 1, and their labels."""
    data = st.open("digits")
    return data.features().reshape(len(data), *data.shape), data.y


def gained(
    what: str, data: tuple[Any, Any], recipe: st.Recipe, techniques: Any, epochs: int, small: bool = False,
    standardize: bool = False, test: float = 0.25,
) -> Line:  # fmt: skip
    """Test accuracy with the techniques less that without, in points, with its 95 % interval."""
    settings = {"replicates": 2 if small else REPLICATES, "epochs": 1 if small else epochs, "validation": 0.0}
    both = replace(recipe, techniques=st.Recipe(techniques=techniques).techniques)
    # two structures: each would be padded to a block of its own, for bits that nobody compares here
    found = st.sweep([both, recipe], *data, exact=False, standardize=standardize, test=test, **settings)
    parts = found.rows(0)
    return paired(what, found.accuracy, len(parts.train.rows), len(parts.test.rows))


def paired(what: str, accuracy: np.ndarray, rows: int, tests: int) -> Line:
    """Accuracies [replicates, 2] with and without, by `rows` training and `tests` test rows, as a line."""
    pair = compare_paired(accuracy, rows, tests)[0]
    against = f"{100 * accuracy[:, 1].mean():.1f} % without"
    return Line(what, against, 100 * pair.difference, "points", None, 100 * pair.low, 100 * pair.high)
