"""J4: what L2 does to a linear regression with more features than rows, against a loop by hand and the figures.

The source's run is unseeded; its figures (test loss 0.2950 without a penalty, 0.0150 at λ = 5, after epoch 800) are
one draw. So each draw here follows the loop exactly, and the figures lie within what ten draws spread over.
"""

from __future__ import annotations

import numpy as np
import pytest

import steepest as st

STRENGTHS = (0.0, 5.0)
FIGURES = (0.2950, 0.0150)
EPOCHS = 801  # the source counts from 0 and prints after the update
DRAWS = range(10)


def data(draw: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """100 rows of 200 features, y = Xw + noise + 0.05, and weights drawn as torch's layer draws them."""
    chance = np.random.default_rng(draw)
    X, w = chance.normal(size=(100, 200)), chance.normal(size=200) * 0.01
    return X, X @ w + chance.normal(size=100) * 0.01 + 0.05, chance.uniform(-1, 1, 200) / np.sqrt(200)


def trained(draw: int) -> st.Sweep:
    X, y, start = data(draw)
    recipes = [
        st.Recipe(
            method=st.SGD(rate=0.001), penalty=st.L2(strength, on="all"), loss=st.Squared(half=False),
            init=st.Given({"W": start[None], "b": np.zeros(1)}), batch_size=None, dtype="float64",
        )
        for strength in STRENGTHS
    ]  # fmt: skip
    return st.sweep(recipes, X, y, replicates=1, epochs=EPOCHS, test=0.5, validation=0, seed=draw)


@pytest.fixture(scope="module")
def sweeps() -> list[st.Sweep]:
    return [trained(draw) for draw in DRAWS]


@pytest.mark.parametrize("which", [0, 1])
def test_each_draw_follows_the_loop_by_hand(sweeps, which):
    """∇ = 2/n·Xᵀ(Xw + b − y) + λw, and λb on the bias too, which the source's penalty includes."""
    X, y, start = data(0)
    rows, strength = sweeps[0].rows(0), STRENGTHS[which]
    X_train, y_train, w, b = X[rows.train.rows], y[rows.train.rows], start, 0.0
    for _ in range(EPOCHS):
        error = X_train @ w + b - y_train
        w, b = (
            w - 0.001 * (2 * X_train.T @ error / len(error) + strength * w),
            b - 0.001 * (2 * error.mean() + strength * b),
        )
    params = sweeps[0].params(0, which)
    np.testing.assert_allclose(params["W"][0], w, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(params["b"][0], b, rtol=1e-9, atol=1e-12)
    held_out = np.mean((X[rows.test.rows] @ w + b - y[rows.test.rows]) ** 2)
    assert sweeps[0].score("loss")[0, which] == pytest.approx(held_out, rel=1e-9)


def test_the_sources_figures_lie_among_the_draws(sweeps):
    losses = np.array([sweep.score("loss")[0] for sweep in sweeps])
    for column, figure in zip(losses.T, FIGURES):
        assert column.min() < figure < column.max()
    assert np.all(losses[:, 0] > 5 * losses[:, 1])  # the penalty pays in every draw
