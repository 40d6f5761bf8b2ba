"""Coordinate descent on log loss: against a slow loop, scikit-learn, and its own optimality conditions."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.reference import coordinate as hand

from steepest.methods.coordinate import Coordinate


def classes(n=200, p=12, seed=0, k=2, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1))
    scores = X[:, :5] @ rng.normal(size=(5, k)) + noise * rng.gumbel(size=(n, k)) + 0.5 * np.eye(1, k)
    return X, scores.argmax(axis=1)


def conditions(X, y, w, b, l1, l2):
    signs = np.where(y == 1, 1.0, -1.0)
    pull = signs / (1 + np.exp(signs * (X @ w + b)))
    q, zero = X.T @ pull / len(y) - l2 * w, w == 0
    assert (np.abs(q[zero]) <= l1 + 1e-8).all()
    np.testing.assert_allclose(q[~zero], l1 * np.sign(w[~zero]), atol=1e-8)
    assert abs(pull.mean()) < 1e-8


@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("shape", [(200, 12), (50, 120)])
def test_the_gap_closes_and_the_conditions_hold_along_the_path(shape, l2):
    X, y = classes(*shape)
    strengths = np.geomspace(0.3, 1e-4, 12)
    path = Coordinate().solve(X, y, l1=strengths, l2=l2, loss="logistic")
    assert (path.gaps <= 1e-10).all()
    for w, b, l1 in zip(path.weights, path.intercepts, strengths):
        conditions(X, y, w, b, l1, l2)
    assert (path.weights[0] == 0).sum() > (path.weights[-1] == 0).sum()


def test_the_gap_is_p_minus_d():
    X, y = classes()
    signs = np.where(y == 1, 1.0, -1.0)
    for tolerance in (1e-10, 1e-4):  # where the gap is not rounding the two agree in their digits, too
        path = Coordinate(tolerance=tolerance).solve(X, y, l1=[0.1, 0.01], loss="logistic", intercept=False)
        for w, gap, l1 in zip(path.weights, path.gaps, (0.1, 0.01)):
            assert hand.logistic_gap(X, signs, w, l1) == pytest.approx(gap, abs=1e-14)


@pytest.mark.parametrize(("l1", "l2"), [(0.03, 0.0), (0.02, 0.05), (0.0, 0.1)])
def test_same_as_a_slow_loop(l1, l2):
    X, y = classes()
    path = Coordinate().solve(X, y, l1=l1, l2=l2, loss="logistic", intercept=False)
    slow = hand.logistic(X, np.where(y == 1, 1.0, -1.0), l1, l2, steps=5000)
    np.testing.assert_allclose(path.weights[0], slow, atol=1e-9)
    np.testing.assert_array_equal(path.weights[0] == 0, slow == 0)


def test_same_support_as_liblinear_and_saga():
    X, y = classes()
    path = Coordinate().solve(X, y, l1=0.03, loss="logistic", intercept=False)
    for solver in ("liblinear", "saga"):
        theirs = LogisticRegression(
            C=1 / (0.03 * len(y)),
            l1_ratio=1.0,
            fit_intercept=False,
            solver=solver,
            tol=1e-10,
            max_iter=20_000,
            random_state=0,
        ).fit(X, y)
        np.testing.assert_array_equal(np.flatnonzero(path.weights[0]), np.flatnonzero(theirs.coef_[0]))
        np.testing.assert_allclose(path.weights[0], theirs.coef_[0], atol=1e-6)
    assert 0 < np.count_nonzero(path.weights[0]) < X.shape[1]


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear"])
def test_truth_9(solver):
    X, y = classes()
    w = Coordinate().solve(X, y, l2=0.05, loss="logistic", intercept=False).weights[0]
    theirs = (
        LogisticRegression(C=1 / (0.05 * len(y)), fit_intercept=False, solver=solver, tol=1e-10, max_iter=10_000)
        .fit(X, y)
        .coef_[0]
    )
    signs = np.where(y == 1, 1.0, -1.0)

    def objective(v):
        return np.logaddexp(0, -signs * (X @ v)).mean() + 0.025 * v @ v

    np.testing.assert_allclose(w, theirs, atol=1e-6)
    assert abs(objective(w) - objective(theirs)) < 1e-12


def test_more_classes_are_each_against_the_rest():
    X, y = classes(k=4)
    path = Coordinate().solve(X, y, l1=[0.05, 0.01], loss="logistic")
    assert path.weights.shape == (2, 12, 4)
    assert path.intercepts.shape == path.gaps.shape == path.iterations.shape == (2, 4)
    assert (path.gaps <= 1e-10).all()
    for c in range(4):
        alone = Coordinate().solve(X, (y == c).astype(int), l1=[0.05, 0.01], loss="logistic")
        np.testing.assert_array_equal(path.weights[:, :, c], alone.weights)
        np.testing.assert_array_equal(path.intercepts[:, c], alone.intercepts)


def test_labels_of_minus_one_and_one_are_two_classes():
    X, y = classes()
    plain = Coordinate().solve(X, y, l1=0.02, loss="logistic")
    np.testing.assert_array_equal(plain.weights, Coordinate().solve(X, 2 * y - 1, l1=0.02, loss="logistic").weights)


def test_separable_rare_and_unscaled_classes():
    X, y = classes(noise=0.0)
    assert (Coordinate().solve(X, y, l1=[1e-2, 1e-6], loss="logistic").gaps <= 1e-10).all()
    rare = (np.arange(200) < 3).astype(int)
    path = Coordinate().solve(X, rare, l1=[1e-2, 1e-4], loss="logistic")
    conditions(X, rare, path.weights[1], path.intercepts[1], 1e-4, 0.0)
    raw = 255 * X + 100
    conditions(raw, y, *(part[0] for part in _fit(raw, y)), 0.5, 0.0)


def _fit(X, y):
    path = Coordinate().solve(X, y, l1=0.5, loss="logistic")
    return path.weights, path.intercepts


def test_row_weights_are_repeated_rows():
    X, y = classes()
    times = np.random.default_rng(1).integers(0, 4, size=200)
    path = Coordinate().solve(X, y, l1=0.01, loss="logistic", row_weights=times)
    repeated = Coordinate().solve(np.repeat(X, times, axis=0), np.repeat(y, times), l1=0.01, loss="logistic")
    np.testing.assert_allclose(path.weights, repeated.weights, atol=1e-9)
