"""The manifold tangent classifier: what its tangents are worth, and that scores become flat along them."""
# source: R10

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import DataError, SettingError
from steepest.data.opening import open as open_data
from steepest.study.manifold import ManifoldTangentClassifier
from steepest.techniques.tangent import change_along

DATA = open_data("digits")
X = DATA.features().reshape(len(DATA), -1).astype(np.float64)
ORDER = np.random.default_rng(0).permutation(len(X))
FEW, MORE, TEST = ORDER[:200], ORDER[200:700], ORDER[700:1100]
HOW = {"hidden": 48, "tangents": 6, "pretraining": 10, "epochs": 40}


@pytest.fixture(scope="module")
def models():
    """Without tangent prop, and with."""
    return [ManifoldTangentClassifier(strength=s, **HOW).fit(X[FEW], DATA.y[FEW], X[MORE]) for s in (0.0, 0.3)]


def rebuilding(model, rows):
    """The squared error of rebuilding rows [n, features]."""
    made = model.autoencoder_.recipe.model.rebuilt(model.autoencoder_.params, jnp.asarray(rows, jnp.float32))
    return ((np.asarray(made) - rows) ** 2).sum(-1)


def test_the_autoencoder_learns_to_rebuild_rows_it_never_saw(models):
    rows = models[0].autoencoder_.prepared(X[TEST])
    assert rebuilding(models[0], rows).mean() < 0.4 * (rows**2).sum(1).mean()
    curve = models[0].autoencoder_.curves["train_loss"]
    assert (np.diff(curve) < 0).all()


def test_along_learnt_tangents_rows_are_rebuilt_as_well_as_before(models):
    """A step of 1 along a tangent stays on the sheet: a quarter, at most, of the harm of a step to anywhere."""
    model = models[0]
    rows = model.autoencoder_.prepared(X[TEST])
    ways = model.tangents_of(X[TEST])
    any_way = np.random.default_rng(1).normal(size=ways.shape)
    any_way /= np.linalg.norm(any_way, axis=-1, keepdims=True)
    before = rebuilding(model, rows)[:, None]
    along, anywhere = (
        (rebuilding(model, (rows[:, None] + way).reshape(-1, 64)).reshape(len(rows), -1) - before).mean()
        for way in (ways, any_way)
    )
    assert anywhere > 0
    assert along < 0.25 * anywhere


def test_tangents_are_orthonormal(models):
    ways = models[0].tangents_of(X[TEST][:20])
    np.testing.assert_allclose(ways @ np.swapaxes(ways, 1, 2), np.broadcast_to(np.eye(6), (20, 6, 6)), atol=1e-9)


def test_scores_are_flat_along_them_and_as_good(models):
    rows, ways = models[0].autoencoder_.prepared(X[TEST]), np.moveaxis(models[0].tangents_of(X[TEST]), 1, 0)
    flat = []
    for model in models:
        params = jax.tree.map(jnp.asarray, model.fitted_.params)
        found = change_along(
            lambda x, model=model, params=params: model.fitted_.recipe.model.apply(params, x),
            jnp.asarray(rows, jnp.float32),
            jnp.asarray(ways, jnp.float32),
        )
        flat.append(float(found.mean()))
    assert flat[1] < 0.6 * flat[0]
    without, with_ = (model.score(X[TEST], DATA.y[TEST]) for model in models)
    assert with_ > 0.85
    assert with_ > without - 0.02


def test_it_starts_from_the_code_and_both_are_kept(models):
    assert models[0].autoencoder_.params["code"]["W"].shape == (48, 64)
    np.testing.assert_array_equal(
        models[0].autoencoder_.params["code"]["W"], models[1].autoencoder_.params["code"]["W"], "same chance"
    )
    started = models[1].fitted_.recipe.init.values["layer1"]["W"]
    np.testing.assert_array_equal(started, models[1].autoencoder_.params["code"]["W"])
    assert models[0].predict_proba(X[TEST][:5]).sum(1) == pytest.approx(1)


def test_labels_of_any_kind_and_errors():
    names = np.where(DATA.y[FEW] < 5, "low", "high")
    found = ManifoldTangentClassifier(8, 2, epochs=2, pretraining=1).fit(X[FEW], names)
    assert set(found.predict(X[TEST])) <= {"low", "high"}
    with pytest.raises(SettingError, match=r"count = 9; it must be a whole number from 1 to 8"):
        ManifoldTangentClassifier(8, 9, epochs=1, pretraining=1).fit(X[FEW], names)
    with pytest.raises(DataError, match="y holds one class"):
        ManifoldTangentClassifier().fit(X[:5], np.zeros(5))
