"""The quadratic with an L1 part that coordinate descent solves again and again: ½xᵀHx − cᵀx + Σ λ_j|x_j|."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
EPSILON = float(np.finfo(np.float64).eps)


def minimise(H: Array, c: Array, penalty: Array, x: Array, budget: int) -> tuple[Array, int]:
    """Minimise the quadratic from x: the minimiser, and the sweeps over all coordinates it took (at most `budget`).

    H [k, k] is symmetric without negative eigenvalues, c [k], penalty [k] ≥ 0 (0: that coordinate is free of it).
    Each sweep of coordinate descent is followed by Newton steps inside the orthant it led to: the sweeps find which
    coordinates are 0, the steps cross the narrow valleys of correlated features, where sweeps alone crawl.
    Coordinates at 0 are exactly 0.

    >>> minimise(np.eye(2), np.array([3.0, 0.5]), np.array([1.0, 1.0]), np.zeros(2), budget=10)[0].tolist()
    [2.0, 0.0]
    """
    x, diagonal, lam = x.copy(), H.diagonal().tolist(), penalty.tolist()
    rough = EPSILON * (np.abs(c).max() + np.abs(penalty).max())
    best = np.inf
    for sweep in range(1, max(budget, 1) + 1):
        h = H @ x - c
        for j, d in enumerate(diagonal):
            if d > 0:
                old = x.item(j)
                z = d * old - h.item(j)
                new = (z - lam[j]) / d if z > lam[j] else (z + lam[j]) / d if z < -lam[j] else 0.0
                if new != old:
                    h += (new - old) * H[j]
                    x[j] = new
        _inside(H, c, penalty, x)
        h = H @ x - c
        broken = np.where(x != 0, np.abs(h + penalty * np.sign(x)), np.maximum(np.abs(h) - penalty, 0.0)).max()
        if broken <= 4 * rough or (broken < 1e4 * rough and broken >= 0.5 * best):
            return x, sweep
        best = min(best, broken)
    return x, sweep


def _inside(H: Array, c: Array, penalty: Array, x: Array) -> None:
    """Newton's step among the x that are not 0, their signs kept: no further than where the first becomes 0."""
    for _ in range(20):
        on = np.flatnonzero((x != 0) | ((penalty == 0) & (H.diagonal() > 0)))
        if not len(on):
            return
        block = H[np.ix_(on, on)]
        slope = block @ x[on] - c[on] + penalty[on] * np.sign(x[on])
        # the ridge makes the step one of descent even where features are copies of each other
        step = -np.linalg.solve(block + 1e-13 * np.diag(block.diagonal()), slope)
        curve = step @ block @ step
        reach = min(1.0, -(slope @ step) / curve) if curve > 0 else np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = np.where((penalty[on] > 0) & (x[on] * step < 0), -x[on] / step, np.inf)
        first = int(np.argmin(crossing))
        if crossing[first] >= reach:
            x[on] += reach * step if np.isfinite(reach) else 0.0
            return
        x[on] += crossing[first] * step
        x[on[first]] = 0.0
