"""J1, J2 and J8: the sources' two blobs, trained and judged through the public API, against the sources' figures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split

import steepest as st
from steepest.core.spec import replace
from steepest.metrics import report

SEEDS = range(4)
# Losses that the sources' scripts print last, with their weights drawn by RandomState(seed).randn(3, 1).
J1 = (0.4075378, 0.1751875, 0.1688743, 0.2283463)  # a sum over 500 rows
J2 = (0.0315395, 0.0143251, 0.0109107, 0.0178346)  # the mean over batches of such sums


@pytest.fixture(scope="module")
def blobs():
    """Train X, test X, train y, test y of the sources: a column of ones last, for the bias."""
    X, y = make_blobs(n_samples=1000, n_features=2, centers=2, cluster_std=1.5, random_state=1)
    return train_test_split(np.c_[X, np.ones(len(X))], y, test_size=0.5, random_state=42)


def start(seed: int) -> np.ndarray:
    """The sources' random weights, as a linear model stores them: [outputs, features]."""
    return np.random.RandomState(seed).randn(3, 1).T


def train(blobs, batch_size: int | None, **changes) -> st.Sweep:
    """The sources' training on their own half of the rows; `changes` to the recipes' settings."""
    settings = {"loss": st.SquaredSigmoid(half=True), "reduction": "sum", "shuffle": False, "dtype": "float64"}
    settings |= {"model": st.Linear(bias=False), "method": st.SGD(rate=0.01), "batch_size": batch_size} | changes
    recipes = [st.Recipe(init=st.Given({"W": start(seed)}), **settings) for seed in SEEDS]
    return st.sweep(recipes, blobs[0], blobs[2], replicates=1, epochs=100, test=0, validation=0)


@pytest.fixture(scope="module")
def trained(blobs) -> dict[str, st.Sweep]:
    """J1 takes all rows a step, J2 32 of them in the order they have."""
    return {"J1": train(blobs, None), "J2": train(blobs, 32)}


def by_hand(X: np.ndarray, y: np.ndarray, seed: int, batch_size: int, epochs: int) -> tuple[list[float], np.ndarray]:
    """The sources' loop in NumPy: the losses it prints, before each update, and its last weights."""
    W, printed = np.random.RandomState(seed).randn(3, 1), []
    target = y[:, None]
    for _ in range(epochs):
        losses = []
        for begin in range(0, len(X), batch_size):
            rows, wanted = X[begin : begin + batch_size], target[begin : begin + batch_size]
            said = 1 / (1 + np.exp(-rows @ W))
            error = said - wanted
            losses.append(np.sum(error**2))
            W = W - 0.01 * rows.T @ (error * said * (1 - said))
        printed.append(float(np.mean(losses)))
    return printed, W


@pytest.mark.parametrize(("source", "figures"), [("J1", J1), ("J2", J2)])
def test_final_losses_are_the_sources(trained, source, figures):
    """The reported loss is ½Σe², half of what the sources print."""
    last = 2 * trained[source].curves["train_loss"][0, :, -1]
    np.testing.assert_allclose(last, figures, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("source", "batch_size"), [("J1", 500), ("J2", 32)])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_epoch_follows_the_sources_loop(blobs, trained, source, batch_size, seed):
    printed, W = by_hand(blobs[0], blobs[2], seed, batch_size, epochs=100)
    np.testing.assert_allclose(2 * trained[source].curves["train_loss"][0, seed], printed, rtol=1e-10)
    np.testing.assert_allclose(trained[source].params(0, seed)["W"], W.T, rtol=1e-10)


def test_the_loss_without_the_half_is_the_one_printed_at_half_the_rate(blobs):
    """Σe² has twice the gradient of ½Σe²; at half the rate it takes the same steps and reports the sources' figure."""
    whole = train(blobs, None, loss=st.SquaredSigmoid(half=False), method=st.SGD(rate=0.005))
    np.testing.assert_allclose(whole.curves["train_loss"][0, :, -1], J1, rtol=0, atol=1e-6)


def test_a_bias_of_its_own_equals_the_bias_trick(blobs, trained):
    """The same model with the column of ones taken away and a bias in its place gives the same weights."""
    X, _, y, _ = blobs
    given = [st.Given({"W": start(seed)[:, :2], "b": start(seed)[:, 2]}) for seed in SEEDS]
    like = st.Recipe(
        method=st.SGD(rate=0.01), loss=st.SquaredSigmoid(), reduction="sum", shuffle=False, dtype="float64",
        init=given[0], batch_size=32,
    )  # fmt: skip
    recipes = [replace(like, init=init) for init in given]
    own = st.sweep(recipes, X[:, :2], y, replicates=1, epochs=100, test=0, validation=0)
    for seed in SEEDS:
        params = own.params(0, seed)
        together = np.c_[params["W"], params["b"]]
        np.testing.assert_allclose(together, trained["J2"].params(0, seed)["W"], rtol=1e-10)


@pytest.mark.parametrize("source", ["J1", "J2"])
def test_the_report_reads_as_the_sources(blobs, trained, source):
    """J8: precision, recall, F1 and support as scikit-learn has them, and 1.00 everywhere at two digits."""
    _, X, _, y = blobs
    for seed in SEEDS:
        said = (X @ trained[source].params(0, seed)["W"][0] > 0).astype(int)  # σ(s) > 0.5
        ours = report(y, said, ["0", "1"])
        theirs = classification_report(y, said, output_dict=True)
        for one in ours.classes:
            for name in ("precision", "recall", "f1", "support"):
                wanted = theirs[one.name]["f1-score" if name == "f1" else name]
                assert getattr(one, name) == pytest.approx(wanted, rel=1e-12)
                assert name == "support" or f"{getattr(one, name):.2f}" == "1.00"
        for name, averages in (("macro avg", ours.macro), ("weighted avg", ours.weighted)):
            found = (averages.precision, averages.recall, averages.f1)
            assert found == pytest.approx([theirs[name][part] for part in ("precision", "recall", "f1-score")])
        assert ours.accuracy == theirs["accuracy"]
        assert [one.support for one in ours.classes] == [250, 250]
