"""Data that comes along: scikit-learn's embedded sets, and two-dimensional toys with the sources' settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from steepest.core.errors import SettingError
from steepest.data.dataset import Gathered
from steepest.data.schema import Column, Schema

SOURCES: dict[str, str] = {
    "digits": "1,797 handwritten digits, 8×8 grey images, 10 classes",
    "iris": "150 flowers, 4 measurements, 3 species",
    "wine": "178 wines, 13 chemical measurements, 3 growers",
    "breast-cancer": "569 tumours, 30 measurements, benign or malignant",
    "blobs": "1,000 points in two round clouds (deviation 1.5, seed 1), 2 features",
    "moons": "1,000 points in two interleaved half circles (noise 0.2), 2 features",
    "circles": "1,000 points in two rings, one inside the other (noise 0.1), 2 features",
    "spirals": "1,000 points in two interleaved spirals (noise 0.2), 2 features",
    "xor": "1,000 points, the class is the sign of x·y (no line parts them), 2 features",
}
TOYS = ("blobs", "moons", "circles", "spirals", "xor")


def gather_source(name: str, *, raw: bool = False, samples: int | None = None) -> Gathered:
    """A source by name. `samples`: points of a toy (1,000 by default; the other sources have the rows they have)."""
    if samples is not None and name not in TOYS:
        raise SettingError(f"samples = {samples}: {name} has the rows it has; only {', '.join(TOYS)} draw points")
    if samples is not None and samples < 10:
        raise SettingError(f"samples = {samples}; at least 10 points are needed")
    if name == "digits":
        return _digits(raw)
    if name in TOYS:
        X, y = _toy(name, 1000 if samples is None else samples)
        return _table(name, X, [str(k) for k in y.tolist()], ("x", "y"), raw)
    from sklearn import datasets

    load: Any = {"iris": datasets.load_iris, "wine": datasets.load_wine, "breast-cancer": datasets.load_breast_cancer}
    found = load[name]()
    labels = [str(found.target_names[k]) for k in found.target.tolist()]
    return _table(name, found.data, labels, tuple(map(str, found.feature_names)), raw)


def _table(name: str, X: np.ndarray, labels: list[str], columns: tuple[str, ...], raw: bool) -> Gathered:
    schema = Schema("table", (X.shape[1],), tuple(map(Column, columns)), label="class", raw=raw)
    return Gathered(name, X.astype(np.float32), labels, schema, name)


def _digits(raw: bool) -> Gathered:
    from sklearn.datasets import load_digits

    found: Any = load_digits()
    X = found.images.astype(np.uint8)[..., None]
    return Gathered(
        "digits", X, [str(k) for k in found.target.tolist()], Schema("images", (8, 8, 1), top=16.0, raw=raw), "digits"
    )


def _toy(name: str, n: int) -> Any:
    from sklearn import datasets

    if name == "blobs":  # source: J1
        return datasets.make_blobs(n_samples=n, n_features=2, centers=2, cluster_std=1.5, random_state=1)
    if name == "moons":
        return datasets.make_moons(n_samples=n, noise=0.2, random_state=1)
    if name == "circles":
        return datasets.make_circles(n_samples=n, noise=0.1, factor=0.5, random_state=1)
    chance = np.random.Generator(np.random.PCG64(1))
    if name == "xor":
        X = chance.uniform(-1, 1, (n, 2))
        return X, (X[:, 0] * X[:, 1] > 0).astype(int)
    y = np.arange(n) % 2
    angle = 3.5 * np.pi * np.sqrt(chance.uniform(0.02, 1, n))
    X = (angle * np.stack([np.cos(angle + np.pi * y), np.sin(angle + np.pi * y)])).T
    return X + chance.normal(0, 0.2, (n, 2)), y
