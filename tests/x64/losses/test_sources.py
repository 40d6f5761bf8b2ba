"""J1 and J2: two blobs, a sigmoid with squared error, by the sources' figures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

from steepest.losses.sigmoid import SquaredSigmoid
from steepest.models.linear import Linear

FULL = {0: 0.4075378, 1: 0.1751875, 2: 0.1688743, 3: 0.2283463}
BATCHES = {0: 0.0315395, 1: 0.0143251, 2: 0.0109107, 3: 0.0178346}


def blobs():
    X, y = make_blobs(n_samples=1000, n_features=2, centers=2, cluster_std=1.5, random_state=1)
    rows, _, labels, _ = train_test_split(np.c_[X, np.ones(1000)], y, test_size=0.5, random_state=42)
    return jnp.asarray(rows), jnp.asarray(labels)


@jax.jit
def step(params, rows, y):
    def summed(p):
        return SquaredSigmoid(half=True).rows(Linear(bias=False).apply(p, rows), y).sum()

    half, gradient = jax.value_and_grad(summed)(params)
    return {"W": params["W"] - 0.01 * gradient["W"]}, 2 * half


@pytest.mark.parametrize("seed", range(4))
def test_j1_full_batch(seed):
    rows, y = blobs()
    params = {"W": jnp.asarray(np.random.RandomState(seed).randn(3, 1).T)}
    loss = jnp.inf
    for _ in range(100):
        params, loss = step(params, rows, y)
    assert float(loss) == pytest.approx(FULL[seed], abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_j2_batches_of_32(seed):
    rows, y = blobs()
    params = {"W": jnp.asarray(np.random.RandomState(seed).randn(3, 1).T)}
    losses = []
    for _ in range(100):
        losses = []
        for start in range(0, 500, 32):
            params, loss = step(params, rows[start : start + 32], y[start : start + 32])
            losses.append(float(loss))
    assert np.mean(losses) == pytest.approx(BATCHES[seed], abs=1e-6)
