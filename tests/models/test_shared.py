"""Weights that are used twice: their gradient is the sum of both uses, and they stay the same weights."""  # source: R7

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest import L2, MLP, Adam, He, Recipe, SharedMLP, TiedAutoencoder, sweep
from steepest.core.errors import SettingError
from steepest.losses.reconstruction import Reconstruction
from steepest.models.text import model_from_text, model_text, parameters

RNG = np.random.default_rng(7)
X = RNG.normal(size=(9, 4)).astype("f4")


def drawn(model, outputs):
    params = model.init(jax.random.key(2), (4,), outputs, He(), "float32")
    return jax.tree.map(lambda leaf: leaf + 0.1 * RNG.normal(size=leaf.shape).astype("f4"), params)  # biases too


@pytest.mark.parametrize("repeat", [1, 2, 3])
def test_the_gradient_of_a_shared_layer_is_the_sum_over_its_uses(repeat):
    shared = SharedMLP(width=5, repeat=repeat, activation="tanh")
    apart = MLP(widths=(5,) * (1 + repeat), activation="tanh")
    params = drawn(shared, 3)
    uses = [f"layer{i}" for i in range(2, repeat + 2)]
    untied = {"layer1": params["layer1"], "output": params["output"], **dict.fromkeys(uses, params["shared"])}
    np.testing.assert_allclose(shared.apply(params, X), apart.apply(untied, X), rtol=1e-6)

    def loss(model, params):
        return jnp.sum(jnp.sin(model.apply(params, X)))

    tied, each = jax.grad(lambda p: loss(shared, p))(params), jax.grad(lambda p: loss(apart, p))(untied)
    for name in ("W", "b"):
        want = np.sum([each[use][name] for use in uses], axis=0)
        np.testing.assert_allclose(tied["shared"][name], want, rtol=1e-4, atol=1e-6)
        assert np.abs(want).max() > 0.1
        if repeat > 1:
            assert np.abs(want - each[uses[0]][name]).max() > 0.01, "uses without effect prove nothing"


def test_a_shared_layer_is_counted_once():
    """By the number of parameters, and by a penalty."""
    assert parameters(SharedMLP(width=5, repeat=7), (4,), 3) == (4 + 1) * 5 + (5 + 1) * 5 + (5 + 1) * 3
    params = drawn(SharedMLP(width=5), 3)
    squares = sum(float(np.sum(np.square(layer["W"]))) for layer in params.values())
    np.testing.assert_allclose(L2(0.5).value(params), 0.25 * squares, rtol=1e-5)


def test_a_shared_mlp_is_named_and_trains_as_a_population():
    model = SharedMLP(width=5, repeat=3, activation="tanh")
    assert model_text(model) == "shared-mlp:5:repeat=3:tanh"
    assert model_from_text("shared-mlp:5:repeat=3:tanh") == model
    assert model_from_text("shared-mlp:64") == SharedMLP(width=64)
    y = (X @ [1, -1, 0.5, 0] > 0).astype(int)
    rows, labels = np.tile(X, (9, 1)) + RNG.normal(size=(81, 4)) / 10, np.tile(y, 9)
    recipes = [Recipe(model=model, method=Adam(rate=rate)) for rate in (0.003, 0.01, 0.03)]
    crowd = sweep(recipes, rows, labels, replicates=1, epochs=3)
    alone = sweep(recipes[1], rows, labels, replicates=1, epochs=3)
    assert set(crowd.params(0, 1)) == {"layer1", "shared", "output"}
    for one, other in zip(jax.tree.leaves(crowd.params(0, 1)), jax.tree.leaves(alone.params(0, 0))):
        assert one.tobytes() == other.tobytes()


def test_the_gradient_of_tied_weights_is_the_sum_of_encoder_and_decoder():
    model = TiedAutoencoder(width=3, activation="sigmoid")
    params = drawn(model, 4)
    W, b, c = params["encode"]["W"], params["encode"]["b"], params["decode"]["b"]

    def untied(encoder, decoder):
        h = jax.nn.sigmoid(X @ encoder.T + b)
        return jnp.mean((h @ decoder.T + c - X) ** 2)

    def tied(params):
        return jnp.mean(Reconstruction(size=4).rows(model.apply(params, X), X))

    np.testing.assert_allclose(tied(params), untied(W, W.T), rtol=1e-5)
    by_encoder, by_decoder = jax.grad(untied, argnums=(0, 1))(W, W.T)
    np.testing.assert_allclose(jax.grad(tied)(params)["encode"]["W"], by_encoder + by_decoder.T, rtol=1e-4, atol=1e-6)
    assert min(np.abs(by_encoder).max(), np.abs(by_decoder).max()) > 0.01


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SharedMLP(width=0), "SharedMLP: width = 0"),
        (lambda: SharedMLP(repeat=0), "SharedMLP: repeat = 0"),
        (lambda: SharedMLP(activation="rely"), "unknown activation 'rely'; did you mean 'relu'"),
        (lambda: TiedAutoencoder(width=1.5), "TiedAutoencoder: width = 1.5"),
        (lambda: drawn(TiedAutoencoder(), 3), "gives back a row's 4 numbers, not 3 scores"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message):
    with pytest.raises(SettingError, match=message):
        make()
