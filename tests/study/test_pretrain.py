"""Pre-training by tied autoencoders: rows come back better, and few labels go further."""  # source: R7

import jax
import numpy as np
import pytest
from sklearn.datasets import load_digits

from steepest import MLP, Adam, Given, InputNoise, Momentum, Recipe, Smoothing, Sparse, TiedAutoencoder, sweep
from steepest.core.errors import DataError, SettingError
from steepest.inits.scaled import He
from steepest.methods.coordinate import Coordinate
from steepest.study import single
from steepest.study.pretrain import autoencode, pretrain

X, Y = load_digits(return_X_y=True)
X = (X / 16).astype("f4")
POOL, TEST = np.arange(1200), np.arange(1200, 1797)
QUICK = Recipe(method=Adam(rate=3e-3))


def test_the_error_falls_and_is_that_of_the_tied_weights():
    layer = autoencode(X[POOL], TiedAutoencoder(16), recipe=QUICK, epochs=15)
    encode, decode = layer.params["encode"], layer.params["decode"]
    h = np.maximum(X[POOL] @ encode["W"].T + encode["b"], 0)
    back = h @ encode["W"] + decode["b"]  # by the same W
    error = np.mean((back - X[POOL]) ** 2)
    np.testing.assert_allclose(layer.hidden, h, atol=1e-4)
    assert error < layer.errors[0] / 3
    assert abs(error - layer.errors[-1]) < 0.1 * error  # that of the last epoch, while it still trained
    assert error < 0.35 * X[POOL].var(axis=0).mean()  # to give back the mean row is an error of that variance
    ideal = np.linalg.svd(X[POOL] - X[POOL].mean(axis=0), compute_uv=False)[16:]
    assert error > (ideal**2).sum() / X[POOL].size / 1.5  # and near, but hardly below, 16 principal components


def test_the_weights_given_are_those_of_the_autoencoders_layer_by_layer():
    model = MLP(widths=(12, 5), activation="tanh")
    start = pretrain(X[:200], model, 10, recipe=QUICK, epochs=2, seed=3)
    assert isinstance(start, Given)
    first = autoencode(X[:200], TiedAutoencoder(12, "tanh"), recipe=QUICK, epochs=2, seed=3)
    second = autoencode(first.hidden, TiedAutoencoder(5, "tanh"), recipe=QUICK, epochs=2, seed=3, layer=1)
    for name, layer in (("layer1", first), ("layer2", second)):
        for part in ("W", "b"):
            np.testing.assert_array_equal(start.values[name][part], layer.params["encode"][part])
    assert start.values["output"]["W"].shape == (10, 5)
    assert np.abs(start.values["output"]["W"]).max() > 0.1
    other = pretrain(X[:200], model, 10, recipe=QUICK, epochs=2, seed=4)
    assert (other.values["layer1"]["W"] != start.values["layer1"]["W"]).mean() > 0.9
    found = sweep(
        Recipe(model=model, init=start, method=Momentum(rate=1e-30)), X[:200], Y[:200], replicates=1, epochs=1
    )
    for got, want in zip(jax.tree.leaves(found.params(0, 0)), jax.tree.leaves(start.values)):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-20)


def test_noise_on_the_way_in_makes_it_denoise():
    """Rows of one number 16 times: to take noise out, the autoencoder must average; one that saw none need not."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(600, 1)), 16, axis=1).astype("f4")
    noisy = rows + rng.normal(size=rows.shape).astype("f4")
    errors = {}
    for name, techniques in (("plain", ()), ("denoising", (InputNoise(scale=1.0),))):
        recipe = Recipe(method=Adam(rate=1e-2), techniques=techniques)
        model = TiedAutoencoder(16, "tanh")
        layer = autoencode(rows, model, recipe=recipe, epochs=15)
        errors[name] = float(np.mean((model.apply(layer.params, noisy) - rows) ** 2))
    assert errors["denoising"] < 0.6 * errors["plain"]


def test_sparsity_makes_its_units_rarely_active():
    """A mean activity of ρ = 0.05 for each sigmoid, where without the penalty most are active half the time."""
    model, rates = TiedAutoencoder(32, "sigmoid"), {}
    for name, techniques in (("plain", ()), ("sparse", (Sparse(strength=1.0, target=0.05, kind="kl"),))):
        recipe = Recipe(method=Adam(rate=1e-2), techniques=techniques)
        rates[name] = autoencode(X[POOL], model, recipe=recipe, epochs=15).hidden.mean(axis=0)
    assert np.abs(rates["sparse"] - 0.05).max() < 0.02
    assert np.median(rates["plain"]) > 0.15


def accuracy(init, labelled, seed):
    """Of two layers of sigmoids, which learn slowly from He's weights, trained on few labels."""
    recipe = Recipe(
        model=MLP(widths=(32, 16), activation="sigmoid"), method=Adam(rate=1e-3), init=init, batch_size=None
    )
    fitted = single.untrained(recipe, np.arange(10), 64, None, seed)
    parts = (np.arange(len(labelled)), np.arange(0))
    replicate = single.replicate_of(
        fitted, X[labelled], Y[labelled].astype("i4"), np.ones(len(labelled)), parts, exact=False
    )
    made = single.trained(fitted, replicate, 300, exact=False)
    return np.mean(made.predict(X[TEST]) == Y[TEST])


def test_few_labels_go_further_from_weights_that_know_the_rows():
    start = pretrain(X[POOL], MLP(widths=(32, 16), activation="sigmoid"), 10, recipe=QUICK, epochs=30)
    gains = []
    for seed in range(8):
        labelled = np.random.default_rng(seed).choice(POOL, 40, replace=False)
        gains.append(accuracy(start, labelled, seed) - accuracy(He(), labelled, seed))
    assert np.mean(gains) > 0.02


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pretrain(X, "mlp", 10), SettingError, "the model is 'mlp'; it must be an MLP without norm"),
        (lambda: pretrain(X, MLP(norm=True), 10), SettingError, "it must be an MLP without norm"),
        (lambda: pretrain(X, MLP(), 0), SettingError, "outputs = 0"),
        (lambda: pretrain(X, MLP(), 10, epochs=0), SettingError, "epochs = 0"),
        (lambda: pretrain(X[0], MLP(), 10), DataError, r"X has shape \(64,\); rows \[rows, features\] are needed"),
        (lambda: pretrain(X * np.nan, MLP(), 10), DataError, "X holds NaN or infinity"),
        (lambda: pretrain(X, MLP(), 10, recipe=Recipe(method=Coordinate())), SettingError, "pretrain cannot run it"),
        (
            lambda: pretrain(X, MLP(), 10, recipe=Recipe(techniques=Smoothing())),
            SettingError,
            "Smoothing.*is for classes",
        ),
        (
            lambda: pretrain(X[:64] * 1e4, MLP(), 10, recipe=Recipe(method=Momentum(rate=1.0))),
            SettingError,
            "pretrain: layer 1 diverged at step",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
