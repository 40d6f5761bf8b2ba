"""Truth 11: descent from 0 on a quadratic, stopped early, is w_τ = Q(1 − (1 − ελ)^τ)Qᵀw*, and shrinks as L2 does."""

import numpy as np
import pytest

import steepest as st
from steepest.inits.plain import Zeros

RATE = 0.02
DATA = np.random.default_rng(4)
X = DATA.normal(size=(60, 5)) * [0.3, 0.7, 1.0, 1.8, 3.0]
Y = X @ [1.0, -2.0, 0.5, 3.0, -1.0] + DATA.normal(size=60)


def trained(epochs, stop=None):
    """Weights, and the rows they were trained on."""
    recipe = st.Recipe(
        model=st.Linear(bias=False),
        method=st.GD(rate=RATE),
        loss=st.Squared(),
        init=Zeros(),
        stop=stop,
        dtype="float64",
    )
    found = st.sweep([recipe], X, Y, replicates=1, epochs=epochs, validation=0.0)
    rows = found.rows(0).train.rows
    return found.params(0, 0)["W"][0], X[rows], Y[rows], found


def spectrum(X, y):
    """The Hessian's eigenvalues and vectors, and the minimiser: of ½·mean((Xw − y)²)."""
    hessian = X.T @ X / len(X)
    values, Q = np.linalg.eigh(hessian)
    return values, Q, np.linalg.solve(hessian, X.T @ y / len(X))


@pytest.mark.parametrize("epochs", [1, 7, 60])
def test_weights_after_so_many_steps(epochs):
    w, X, y, _ = trained(epochs)
    values, Q, best = spectrum(X, y)
    assert RATE * values.max() < 1
    np.testing.assert_allclose(w, Q @ ((1 - (1 - RATE * values) ** epochs) * (Q.T @ best)), rtol=0, atol=1e-12)
    assert np.abs(w - best).max() > 1e-3  # stopped early


def test_a_stopping_rule_stops_there():
    losses = trained(60)[3].curves["train_loss"][0, 0]  # each as the epoch met it: before its one step
    w, X, y, found = trained(60, stop=st.Reached(target=float(losses[12] + losses[13]) / 2))
    values, Q, best = spectrum(X, y)
    epochs = found.epochs[0, 0]
    assert epochs == 14
    np.testing.assert_allclose(w, Q @ ((1 - (1 - RATE * values) ** epochs) * (Q.T @ best)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("epochs", [1, 7, 60])
def test_it_is_l2_with_a_strength_for_each_eigenvalue(epochs):
    """(1 − ελ)^τ = α/(λ + α) in each direction: the ridge by these α is where descent stands."""
    w, X, y, _ = trained(epochs)
    values, Q, _ = spectrum(X, y)
    left = (1 - RATE * values) ** epochs
    strengths = values * left / (1 - left)
    ridge = np.linalg.solve(X.T @ X / len(X) + Q @ np.diag(strengths) @ Q.T, X.T @ y / len(X))
    np.testing.assert_allclose(w, ridge, rtol=0, atol=1e-12)
