"""Averages of a training: of all that predicts, batch norm's running statistics with the weights."""

import jax
import numpy as np
import pytest

from steepest import MLP, SGD, Recipe, sweep
from steepest.methods.averaging import EMA, UniformTail
from steepest.techniques.bagging import Bagging

RNG = np.random.default_rng(2)
Y = np.arange(60) % 3
X = (RNG.normal(size=(60, 4)) + Y[:, None] * RNG.normal(size=4)).astype("f4")
STEPS = 6


def reported(epochs, **more):
    """What a member reports after some steps of all rows each, as leaves by name."""
    recipe = Recipe(model=MLP((5,), norm=True), method=SGD(rate=0.5), batch_size=None, **more)
    found = sweep(recipe, X, Y, replicates=1, epochs=epochs, seed=1, exact=False).params(0, 0)
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(found)}


def ema(path, decay=0.7):
    shares = np.array([decay ** (len(path) - 1 - i) for i in range(len(path))])
    return np.average(path, axis=0, weights=shares)


def tail(path, start=0.5):
    return np.mean(path[int(start * STEPS) :], axis=0)


BAGGED = (Bagging(bags=2),)


@pytest.mark.parametrize(
    ("average", "by_hand", "techniques"),
    [(UniformTail(start_share=0.5), tail, ()), (EMA(decay=0.7), ema, BAGGED)],
    ids=["tail", "ema of bags"],
)
def test_running_statistics_are_averaged_as_the_weights_are(average, by_hand, techniques):
    visited = [reported(epochs, techniques=techniques) for epochs in range(1, STEPS + 1)]
    got = reported(STEPS, techniques=techniques, average=average)
    statistics = [name for name in got if "running" in name]
    assert len(statistics) == 2, "a mean and a variance"
    for name in got:
        want = by_hand(np.stack([one[name].astype("f8") for one in visited]))
        np.testing.assert_allclose(got[name], want, rtol=1e-5, atol=1e-6)
    for name in statistics:
        assert np.abs(got[name] - visited[-1][name]).max() > 0.05, "statistics that stand still prove nothing"
