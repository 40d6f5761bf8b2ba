"""Max-norm: norms of incoming weights, alone and while a network trains; and the spread of label smoothing by name."""
# source: R11

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_iris

from steepest.core.errors import SettingError
from steepest.methods.sgd import SGD
from steepest.models.mlp import MLP
from steepest.models.own import Functions
from steepest.study.sweep import sweep
from steepest.techniques.maxnorm import MaxNorm
from steepest.techniques.smoothing import Smoothing
from steepest.train.recipe import Recipe
from steepest.train.techniques import check_techniques


def norms(W):
    return np.sqrt(np.sum(np.square(np.asarray(W, np.float64)), axis=tuple(range(1, np.ndim(W)))))


@pytest.mark.parametrize("shape", [(6, 5), (6, 3, 3, 2)])
def test_long_weights_are_cut_to_the_limit_and_short_ones_left_alone(shape):
    W = np.random.default_rng(0).normal(size=shape).astype("f4")
    W *= (np.array([0.2, 0.9, 1.1, 3, 1e6, 0]) / norms(W)).reshape(-1, *[1] * (len(shape) - 1)).astype("f4")
    b = np.full(6, 100, "f4")
    got = MaxNorm(1.0).after({"out": {"W": jnp.asarray(W), "b": jnp.asarray(b)}})["out"]
    np.testing.assert_allclose(norms(got["W"]), [0.2, 0.9, 1, 1, 1, 0], rtol=1e-6)
    np.testing.assert_array_equal(got["W"][:2], W[:2])
    np.testing.assert_array_equal(got["W"][5], 0)
    np.testing.assert_allclose(got["W"][2:5].reshape(3, -1) * norms(W)[2:5, None], W[2:5].reshape(3, -1), rtol=1e-5)
    np.testing.assert_array_equal(got["b"], b)


@pytest.mark.parametrize("units", ["first", "last"])
def test_it_holds_for_each_unit_of_a_users_model_whatever_the_order_of_its_axes(units):
    X, y = load_iris(return_X_y=True)
    first = (lambda W: W.T) if units == "first" else (lambda W: W)

    def begin(key, shape, outputs):
        W = [
            jax.random.normal(jax.random.fold_in(key, k), made) for k, made in enumerate([(*shape, 20), (20, outputs)])
        ]
        return {"layer0": first(W[0]), "layer1": first(W[1])}

    model = Functions(begin, lambda params, rows: jnp.tanh(rows @ first(params["layer0"])) @ first(params["layer1"]))
    recipe = Recipe(model=model, method=SGD(rate=0.5), techniques=MaxNorm(0.5))
    params = sweep([recipe], X, y, replicates=1, epochs=5, standardize=True).params(0, 0)
    for layer in ("layer0", "layer1"):
        W = np.asarray(params[layer]["W"])
        assert norms(W if units == "first" else W.T).max() == pytest.approx(0.5, rel=1e-5)


def test_layers_that_are_scanned_over_are_refused():
    """Each step of a scan sees a slice, whose first axis is another than that of all of them."""

    def begin(key, shape, outputs):
        keys = jax.random.split(key)
        return {"layers": jax.random.normal(keys[0], (3, *shape, *shape)), "out": jnp.ones((outputs, *shape))}

    def scores(params, rows):
        h, _ = jax.lax.scan(lambda h, W: (jnp.tanh(h @ W), None), rows, params["layers"])
        return h @ params["out"].T

    with pytest.raises(SettingError, match="which of layers/W those are; leave it out"):
        check_techniques(Recipe(model=Functions(begin, scores), techniques=MaxNorm(0.5)), (4,))


def test_weights_whose_units_cannot_be_told_are_refused():
    def begin(key, shape, outputs):  # noqa: ARG001
        return {"table": jnp.ones((8, outputs)), "other": jnp.ones((*shape, 8))}

    model = Functions(begin, lambda params, rows: params["table"][jnp.argmax(rows @ params["other"], axis=1)])
    with pytest.raises(SettingError, match="which of table/W those are; leave it out"):
        check_techniques(Recipe(model=model, techniques=MaxNorm(0.5)), (4,))


def test_it_holds_in_every_layer_of_a_network_that_trains():
    X, y = load_iris(return_X_y=True)
    limits = (0.5, 1.0, 1e9)
    recipes = [Recipe(model=MLP(widths=(20,)), method=SGD(rate=0.5), techniques=MaxNorm(limit)) for limit in limits]
    found = sweep(recipes, X, y, replicates=1, epochs=5, standardize=True)
    for layer in ("layer1", "output"):
        reached = [norms(found.params(0, i)[layer]["W"]).max() for i in range(3)]
        np.testing.assert_allclose(reached[:2], limits[:2], rtol=1e-6)
        assert reached[2] > 1.5


def test_an_unknown_spread_is_refused_by_name():
    with pytest.raises(SettingError, match=r"Smoothing\.spread.*other"):
        Smoothing(spread="other")
