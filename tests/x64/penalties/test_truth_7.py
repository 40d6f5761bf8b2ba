"""Truth 7: ridge by our pieces is (XᵀX/n + λI)⁻¹Xᵀy/n; and every penalty passes gradcheck (truth 15)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from steepest.losses.squared import Squared
from steepest.models.linear import Linear
from steepest.penalties.general import general
from steepest.penalties.norms import L1, L2, ElasticNet


def descended(penalty, X, y, rate, steps):
    def objective(params):
        return Squared().rows(Linear(bias=False).apply(params, X), y).mean() + penalty.smooth(params)

    def step(_, params):
        moved = jax.tree.map(lambda p, g: p - rate * g, params, jax.grad(objective)(params))
        return penalty.prox(moved, [rate])

    return jax.lax.fori_loop(0, steps, step, {"W": jnp.zeros((1, X.shape[1]))})["W"][0]


def data():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 5)) @ (np.eye(5) + 0.4)
    return X, X @ np.array([1.0, -2.0, 0.0, 0.0, 3.0]) + rng.normal(size=80)


@pytest.mark.parametrize("penalty", [L2(0.3), L2(0.15, factor="one"), general(L2(0.15, factor="one"), True)])
def test_ridge(penalty):
    X, y = data()
    want = np.linalg.solve(X.T @ X / 80 + 0.3 * np.eye(5), X.T @ y / 80)
    np.testing.assert_allclose(descended(penalty, jnp.asarray(X), jnp.asarray(y), 0.1, 5000), want, atol=1e-10)


@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_elastic_net_by_proximal_steps_meets_its_optimality_conditions(l2):
    X, y = data()
    w = np.asarray(descended(ElasticNet(l1=0.6, l2=l2), jnp.asarray(X), jnp.asarray(y), 0.1, 5000))
    pull = X.T @ (y - X @ w) / 80 - l2 * w
    zero = w == 0
    assert zero.sum() == 2
    assert (np.abs(pull[zero]) <= 0.6).all()
    np.testing.assert_allclose(pull[~zero], 0.6 * np.sign(w[~zero]), atol=1e-10)


@pytest.mark.parametrize("penalty", [L2(0.3), L2(0.3, "one"), ElasticNet(0.2, 0.3), L1(0.4, subgradient=True)])
def test_gradcheck(penalty):
    w = {"W": jnp.asarray([[0.4, -1.3], [2.0, 0.7]]), "b": jnp.asarray([1.0, -1.0])}
    check_grads(penalty.smooth, (w,), order=2, atol=1e-6, rtol=1e-6)
