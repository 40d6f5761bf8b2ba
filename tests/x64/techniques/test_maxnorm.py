"""Max-norm's fixed point is the constraint's: the minimiser among the weights within the ball, as by a loop by hand."""

import numpy as np
import pytest

import steepest as st
from steepest.losses.squared import Squared
from steepest.techniques.maxnorm import MaxNorm

RNG = np.random.default_rng(4)
X = RNG.normal(size=(50, 5)) @ (np.eye(5) + 0.3 * RNG.normal(size=(5, 5)))
Y = X @ np.array([1.5, -1.0, 0.5, 2.0, 0.0]) + 1.0 + 0.3 * RNG.normal(size=50)
LIMIT = 1.2
RATE = 0.1


def projected_gradient(X, Y, steps=20_000):
    """w, b that minimise ½·mean (x·w + b − y)² with ‖w‖ ≤ LIMIT."""
    w, b = np.zeros(X.shape[1]), 0.0
    for _ in range(steps):
        off = X @ w + b - Y
        w, b = w - RATE * X.T @ off / len(Y), b - RATE * off.mean()
        w *= min(1, LIMIT / np.linalg.norm(w))
    return w, b


@pytest.mark.parametrize(
    ("method", "penalty"),
    [
        (st.Nesterov(rate=RATE), st.NoPenalty()),
        (st.Nesterov(rate=RATE), st.L1(strength=1e-12)),  # a prox and a projection in the same step
        (st.Nesterov(rate=0.3 * RATE, form="torch"), st.NoPenalty()),
        (st.Momentum(rate=0.3 * RATE), st.NoPenalty()),
    ],
    ids=repr,
)
def test_a_method_with_a_memory_ends_at_the_constrained_minimiser(method, penalty):
    recipe = st.Recipe(
        method=method, penalty=penalty, loss=Squared(), techniques=(MaxNorm(LIMIT),), batch_size=None, dtype="float64"
    )
    found = st.sweep(recipe, X, Y, replicates=1, epochs=500, test=0.0, exact=False)
    rows = found.rows(0).train.rows
    w, b = projected_gradient(X[rows], Y[rows])
    free = np.linalg.lstsq(np.column_stack([X[rows], np.ones(len(rows))]), Y[rows], rcond=None)[0]
    assert np.linalg.norm(free[:-1]) > 2 * LIMIT, "a constraint that does not bind proves nothing"
    got = found.params(0, 0)
    np.testing.assert_allclose(got["W"][0], w, atol=1e-9)
    np.testing.assert_allclose(got["b"], [b], atol=1e-9)
