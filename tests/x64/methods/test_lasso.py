"""Truth 8: with the prox of an L1 penalty, every method that has a stride ends at scikit-learn's lasso."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Lasso

from steepest.methods import METHODS
from steepest.methods.adam import Adam, AdamW
from steepest.methods.amsgrad import AMSGrad
from steepest.methods.momentum import Momentum
from steepest.methods.nesterov import Nesterov
from steepest.methods.rmsprop import RMSProp, RMSPropMomentum
from steepest.methods.sgd import GD, SGD

ALPHA, STEPS = 0.2, 60_000


def problem():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 8)) @ (np.eye(8) + 0.3 * rng.normal(size=(8, 8)))
    y = X @ np.array([1.5, 0.0, -2.0, 0.0, 0.0, 0.7, 0.0, 0.0]) + 0.3 * rng.normal(size=60)
    return X - X.mean(0), y - y.mean()


X, Y = problem()
WANT = Lasso(alpha=ALPHA, tol=1e-12, fit_intercept=False, max_iter=100_000).fit(X, Y).coef_


@jax.jit
def fit(method, stretch):
    """Proximal training on all rows at a constant rate."""

    def step(carry, t):
        w, memory = carry
        look = method.look({"W": w}, memory)["W"]
        params, memory = method.step({"W": X.T @ (X @ look - Y) / len(Y)}, memory, {"W": w}, t)
        threshold = ALPHA * method.stride(memory, t)[0] * stretch
        shrunk = jnp.sign(params["W"]) * jnp.maximum(jnp.abs(params["W"]) - threshold, 0)
        return (shrunk, method.settle(memory, {"W": shrunk - params["W"]})), None

    w = jnp.zeros(X.shape[1])
    (w, _), _ = jax.lax.scan(step, (w, method.start({"W": w})), jnp.arange(1, STEPS + 1))
    return w


L = np.linalg.eigvalsh(X.T @ X / len(Y)).max()
METHODS_WITH_A_STRIDE = [
    GD(rate=1 / L),
    SGD(rate=0.3 / L),
    Momentum(rate=0.3 / L),
    Momentum(rate=0.3 / L, form="torch"),
    Momentum(rate=0.3 / L, form="averaged"),
    Nesterov(rate=1 / L),
    Nesterov(rate=0.3 / L, form="torch"),
    Nesterov(rate=0.3 / L, form="keras"),
    METHODS["adagrad"](rate=1.0),
    METHODS["adagrad"](rate=1.0, inside=True, initial=0.1),
    METHODS["adadelta"](),
    RMSProp(rate=0.01),
    RMSProp(rate=0.01, inside=False),
    RMSPropMomentum(rate=0.001),
    RMSPropMomentum(rate=0.001, inside=False, rate_outside=True),
    METHODS["rmsprop-nesterov"](rate=0.001),
    Adam(rate=0.01),
    Adam(rate=0.01, correct=False),
    Adam(rate=0.01, inside=True),
    Adam(rate=0.01, form="keras"),
    AdamW(rate=0.01, weight_decay=0.0),
    AMSGrad(rate=0.01),
    AMSGrad(rate=0.01, form="optax"),
]


def test_the_problem_has_zeros_and_others():
    assert 2 <= (WANT == 0).sum() <= 6


@pytest.mark.parametrize("method", METHODS_WITH_A_STRIDE, ids=repr)
def test_reaches_the_lasso(method):
    w = np.asarray(fit(method, 1.0))
    assert_allclose(w, WANT, atol=1e-9)
    assert ((w == 0) == (WANT == 0)).all()


def test_every_method_with_a_stride_is_here():
    tried = {type(m) for m in METHODS_WITH_A_STRIDE}
    methods = {METHODS[name] for name in METHODS if name != "coordinate"}
    assert {m for m in methods if m.has_stride} == tried


def test_a_stride_of_the_rate_alone_solves_another_lasso():
    """Heavy ball at α = 0.9 with the stride ε instead of ε/(1−α) ends at the lasso of a tenth of the strength."""
    w = fit(Momentum(rate=0.3 / L), 0.1)
    assert np.abs(w - WANT).max() > 0.05
    assert_allclose(w, Lasso(alpha=ALPHA / 10, tol=1e-12, fit_intercept=False).fit(X, Y).coef_, atol=1e-9)


def test_nesterov_needs_settle():
    """Without the prox in the velocity the look-ahead point never meets the weights, and the minimiser is another."""

    class Unsettled(Nesterov):
        def settle_leaf(self, m, shift):
            return m

    jax.tree_util.register_pytree_node(
        Unsettled, lambda n: ((n.rate, n.momentum), None), lambda _, leaves: Unsettled(*leaves)
    )
    assert np.abs(fit(Unsettled(rate=0.3 / L), 1.0) - WANT).max() > 0.05
