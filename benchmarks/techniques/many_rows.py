"""Techniques on all of the digits, or of the animal photos: paired splits of the rows, or digits' halves.

By splits smoothing gained 0.6 points (from -0.2 to 1.4), noise on labels 0.4 (-0.4 to 1.2) and tangent prop 0.8
(-0.1 to 1.7): one test set and more seeds tell more, if of one training set only. There noise on labels in batches of
32 gained 0.1 (-0.3 to 0.5), before the other half of the digits was searched with larger ones.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier

import steepest as st
from benchmarks.measure import Line
from benchmarks.photos import animals
from benchmarks.techniques.gain import REPLICATES, SEED, of_given, of_splits, paired, with_test_set
from steepest.core.spec import replace
from steepest.core.stack import stack
from steepest.study.replicate import draw_of, draw_replicate
from steepest.study.source import from_dataset
from steepest.train.attack import score_under
from steepest.train.population import train

DIGITS = "half of digits, MLP 128-64, cosine schedule"


def labels(small: bool) -> list[Line]:
    """Labels that are not quite certain. Noise on them is smoothing with noise on the gradient, which a rate that falls
    to 0 averages out, and larger batches more so; at a constant rate it did not help in a search."""
    recipe = st.Recipe(model=st.MLP(widths=(128, 64)), method=st.Adam(rate=0.01), schedule=st.Cosine())
    slow = replace(recipe, batch_size=128)
    smoothed = {f"label smoothing 0.1, {DIGITS}": replace(recipe, techniques=(st.Smoothing(0.1),))}
    noisy = {f"noise on labels 0.1, {DIGITS}, batches of 128": replace(slow, techniques=(st.LabelNoise(0.1),))}
    return of_given(halves(), recipe, smoothed, 60, small, standardize=False) + of_given(
        halves(), slow, noisy, 200, small, standardize=False
    )


def augmentation(small: bool) -> list[Line]:
    """The animal photos, which a perceptron learns by heart unless it sees them mirrored and moved."""
    folder = animals()
    if folder is None:
        return []
    data = st.open(folder, size=16)
    rows = data.features().reshape(len(data), *data.shape)
    recipe = st.Recipe(model=st.MLP(widths=(128,)), method=st.Adam(rate=0.001), batch_size=64)
    what = "augmentation (mirrored, moved), animal photos at 16×16, MLP 128"
    return [of_splits(what, (rows, data.y), recipe, st.Augment(flip=0.5, shift=0.1), 60, small, standardize=True)]


def adversarial(small: bool) -> list[Line]:
    """Digits, attacked by FGSM and PGD: the accuracy that training on FGSM's rows saves."""
    recipe = st.Recipe(model=st.MLP(widths=(64,)), method=st.Adam(rate=0.003))
    recipes = [replace(recipe, techniques=(st.Adversarial(size),)) for size in (0.2, 0.0)]  # 0: no training on them
    source = from_dataset(st.open("digits"))
    draw = draw_of(source, SEED, 0.25, 0.0, standardize=True)
    attacks = {f"{kind}, size {size:g}": st.Attack(size, kind=kind) for kind in ("fgsm", "pgd") for size in (0.1, 0.3)}
    attacks = {"no attack": st.Attack(0.0), **attacks}
    found: dict[str, list[np.ndarray]] = {name: [] for name in attacks}
    for number in range(2 if small else REPLICATES):
        replicate = draw_replicate(source, draw, number)
        params = train(recipes, replicate, 1 if small else 20).params
        assert replicate.test is not None
        y = np.asarray(replicate.test.y)
        for name, attack in attacks.items():
            said = score_under(stack(recipes), params, replicate.test, attack, replicate.facts)
            found[name].append((np.asarray(said) == y).mean(axis=1))
    lengths = draw.sizes.train, draw.sizes.test
    return [paired(f"adversarial 0.2, digits, MLP 64: {name}", np.stack(found[name]), *lengths) for name in attacks]


def tangent_prop(small: bool) -> list[Line]:
    """Flat along the images' own seven tangents."""
    recipe = st.Recipe(model=st.MLP(widths=(64,)), method=st.Adam(rate=0.003))
    other = replace(recipe, techniques=(st.TangentProp(1e-3, along="all", smooth=0.5),))
    return of_given(halves(), recipe, {"tangent prop 0.001, half of digits, MLP 64": other}, 60, small)


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
        order = np.random.default_rng([SEED, number]).permutation(len(X))
        here, there = order[:rows], order[rows : rows + tests]
        ours = st.TangentDistance().fit(X[here], y[here])
        euclid = KNeighborsClassifier(1).fit(X[here].reshape(rows, -1), y[here])
        for name, move in moves.items():
            images = move(X[there])
            plain = euclid.score(images.reshape(tests, -1), y[there])
            hits[name].append((ours.score(images, y[there]), plain))
    return [paired(f"tangent distance, {rows} digits, {name}", np.array(hits[name]), rows, tests) for name in moves]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Rows [1797, 8, 8] in 0 … 1, and their labels."""
    data = st.open("digits")
    return data.features().reshape(len(data), *data.shape), data.y


def halves() -> st.Dataset:
    """900 digits, and the others to test on."""
    X, y = digits()
    order = np.random.default_rng(SEED + 1).permutation(len(y))  # settings were found with the halves of 1
    return with_test_set(X, y, order[:900], order[900:])
