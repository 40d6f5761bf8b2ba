"""What dropout and noise add to a squared error in expectation: truths 10 and 12, and their kin on weights and units.

Each through the objective that a training step minimises; its loss and its gradient are averaged over many draws. The
added term is many standard errors, so that a factor that is a little wrong is seen.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.losses.squared import Squared
from steepest.models.linear import Linear
from steepest.models.mlp import MLP
from steepest.techniques.contract import Facts
from steepest.techniques.dropout import Dropout, InputDropout
from steepest.techniques.noise import HiddenNoise, InputNoise, WeightNoise
from steepest.train.objective import objective
from steepest.train.recipe import Recipe
from steepest.train.state import Rows

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(9, 4)) * [0.5, 1, 2, 3], RNG.normal(size=9)
W = RNG.normal(size=4)
DRAWS = 20_000


def drawn(technique, model, params):
    """Loss [draws] and gradients [draws, …] of Σ(ŷ − y)² under the technique."""
    recipe = Recipe(model=model, loss=Squared(half=False), techniques=technique, reduction="sum", dtype="float64")
    facts = Facts(X.min(axis=0), X.max(axis=0), 0)
    batch = Rows(jnp.asarray(X), jnp.asarray(Y), jnp.ones(len(X)))

    def one(key):
        (loss, _), gradient = jax.value_and_grad(objective, has_aux=True)(params, recipe, {}, batch, key, facts)
        return loss, gradient

    return jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(3), DRAWS))


def check(values, wanted, without):
    """The mean of draws is as wanted, |z| < 4, and far from what it is without the technique."""
    values = np.asarray(values, np.float64).reshape(DRAWS, -1)
    wanted, without = np.ravel(wanted), np.ravel(without)
    error = values.std(axis=0, ddof=1) / np.sqrt(DRAWS)
    assert (np.abs(values.mean(axis=0) - wanted) < 4 * error).all()
    assert (np.abs(wanted - without) / error).max() > 20


def linear(w):
    return {"W": jnp.asarray(w)[None], "b": jnp.zeros(1)}


def plain(w):
    """‖y − Xw‖² and its gradient."""
    off = X @ w - Y
    return off @ off, 2 * X.T @ off


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_dropout_of_inputs_is_a_ridge_by_the_size_of_each_feature(rate):
    """E‖y − X̃w‖² = ‖y − Xw‖² + ((1−q)/q)·wᵀdiag(XᵀX)w."""
    losses, gradients = drawn(InputDropout(rate), Linear(), linear(W))
    (loss, gradient), q = plain(W), 1 - rate
    size = np.sum(X * X, axis=0)
    check(losses, loss + (1 - q) / q * np.sum(size * W * W), loss)
    check(gradients["W"], gradient + 2 * (1 - q) / q * size * W, gradient)


@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_noise_on_inputs_is_a_ridge(scale):
    """It adds nσ²‖w‖²."""
    losses, gradients = drawn(InputNoise(scale), Linear(), linear(W))
    loss, gradient = plain(W)
    check(losses, loss + len(X) * scale**2 * W @ W, loss)
    check(gradients["W"], gradient + 2 * len(X) * scale**2 * W, gradient)


def test_noise_on_weights_adds_the_size_of_the_rows_and_leaves_the_gradient_as_it_is():
    """It adds σ²·‖X‖²; the bias gets none, or n·σ² would come on top."""
    losses, gradients = drawn(WeightNoise(1.0), Linear(), linear(W))
    loss, gradient = plain(W)
    check(losses, loss + np.sum(X * X), loss)
    error = np.asarray(gradients["W"]).std(axis=0) / np.sqrt(DRAWS)
    assert (np.abs(np.asarray(gradients["W"]).mean(axis=0) - gradient) < 4 * error).all()
    assert (error > 0).all(), "the gradient is taken at the noisy weights"


@pytest.mark.parametrize("technique", [HiddenNoise(0.4), Dropout(0.25)], ids=["noise", "dropout"])
def test_hidden_units_are_to_the_output_as_inputs_are_to_a_linear_model(technique):
    model = MLP(widths=(5,), activation="tanh")
    params = jax.tree.map(
        lambda leaf: jnp.asarray(RNG.normal(size=leaf.shape)),
        {
            "layer1": {"W": np.zeros((5, 4)), "b": np.zeros(5)},
            "output": {"W": np.zeros((1, 5)), "b": np.zeros(1)},
        },
    )
    h = np.tanh(X @ np.asarray(params["layer1"]["W"]).T + np.asarray(params["layer1"]["b"]))
    v = np.asarray(params["output"]["W"])[0]
    off = h @ v + float(params["output"]["b"][0]) - Y
    added = {HiddenNoise: len(X) * 0.4**2 * v @ v, Dropout: 0.25 / 0.75 * np.sum(h * h * v * v)}[type(technique)]
    losses, _ = drawn(technique, model, params)
    check(losses, off @ off + added, off @ off)
