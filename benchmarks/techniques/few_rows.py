"""Techniques on CIFAR-10 (JPEG) at 16×16: 2,000 photos to learn from, or 5,000, which networks then know by heart; the
others of 10,000 to test.

Both come from the test archive, which opens in seconds. Settings were found by training on 2,000 rows of the training
archive and testing on 5,000 others of it. Two had further looks at the rows that are told of: noise on weights of 0.03
(0.2 points, from -0.2 to 0.6), and sparse activations on one hidden layer (0.01: -0.6, from -1.1 to -0.1; 0.002: 0.0,
from -0.2 to 0.3), before a search found that they help deeper networks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import steepest as st
from benchmarks.measure import Line
from benchmarks.photos import cifar
from benchmarks.techniques.gain import SEEDS, of_given, with_test_set
from steepest.core.spec import replace

ROWS, MORE, SIZE = 2000, 5000, 16

PERCEPTRON = st.Recipe(model=st.MLP(widths=(128,)), method=st.Adam(rate=0.001), batch_size=64)
DEEP = st.Recipe(model=st.MLP(widths=(128, 64, 32)), method=st.Adam(rate=0.001), batch_size=64)
CONVOLUTIONS = st.Recipe(
    model=st.CNN(channels=(16, 32), dense=64), method=st.Adam(rate=0.003), schedule=st.Cosine(), batch_size=64
)
LINEAR = st.Recipe(method=st.Adam(rate=0.001), batch_size=64)

TECHNIQUES = {
    "dropout 0.3": st.Dropout(0.3),
    "dropout of inputs 0.5": st.InputDropout(0.5),
    "noise on inputs 1": st.InputNoise(1.0),
    "noise on hidden units 2": st.HiddenNoise(2.0),
    "noise on weights 0.05": st.WeightNoise(0.05),
    "max-norm 0.7": st.MaxNorm(0.7),
}


def perceptron(small: bool) -> list[Line]:
    """A hidden layer, and each technique by itself."""
    folder = cifar()
    if folder is None:
        return []
    others = {
        f"{what}, {ROWS:,} photos of CIFAR-10 (JPEG), MLP 128": replace(PERCEPTRON, techniques=(technique,))
        for what, technique in TECHNIQUES.items()
    }
    return of_given(photos(folder, small), PERCEPTRON, others, 30, small)


def sparse(small: bool) -> list[Line]:
    """Three hidden layers, whose activities are all penalised; over twice as many seeds, for the gain is small."""
    folder = cifar()
    if folder is None:
        return []
    what = f"sparse 0.0003 (L1), {ROWS:,} photos of CIFAR-10 (JPEG), MLP 128-64-32"
    others = {what: replace(DEEP, techniques=(st.Sparse(3e-4),))}
    return of_given(photos(folder, small), DEEP, others, 30, small, seeds=2 * SEEDS)


def noisy_labels(small: bool) -> list[Line]:
    """A convolutional network, which learns 5,000 photos by heart unless some labels are wrong at each step."""
    folder = cifar()
    if folder is None:
        return []
    what = f"noise on labels 0.2, {MORE:,} photos of CIFAR-10 (JPEG), CNN 16-32"
    others = {what: replace(CONVOLUTIONS, techniques=(st.LabelNoise(0.2),))}
    return of_given(photos(folder, small, MORE), CONVOLUTIONS, others, 30, small)


def early_stopping(small: bool) -> list[Line]:
    """A linear model, which is at its best after some ten epochs; both keep a fifth of the rows for validation."""
    folder = cifar()
    if folder is None:
        return []
    what = f"early stopping, patience 5, {ROWS:,} photos of CIFAR-10 (JPEG), linear, 60 epochs"
    others = {what: replace(LINEAR, stop=st.NoGain(patience=5))}
    return of_given(photos(folder, small), LINEAR, others, 60, small, validation=0.2)


def photos(folder: Path, small: bool, rows: int = ROWS) -> st.Dataset:
    """Rows of the test archive as a data set with a test set of its own."""
    whole = st.open(folder / "cifar_jpg_test.tar.xz", size=SIZE)
    X, y = whole.features().reshape(len(whole), *whole.shape), np.array(whole.classes)[whole.y]
    order = np.random.default_rng(0).permutation(len(y))[: 400 if small else None]
    here, there = np.split(order, [100 if small else rows])
    return with_test_set(X, y, here, there)
