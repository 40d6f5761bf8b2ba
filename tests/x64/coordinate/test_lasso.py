"""Coordinate descent on squared error: truth 8, scikit-learn, a slow loop, and its own optimality conditions."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, Ridge
from tests.reference import coordinate as hand

from steepest.methods.coordinate import Coordinate


def correlated(n, p, rho=0.95, seed=0, true=8):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    w = np.zeros(p)
    w[rng.choice(p, true, replace=False)] = 2 * rng.normal(size=true)
    return X, X @ w + 3.0 + rng.normal(size=n)


def path_of(X, y, n=12, least=1e-3):
    strongest = np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max() / len(y)
    return strongest * np.geomspace(1, least, n)


DESIGNS = {
    "tall": correlated(400, 20, rho=0.5),
    "correlated": correlated(200, 60, rho=0.98),
    "more features than rows": correlated(40, 150, rho=0.7),
    "far from the origin": (correlated(200, 30)[0] + 50, correlated(200, 30)[1]),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_the_gap_closes_and_the_conditions_hold_along_the_path(name):
    X, y = DESIGNS[name]
    strengths = path_of(X, y)
    path = Coordinate().solve(X, y, l1=strengths)
    assert (path.gaps <= 1e-10).all()
    for w, b, l1 in zip(path.weights, path.intercepts, strengths):
        assert hand.lasso_gap(X, y, w, b, l1) < 1e-10  # P − D by itself
        residual = y - X @ w - b
        pull = (X - X.mean(axis=0)).T @ residual / len(y)
        zero = w == 0
        assert (np.abs(pull[zero]) <= l1 + 1e-9).all()
        np.testing.assert_allclose(pull[~zero], l1 * np.sign(w[~zero]), atol=1e-9)
        assert abs(residual.mean()) < 1e-10
    assert not path.weights[0].any()
    assert (path.weights[-1] != 0).sum() > 10


@pytest.mark.parametrize("name", DESIGNS)
def test_same_weights_and_support_as_scikit_learn(name):
    X, y = DESIGNS[name]
    strengths = path_of(X, y)[[3, 7]]
    path = Coordinate().solve(X, y, l1=strengths)
    for i, l1 in enumerate(strengths):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it cannot reach so low a tolerance, only come near
            theirs = Lasso(alpha=l1, tol=1e-13, max_iter=200_000).fit(X, y)
        np.testing.assert_array_equal(np.flatnonzero(path.weights[i]), np.flatnonzero(np.abs(theirs.coef_) > 1e-8))
        np.testing.assert_allclose(path.weights[i], theirs.coef_, atol=1e-6)
        assert path.intercepts[i] == pytest.approx(theirs.intercept_, abs=1e-5)


def test_same_as_a_slow_loop():
    X, y = correlated(60, 8, rho=0.6)
    for l1, l2 in ((0.3, 0.0), (0.1, 0.4), (0.0, 0.2)):
        path = Coordinate().solve(X, y, l1=l1, l2=l2, intercept=False)
        np.testing.assert_allclose(path.weights[0], hand.elastic_net(X, y, l1, l2), atol=1e-11)
        assert path.intercepts[0] == 0


def test_elastic_net_and_ridge_as_in_scikit_learn():
    X, y = DESIGNS["correlated"]
    path = Coordinate().solve(X, y, l1=[0.2, 0.0], l2=[0.3, 0.3])
    theirs = ElasticNet(alpha=0.5, l1_ratio=0.4, tol=1e-14, max_iter=200_000).fit(X, y)
    np.testing.assert_allclose(path.weights[0], theirs.coef_, atol=1e-9)
    np.testing.assert_array_equal(np.flatnonzero(path.weights[0]), np.flatnonzero(theirs.coef_))
    np.testing.assert_allclose(path.weights[1], Ridge(alpha=0.3 * len(y)).fit(X, y).coef_, atol=1e-11)
    assert (path.gaps <= 1e-10).all()


def test_a_vanishing_l2_is_the_lasso():
    # the dual of l2 divides by it, so here only the scaled dual point can close the gap
    X, y = DESIGNS["tall"]
    path = Coordinate().solve(X, y, l1=0.1, l2=[1e-18, 0.0])
    assert (path.gaps <= 1e-10).all()
    np.testing.assert_allclose(path.weights[0], path.weights[1], atol=1e-12)


def test_order_and_company_of_strengths_do_not_matter():
    X, y = DESIGNS["correlated"]
    strengths = path_of(X, y)[2:9]
    path, backwards = Coordinate().solve(X, y, l1=strengths), Coordinate().solve(X, y, l1=strengths[::-1])
    np.testing.assert_array_equal(path.weights, backwards.weights[::-1])
    np.testing.assert_array_equal(path.strengths, np.stack([strengths, np.zeros(7)], axis=1))
    alone = Coordinate().solve(X, y, l1=strengths[4])
    np.testing.assert_allclose(alone.weights[0], path.weights[4], atol=1e-9)


def test_constant_dead_and_copied_columns():
    X, y = correlated(80, 10, rho=0.5)
    wide = np.hstack([X, np.full((80, 1), 0.1), np.zeros((80, 1)), X, 1e6 + 0 * X[:, :1]])
    path = Coordinate().solve(wide, y, l1=path_of(X, y))
    assert (path.gaps <= 1e-10).all()
    assert not path.weights[:, [10, 11, 22]].any()
    plain = Coordinate().solve(X, y, l1=path_of(X, y))
    np.testing.assert_allclose(path.weights[:, :10] + path.weights[:, 12:22], plain.weights, atol=1e-8)
    kept = Coordinate().solve(wide[:, :12], y, l1=0.05, intercept=False)  # without an intercept a constant is a feature
    assert kept.weights[0, 10] > 1
    assert kept.gaps[0] <= 1e-10


def test_row_weights_are_repeated_rows():
    X, y = correlated(50, 12, rho=0.5)
    times = np.random.default_rng(1).integers(0, 4, size=50)
    path = Coordinate().solve(X, y, l1=[0.2, 0.02], row_weights=times)
    repeated = Coordinate().solve(np.repeat(X, times, axis=0), np.repeat(y, times), l1=[0.2, 0.02])
    np.testing.assert_allclose(path.weights, repeated.weights, atol=1e-10)
    np.testing.assert_allclose(path.intercepts, repeated.intercepts, atol=1e-10)


def test_scales_far_apart_and_large_targets():
    X, y = correlated(100, 10, rho=0.5)
    scaled = X * np.geomspace(1e-4, 1e4, 10)
    path = Coordinate().solve(scaled, y, l1=[1.0, 1e-3])
    assert (path.gaps <= 1e-10).all()
    # y of 10⁶: F(0) is about 10¹³, whose own rounding is 10⁻³; the gap is asked for relative to it
    large = Coordinate().solve(X, 1e6 * y, l1=1e5)
    np.testing.assert_allclose(large.weights[0], 1e6 * Coordinate().solve(X, y, l1=0.1).weights[0], rtol=1e-9)


def test_float32_rows_are_solved_in_double():
    X, y = DESIGNS["tall"]
    single = X.astype("float32")
    path = Coordinate().solve(single, y, l1=0.1)
    np.testing.assert_array_equal(path.weights, Coordinate().solve(single.astype("float64"), y, l1=0.1).weights)
    assert path.weights.dtype == np.float64
