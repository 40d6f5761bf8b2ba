"""The convolutional and the residual network: what they compute, refuse, hold and learn, alone and in a population."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits
from tests.models.test_layers import by_hand

import steepest as st
from steepest.core.errors import SettingError
from steepest.data import from_arrays
from steepest.models.passes import Predict
from steepest.models.shared import SharedMLP
from steepest.study import blocks
from steepest.study.fit import fit
from steepest.train.model_file import load, save
from steepest.train.objective import objective
from steepest.train.state import Rows, start

KEY, RNG = jax.random.key(3), np.random.default_rng(8)
CNN = st.CNN(channels=(3, 4), dense=5, activation="leaky-relu", slope=0.1)
NORMED = st.MLP(widths=(6,), norm=True)
TRAINED = {"mlp": NORMED, "cnn": st.CNN(channels=(32,), dense=32), "resnet": st.ResNet(width=1)}


def drawn(model, shape, outputs=3):
    """Weights with no zeros among them, running statistics included."""
    params = jax.jit(lambda: model.init(KEY, shape, outputs, st.He(), "float32"))()
    return jax.tree.map(lambda p: jnp.asarray(np.abs(p + 0.2 * RNG.normal(size=p.shape)), p.dtype), params)


@pytest.mark.parametrize("shape", [(9, 6), (8, 8, 3)])
def test_the_cnn_is_convolution_activation_and_pool_after_each_other(shape):
    rows, params = RNG.normal(size=(4, *shape)), drawn(CNN, shape)
    h = rows.reshape(*rows.shape[:3], -1).transpose(3, 1, 2, 0)
    for name in ("conv1", "conv2"):
        z = by_hand(*(np.asarray(params[name][part]) for part in "W"), h, np.asarray(params[name]["b"]), 1, 1)
        z = np.where(z > 0, z, 0.1 * z)
        tall, wide = z.shape[1] // 2, z.shape[2] // 2
        h = np.max([z[:, i : 2 * tall : 2, j : 2 * wide : 2] for i in (0, 1) for j in (0, 1)], axis=0)
    z = h.reshape(-1, 4).T @ np.asarray(params["dense"]["W"]).T + params["dense"]["b"]
    want = np.where(z > 0, z, 0.1 * z) @ np.asarray(params["output"]["W"]).T + params["output"]["b"]
    np.testing.assert_allclose(jax.jit(CNN.apply)(params, jnp.asarray(rows, jnp.float32)), want, rtol=1e-4, atol=1e-4)


def test_the_resnet_adds_what_two_convolutions_make_of_its_maps():
    model = st.ResNet(width=2)
    rows, params = RNG.normal(size=(3, 9, 8)), drawn(model, (9, 8))

    def unit(i, h, pooled=False):
        layer, kept = params[f"norm{i}"], params["running"][f"norm{i}"]
        h = by_hand(np.asarray(params[f"conv{i}"]["W"]), h, np.zeros(len(layer["scale"])), 1, 1)
        mean, var, scale, shift = (
            np.asarray(v)[:, None, None, None] for v in (kept["mean"], kept["var"], layer["scale"], layer["shift"])
        )
        h = np.maximum((h - mean) / np.sqrt(var + 1e-5) * scale + shift, 0)
        tall, wide = h.shape[1] // 2, h.shape[2] // 2
        if pooled:
            h = np.max([h[:, i : 2 * tall : 2, j : 2 * wide : 2] for i in (0, 1) for j in (0, 1)], axis=0)
        return h

    h = unit(2, unit(1, rows.transpose(1, 2, 0)[None]), pooled=True)
    h = h + unit(4, unit(3, h))
    h = unit(6, unit(5, h, pooled=True), pooled=True)
    h = h + unit(8, unit(7, h))
    assert len(params["running"]) == 8
    want = h.mean(axis=(1, 2)).T @ np.asarray(params["output"]["W"]).T + params["output"]["b"]
    np.testing.assert_allclose(jax.jit(model.apply)(params, jnp.asarray(rows, jnp.float32)), want, rtol=1e-3, atol=1e-3)


def test_the_defaults_are_the_sources_network():
    """source: J5 — 3→32→64→128, 2048→256, 10; He's uniform weights, zero biases."""
    recipe = st.Recipe(model=st.CNN())
    params = jax.jit(lambda: recipe.model.init(KEY, (32, 32, 3), 10, recipe.initial, "float32"))()
    shapes = {name: layer["W"].shape for name, layer in params.items()}
    assert shapes == {
        "conv1": (32, 27), "conv2": (64, 288), "conv3": (128, 576), "dense": (256, 2048), "output": (10, 256)
    }  # fmt: skip
    for layer in params.values():
        bound = np.sqrt(6 / layer["W"].shape[1])
        assert 0.95 * bound < np.abs(layer["W"]).max() <= bound
        assert not layer["b"].any()


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (st.CNN(), (64,), "CNN: reads images, and a row is 64 numbers without an order; use a model such as linear"),
        (st.ResNet(), (64,), "ResNet: reads images, and a row is 64 numbers"),
        (st.CNN(), (7, 32, 3), "CNN: 3 pools of 2×2 need images of 8×8 at least, and these are 7×32"),
        (st.ResNet(), (32, 6), "ResNet: 3 pools of 2×2 need images of 8×8 at least, and these are 32×6"),
    ],
)
def test_rows_that_do_not_fit_are_refused_before_anything_trains(model, shape, message):
    X, y = np.zeros((20, *shape), "f4"), np.arange(20) % 2
    with pytest.raises(SettingError, match="^" + message):
        st.sweep(st.Recipe(model=model), X, y, replicates=1, epochs=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: st.CNN(channels=()), "CNN: channels = (); it must be whole numbers of at least 1, one a convolution"),
        (lambda: st.CNN(dense=0), "CNN: dense = 0; it must be a whole number of at least 1"),
        (lambda: st.CNN(kernel=2), "CNN: kernel = 2; it must be odd, so that a kernel has a middle"),
        (lambda: st.CNN(activation="rely"), "unknown activation 'rely'; did you mean 'relu'?"),
        (lambda: st.ResNet(width=2.5), "ResNet: width = 2.5; it must be a whole number of at least 1"),
        (lambda: st.ResNet(depth=True), "ResNet: depth = True; it must be a whole number from 1 to 100"),
    ],
)
def test_bad_settings_are_refused_by_name(make, message):
    with pytest.raises(SettingError) as error:
        make()
    assert str(error.value) == message or str(error.value).startswith(message + " Known")


def held_by(model, shape):
    """All numbers of a row that the operations of a forward pass make which keep every place of a map."""
    params = jax.eval_shape(lambda: model.init(KEY, shape, 3, st.He(), "float32"))
    jaxpr = jax.make_jaxpr(model.apply)(params, jnp.zeros((1, *shape))).jaxpr
    dots = [eqn for eqn in jaxpr.eqns if eqn.primitive.name == "dot_general"]
    return [(eqn.invars[1].aval.size, eqn.outvars[0].aval.size) for eqn in dots]


@pytest.mark.parametrize("model", [CNN, st.CNN(), st.ResNet(width=4)], ids=str)
def test_sizes_count_what_goes_into_products_and_comes_out(model):
    sizes = model.sizes((16, 16, 3), 3)
    assert sizes[0] == 16 * 16 * 3
    assert sizes[-1] == 3
    *convolutions, last = held_by(model, (16, 16, 3))
    assert last[1] == 3
    convolutions = convolutions[:-1] if isinstance(model, st.CNN) else convolutions
    assert len(convolutions) == len(sizes) - 3
    for (patches, made), size in zip(convolutions, sizes[1:]):
        assert patches + made < size <= patches + 2 * made


def test_convolutions_train_one_by_one_on_the_cpu():
    for model in (CNN, st.ResNet(width=2)):
        recipe = st.Recipe(model=model).general()
        assert (blocks.width_of(recipe, (8, 8), 3), blocks.widest(recipe, (8, 8), 3)) == (1, 1)
    assert blocks.width_of(st.Recipe(model=NORMED).general(), (8, 8), 3) == 16


def test_only_units_of_dense_layers_are_hidden_units():
    told = []

    class Spy(Predict):
        def hidden(self, h):
            told.append(h.shape)
            return h

    for model, units in ((CNN, 5), (st.ResNet(width=2), 16)):
        told.clear()
        params = jax.eval_shape(lambda model=model: model.init(KEY, (8, 8), 3, st.He(), "float32"))
        jax.eval_shape(lambda p, model=model: model.apply(p, jnp.zeros((7, 8, 8)), Spy()), params)
        assert told == [(7, units)]


# --- training -------------------------------------------------------------------------------------------------------


def digits(count=None):
    X, y = load_digits(return_X_y=True)
    return (X[:count] / 16).reshape(-1, 8, 8).astype("f4"), y[:count]


def bits(found, place):
    """Everything that came out of one training, to the bit."""
    leaves = [leaf.tobytes() for leaf in jax.tree.leaves(found.params(0, place))]
    return [found.status[0, place], *leaves, *(found.curves[name][0, place].tobytes() for name in sorted(found.curves))]


RATES = [1e-2, 3e-2, 1e30, 6e-2, 1e-1]
EPOCHS = 12


def recipes_of(model):
    return [st.Recipe(model=model, method=st.Momentum(rate=rate), batch_size=32) for rate in RATES]


@functools.cache
def crowd(name):
    return st.sweep(recipes_of(TRAINED[name]), *digits(), replicates=1, epochs=EPOCHS)


@pytest.mark.parametrize("name", TRAINED)
def test_a_member_is_bitwise_the_same_in_any_company(name):
    """Running statistics, which are among the params, included; one of the company goes to infinity."""
    rows, recipes, found = digits(), recipes_of(TRAINED[name]), crowd(name)
    assert found.status[0].tolist() == ["finished", "finished", "diverged", "finished", "finished"]
    turned = st.sweep(recipes[::-1], *rows, replicates=1, epochs=EPOCHS, threads=1)
    for i in range(5):
        assert bits(turned, 4 - i) == bits(found, i)
    for i in (0, 2, 3):
        assert bits(st.sweep(recipes[i], *rows, replicates=1, epochs=EPOCHS), 0) == bits(found, i)
    assert len({tuple(bits(found, i)) for i in range(5)}) == 5, "members that are alike prove nothing"


def test_the_cnn_learns_digits_better_than_the_linear_model():
    linear = st.sweep(recipes_of(st.Linear()), *digits(), replicates=1, epochs=EPOCHS)
    assert crowd("cnn").accuracy.max() > linear.accuracy.max()


def test_running_statistics_of_a_training_are_those_of_its_batches():
    """A rate of next to nothing leaves the weights; the last batch has 4 rows, and 12 that only fill it up."""
    X, y = digits(30)
    recipe = st.Recipe(model=NORMED, method=st.SGD(rate=1e-30), batch_size=16, shuffle=False)
    found = st.sweep(recipe, X, y, replicates=1, epochs=1, validation=0, test=1 / 3)
    rows, params = X[found.rows(0).train.rows].reshape(20, 64), found.params(0, 0)
    mean, var = np.zeros(6), np.ones(6)
    for batch in (rows[:16], rows[16:]):
        z = batch @ params["layer1"]["W"].T
        mean, var = 0.9 * mean + 0.1 * z.mean(axis=0), 0.9 * var + 0.1 * z.var(axis=0, ddof=1)
    np.testing.assert_allclose(params["running"]["norm1"]["mean"], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(params["running"]["norm1"]["var"], var, rtol=1e-4)


def test_the_residual_network_learns_and_keeps_its_running_statistics():
    """By the objective alone, 40 steps: the whole engine takes long to compile for eight convolutions."""
    X, y = digits(64)
    recipe = st.Recipe(model=st.ResNet(width=2))
    begun = jax.jit(lambda: start(recipe, KEY, (8, 8), 10))()
    rows = Rows(jnp.asarray(X), jnp.asarray(y), jnp.ones(64))

    def step(carry, _):
        params, running = carry
        gradient = jax.value_and_grad(objective, has_aux=True)
        (loss, (_, running)), grads = gradient(params, recipe, running, rows, KEY, None)
        return (jax.tree.map(lambda p, g: p - 0.2 * g, params, grads), running), loss

    (_, running), losses = jax.jit(lambda: jax.lax.scan(step, (begun.params, begun.running), None, length=40))()
    assert losses[0] > 2
    assert losses[-1] < 0.5
    assert sorted(running) == [f"norm{i}" for i in range(1, 9)]
    assert all(np.abs(kept["mean"]).min() > 0 for kept in running.values())


def test_running_statistics_are_stored_and_predicted_with(tmp_path):
    X, y = digits(200)
    model = fit(from_arrays(X, y), st.Recipe(model=NORMED, method=st.Adam(rate=1e-2)), epochs=5)
    kept = model.params["running"]["norm1"]
    again = load(save(model, tmp_path / "m"))
    np.testing.assert_array_equal(again.params["running"]["norm1"]["var"], kept["var"])
    np.testing.assert_array_equal(again.margins(X), model.margins(X))
    z = model.prepared(X).reshape(len(X), -1) @ model.params["layer1"]["W"].T.astype(float)
    z = (z - kept["mean"]) / np.sqrt(kept["var"] + 1e-5) * model.params["norm1"]["scale"] + model.params["norm1"][
        "shift"
    ]
    want = np.maximum(z, 0) @ model.params["output"]["W"].T + model.params["output"]["b"]
    np.testing.assert_allclose(again.margins(X), want, rtol=1e-4, atol=1e-5)


def test_layers_that_are_made_one_by_one_are_bounded():
    """By a model file's settings, too: a few bytes that ask for 200 million layers end in one line."""
    for made in (lambda: st.ResNet(width=1, depth=200_000_000), lambda: SharedMLP(width=1, repeat=200_000_000)):
        with pytest.raises(SettingError, match="= 200000000; it must be a whole number from 1 to 1"):
            made()
