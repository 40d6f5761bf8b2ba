"""Techniques for few labels, on digits: sets of labelled rows that share none, one test set for all of them.

A seed is a set of labels, so that the interval counts their chance beside that of the test rows (`study/crossed.py`).
Settings were found on the sets of another order of the rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

import steepest as st
from benchmarks.measure import Line
from benchmarks.techniques.gain import SEED, crossed
from steepest.study.pretrain import pretrain

POOL = 1200  # of 1,797 digits; the others are the test rows
MOST_SETS = 16  # of labelled rows
FAST = st.Adam(rate=3e-3)
DEEP = st.MLP(widths=(32, 32, 32), activation="sigmoid")  # learns slowly from weights drawn by chance

Said = Callable[["Digits", np.ndarray, int], np.ndarray]  # labelled rows, seed → classes of the test rows


@dataclass(frozen=True)
class Digits:
    """Rows [n, 64] in 0 … 1, their classes, and the numbers of those to learn from and of those to test on."""

    X: np.ndarray
    y: np.ndarray
    pool: np.ndarray
    test: np.ndarray

    def sets(self, each: int) -> list[np.ndarray]:
        """As many sets of `each` rows a class as the pool gives."""
        classes = [self.pool[self.y[self.pool] == label] for label in range(10)]
        count = min(len(own) for own in classes) // each
        return [np.concatenate([own[k * each : (k + 1) * each] for own in classes]) for k in range(count)]


def pre_training(small: bool) -> list[Line]:
    """40 labels, 300 steps: from the weights of tied autoencoders of all rows, or from He's."""
    digits = drawn()
    recipe = st.Recipe(method=FAST)
    start = pretrain(digits.X[digits.pool], DEEP, 10, recipe=recipe, epochs=1 if small else 30, seed=SEED)
    ways = from_weights(DEEP, start, small), from_weights(DEEP, None, small)
    what = "pre-training by tied autoencoders, 40 labelled digits, 3 layers of 32 sigmoids"
    return [crossed(what, right(digits, ways, digits.y, 4, small))]


def from_weights(perceptron: st.MLP, init: Any, small: bool) -> Said:
    """What a perceptron says that was trained for 300 steps from these weights, or from He's."""

    def of(digits: Digits, labelled: np.ndarray, seed: int) -> np.ndarray:
        model = st.Classifier(
            st.Adam(rate=1e-3), model=perceptron, init=init, epochs=2 if small else 300, batch_size=None,
            standardize=False, random_state=seed,
        )  # fmt: skip
        return model.fit(digits.X[labelled], digits.y[labelled]).predict(digits.X[digits.test])

    return of


def sparse_pre_training(small: bool) -> list[Line]:
    """20 labels: from the weights of autoencoders whose units are rarely active, or as active as they like."""
    digits = drawn()
    model = st.MLP(widths=(64, 32), activation="sigmoid")

    def said(*techniques: Any) -> Said:
        start = pretrain(
            digits.X[digits.pool], model, 10, recipe=st.Recipe(method=FAST, techniques=techniques),
            epochs=1 if small else 30, seed=SEED,
        )  # fmt: skip
        return from_weights(model, start, small)

    what = "sparse 0.03 (KL, 0.1) autoencoders before training, 20 labelled digits, sigmoids 64-32"
    ways = said(st.Sparse(0.03, target=0.1, kind="kl")), said()
    return [crossed(what, right(digits, ways, digits.y, 2, small))]


def manifold(small: bool) -> list[Line]:
    """20 labels: flat along the tangents that an autoencoder found in all rows. What is gained over the same start
    without tangents, and over the same network with weights drawn by chance."""
    epochs, pretraining = (1, 1) if small else (60, 15)

    def said(strength: float) -> Said:
        def of(digits: Digits, labelled: np.ndarray, seed: int) -> np.ndarray:
            model = st.ManifoldTangentClassifier(
                64, 8, strength, 0.1, epochs=epochs, pretraining=pretraining, random_state=seed
            )
            model.fit(digits.X[labelled], digits.y[labelled], digits.X[np.setdiff1d(digits.pool, labelled)])
            return model.predict(digits.X[digits.test])

        return of

    def plain(digits: Digits, labelled: np.ndarray, seed: int) -> np.ndarray:
        model = st.Classifier(FAST, model=st.MLP(widths=(64,), activation="sigmoid"), epochs=epochs, random_state=seed)
        return model.fit(digits.X[labelled], digits.y[labelled]).predict(digits.X[digits.test])

    digits = drawn()
    found = right(digits, (said(0.1), said(0.0), plain), digits.y, 2, small)
    what = "manifold tangent classifier 0.1, 20 labelled digits, 64 sigmoids"
    return [crossed(f"{what}: its tangents", found[:, [0, 1]]), crossed(f"{what}: all of it", found[:, [0, 2]])]


def multi_task(small: bool) -> list[Line]:
    """Whether a digit is odd; with which digit it is as a second task, or without."""
    digits = drawn()
    odd = digits.y % 2

    def said(*tasks: np.ndarray) -> Said:
        Y = np.stack(tasks, axis=1)

        def of(digits: Digits, labelled: np.ndarray, seed: int) -> np.ndarray:
            recipe = st.Recipe(model=DEEP, method=FAST)
            epochs = 1 if small else 200
            model = st.MultiTaskClassifier(recipe, epochs=epochs, standardize=False, random_state=seed)
            return model.fit(digits.X[labelled], Y[labelled]).predict(digits.X[digits.test])[:, 0]

        return of

    what = "multi-task: odd or even, and which digit, 100 digits, 3 layers of 32 sigmoids"
    return [crossed(what, right(digits, (said(odd, digits.y), said(odd)), odd, 10, small))]


def drawn() -> Digits:
    """The digits in the order of SEED."""
    data = st.open("digits")
    order = np.random.default_rng(SEED + 1).permutation(len(data))  # 1 was the order that settings were found with
    return Digits(data.features().reshape(len(data), -1), data.y, order[:POOL], order[POOL:])


def right(digits: Digits, ways: Sequence[Said], wanted: np.ndarray, each: int, small: bool) -> np.ndarray:
    """Which test rows each way gets right, from sets of `each` labels a class: [sets, ways, rows]."""
    sets = digits.sets(each)[: 2 if small else MOST_SETS]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)  # a training that diverged is no case
        found = [
            [way(digits, labelled, seed) == wanted[digits.test] for way in ways]
            for seed, labelled in enumerate(sets, 1000 * SEED)
        ]
    return np.array(found)
