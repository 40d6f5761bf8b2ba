"""Lasso, elastic net and L1 logistic regression the slow way, and their duality gaps as P − D."""

import numpy as np


def soft(z, threshold):
    return np.sign(z) * max(abs(z) - threshold, 0.0)


def elastic_net(X, y, l1, l2=0.0, sweeps=20_000):
    """Friedman et al. (2010), eq. 5, cyclic, no intercept: min 1/(2n)·‖y − Xw‖² + l1‖w‖₁ + ½l2‖w‖²."""
    n, p = X.shape
    w = np.zeros(p)
    for _ in range(sweeps):
        before = w.copy()
        for j in range(p):
            partial = y - X @ w + X[:, j] * w[j]
            w[j] = soft(X[:, j] @ partial / n, l1) / (X[:, j] @ X[:, j] / n + l2)
        if np.abs(w - before).max() < 1e-15:
            break
    return w


def lasso_gap(X, y, w, b, l1):
    """P − D of 1/(2n)·‖y − Xw − b‖² + l1‖w‖₁ at the dual point made of the residual, made feasible by scaling."""
    n = len(y)
    residual = y - X @ w - b
    residual = residual - residual.mean()  # the intercept's own condition
    theta = residual * min(1.0, l1 * n / np.abs(X.T @ residual).max())
    centre = y - y.mean()
    primal = ((y - X @ w - b) ** 2).sum() / (2 * n) + l1 * np.abs(w).sum()
    return primal - (centre @ centre - (centre - theta) @ (centre - theta)) / (2 * n)


def logistic_gap(X, signs, w, l1):
    """P − D of the mean log loss + l1‖w‖₁, no intercept; the dual is the mean of the binary entropies."""
    n = len(signs)
    margins = signs * (X @ w)
    share = 1 / (1 + np.exp(margins))
    share = share * min(1.0, l1 * n / np.abs(X.T @ (signs * share)).max())
    primal = np.log1p(np.exp(-margins)).mean() + l1 * np.abs(w).sum()
    return primal + (share * np.log(share) + (1 - share) * np.log1p(-share)).mean()


def logistic(X, signs, l1, l2=0.0, steps=50_000):
    """Proximal gradient with restarts (FISTA), no intercept: min mean log(1 + exp(−y·Xw)) + l1‖w‖₁ + ½l2‖w‖²."""
    n, p = X.shape
    step = 1 / (np.linalg.norm(X, 2) ** 2 / (4 * n) + l2)
    w, point, t = np.zeros(p), np.zeros(p), 1.0
    for _ in range(steps):
        gradient = -X.T @ (signs / (1 + np.exp(signs * (X @ point)))) / n + l2 * point
        moved = point - step * gradient
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * l1, 0)
        if (point - new) @ (new - w) > 0:
            t = 1.0
        t, last = (1 + np.sqrt(1 + 4 * t * t)) / 2, t
        point, w = new + (last - 1) / t * (new - w), new
    return w
