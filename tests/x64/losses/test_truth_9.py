"""Truth 9: logistic regression with L2, two classes, no intercept, against lbfgs and liblinear."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from steepest.losses.sigmoid import OneVsRest
from steepest.models.linear import Linear
from steepest.penalties.norms import L2

STRENGTH = 0.05


def data():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 6))
    return X, (X @ rng.normal(size=6) + rng.logistic(size=200) > 0).astype(int)


def objective(params, X, y):
    scores = Linear(bias=False).apply(params, X)
    return OneVsRest().rows(scores, y).mean() + L2(STRENGTH).smooth(params)


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear"])
def test_our_pieces_reach_scikit_learns_optimum(solver):
    X, y = data()
    gradient = jax.grad(lambda p: objective(p, jnp.asarray(X), jnp.asarray(y)))

    def step(_, params):
        return jax.tree.map(lambda p, g: p - 0.5 * g, params, gradient(params))

    ours = jax.lax.fori_loop(0, 5000, step, {"W": jnp.zeros((1, 6))})
    theirs = LogisticRegression(
        C=1 / (STRENGTH * len(y)), fit_intercept=False, solver=solver, tol=1e-10, max_iter=10_000
    ).fit(X, y)
    np.testing.assert_allclose(ours["W"], theirs.coef_, atol=1e-6)
    at_theirs = objective({"W": jnp.asarray(theirs.coef_)}, jnp.asarray(X), jnp.asarray(y))
    assert abs(float(objective(ours, jnp.asarray(X), jnp.asarray(y)) - at_theirs)) < 1e-12
