import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import stack, structure
from steepest.inits.scaled import He
from steepest.models.activations import ACTIVATIONS, activate
from steepest.models.mlp import MLP

KEY = jax.random.key(2)
BY_HAND = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky-relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scores_are_layer_after_layer(activation):
    model = MLP(widths=(5, 3), activation=activation, slope=0.2)
    params = model.init(KEY, (2, 2), 4, He(), "float32")
    rng = np.random.default_rng(0)
    params = jax.tree.map(lambda p: p + jnp.asarray(0.1 * rng.normal(size=p.shape), p.dtype), params)
    rows = rng.normal(size=(6, 2, 2))
    h = rows.reshape(6, 4)
    for name in ("layer1", "layer2"):
        h = BY_HAND[activation](h @ np.asarray(params[name]["W"]).T + np.asarray(params[name]["b"]))
    want = h @ np.asarray(params["output"]["W"]).T + np.asarray(params["output"]["b"])
    np.testing.assert_allclose(model.apply(params, jnp.asarray(rows, jnp.float32)), want, rtol=2e-5, atol=2e-5)


def test_shapes_names_and_zero_biases():
    params = MLP(widths=(64, 32)).init(KEY, (8, 8), 10, He(), "float32")
    assert list(params) == ["layer1", "layer2", "output"]
    shapes = [params[name]["W"].shape for name in params]
    assert shapes == [(64, 64), (32, 64), (10, 32)]
    assert all(not layer["b"].any() for layer in params.values())


def test_a_layers_draw_does_not_hang_on_other_layers():
    short = MLP(widths=(16,)).init(KEY, (8,), 3, He(), "float32")
    long = MLP(widths=(16, 16, 16)).init(KEY, (8,), 3, He(), "float32")
    np.testing.assert_array_equal(short["layer1"]["W"], long["layer1"]["W"])
    np.testing.assert_array_equal(short["output"]["W"], long["output"]["W"])
    assert (long["layer2"]["W"] != long["layer3"]["W"]).mean() > 0.99


def test_gradients_at_the_kink():
    for activation, want in (("relu", 0.0), ("leaky-relu", 0.25)):
        assert float(jax.grad(lambda z: activate(activation, z, 0.25))(0.0)) == want  # noqa: B023


def test_slopes_train_in_one_program_and_widths_do_not():
    models = [MLP(activation="leaky-relu", slope=s) for s in (0.0, 0.5)]
    both = jax.vmap(lambda model: activate(model.activation, jnp.array([-2.0, 3.0]), model.slope))(stack(models))
    np.testing.assert_array_equal(both, [[0, 3], [-1, 3]])
    assert structure(MLP(widths=(64,))) != structure(MLP(widths=(32,)))


def test_widths_may_be_a_list_or_one_number():
    assert MLP(widths=[64, 32]) == MLP(widths=(64, 32))
    assert MLP(widths=64).widths == (64,)
    assert hash(MLP(widths=[64])) == hash(MLP(widths=(64,)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(widths=()), "MLP: widths = (); it must be whole numbers of at least 1"),
        (lambda: MLP(widths=(64, 0)), "MLP: widths = (64, 0)"),
        (lambda: MLP(widths=(2.5,)), "MLP: widths = (2.5,)"),
        (lambda: MLP(activation="rellu"), "unknown activation 'rellu'; did you mean 'relu'?"),
        (lambda: MLP(slope=1.0), "MLP.slope = 1; it must be a finite number in [0, 1)"),
    ],
)
def test_bad_settings_are_refused_by_name(make, message):
    with pytest.raises(SettingError) as error:
        make()
    assert str(error.value).startswith(message)


def test_batch_norm_stands_before_each_activation_and_takes_the_biases_place():
    model = MLP(widths=(5, 3), activation="tanh", norm=True)
    params = model.init(KEY, (4,), 2, He(), "float32")
    assert sorted(params) == ["layer1", "layer2", "norm1", "norm2", "output", "running"]
    assert list(params["layer1"]) == ["W"]
    assert sorted(params["output"]) == ["W", "b"]
    rng = np.random.default_rng(1)
    params = jax.tree.map(lambda p: jnp.asarray(np.abs(p + 0.3 * rng.normal(size=p.shape)), p.dtype), params)
    rows = rng.normal(size=(6, 4))
    h = rows
    for i in (1, 2):
        norm, kept = params[f"norm{i}"], params["running"][f"norm{i}"]
        z = h @ np.asarray(params[f"layer{i}"]["W"]).T
        z = (z - kept["mean"]) / np.sqrt(np.asarray(kept["var"]) + 1e-5) * norm["scale"] + norm["shift"]
        h = np.tanh(z)
    want = h @ np.asarray(params["output"]["W"]).T + np.asarray(params["output"]["b"])
    np.testing.assert_allclose(model.apply(params, jnp.asarray(rows, jnp.float32)), want, rtol=2e-5, atol=2e-5)
