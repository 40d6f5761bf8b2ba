"""Equinox modules: what they make of rows, which of their arrays are weights, and what is refused."""

# ruff: noqa: ARG005 - what users write has these parameters, and fixtures act by being asked for

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.inits.plain import Zeros
from steepest.methods.adam import Adam
from steepest.models import equinox_model
from steepest.models.equinox_model import EquinoxModel
from steepest.models.loading import as_model
from steepest.penalties.norms import L2
from steepest.study.sweep import sweep
from steepest.train.recipe import Recipe
from steepest.train.techniques import hidden_layers

eqx = pytest.importorskip("equinox", reason='Equinox is not installed: pip install "steepest[equinox]"')
KEY = jax.random.key(0)


class Net(eqx.Module):
    layers: list
    norm: eqx.nn.LayerNorm
    act: object = eqx.field(static=True)

    def __init__(self, shape, outputs, *, key):
        first, last = jax.random.split(key)
        self.layers = [eqx.nn.Linear(*shape, 16, key=first), eqx.nn.Linear(16, outputs, key=last)]
        self.norm = eqx.nn.LayerNorm((16,))
        self.act = lambda z: jnp.tanh(z)  # another function each time that one is made

    def __call__(self, row):
        return self.layers[1](self.norm(self.act(self.layers[0](row))))


class Told(eqx.Module):
    first: eqx.nn.Linear
    last: eqx.nn.Linear

    def __init__(self, shape, outputs, *, key):
        self.first, self.last = eqx.nn.Linear(*shape, 8, key=key), eqx.nn.Linear(8, outputs, key=key)

    def __call__(self, rows, how):
        return jax.vmap(self.last)(how.hidden(jax.nn.relu(jax.vmap(self.first)(rows))))


def conv(key, shape, outputs):
    keys = jax.random.split(key)
    side = shape[0] // 2
    return eqx.nn.Sequential(
        [
            eqx.nn.Lambda(lambda row: jnp.moveaxis(row, -1, 0)),
            eqx.nn.Conv2d(shape[-1], 4, 3, padding=1, key=keys[0]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.MaxPool2d(2, 2),
            eqx.nn.Lambda(jnp.ravel),
            eqx.nn.Linear(4 * side * side, outputs, key=keys[1]),
        ]
    )


def names(params):
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, _ in jax.tree_util.tree_leaves_with_path(params)
    ]


@pytest.mark.parametrize(("make", "shape"), [(Net, (6,)), (Told, (6,)), (conv, (8, 8, 2))])
def test_its_scores_are_the_modules(make, shape):
    model = EquinoxModel(make)
    rows = np.random.default_rng(0).normal(size=(5, *shape)).astype("float32")
    kwargs = {"key": KEY, "shape": shape, "outputs": 3}
    module = make(**kwargs)
    params = model.init(KEY, shape, 3, Zeros(), "float32")
    want = module(rows, how=equinox_model.Predict()) if make is Told else jax.vmap(module)(rows)
    np.testing.assert_allclose(model.apply(params, rows), want, rtol=1e-6, atol=1e-6)
    assert model.sizes(shape, 3) == {Net: [6, 16, 3], Told: [6, 8, 3], conv: [128, 256, 3]}[make]


def test_weights_are_matrices_and_kernels_not_biases_and_norms():
    assert names(EquinoxModel(Net).init(KEY, (6,), 3, Zeros(), "float32")) == [
        "layers/0/bias", "layers/0/weight/W", "layers/1/bias", "layers/1/weight/W", "norm/bias", "norm/weight",
    ]  # fmt: skip
    found = names(EquinoxModel(conv).init(KEY, (8, 8, 2), 3, Zeros(), "float32"))
    assert [name for name in found if name.endswith("/W")] == ["layers/1/weight/W", "layers/5/weight/W"]
    assert "layers/1/bias" in found  # of shape [4, 1, 1], and a bias all the same


def test_a_norm_over_several_axes_is_no_weight():
    class Plane(eqx.Module):
        norm: eqx.nn.LayerNorm
        out: eqx.nn.Linear

        def __init__(self, shape, outputs, *, key):
            self.norm, self.out = eqx.nn.LayerNorm(shape), eqx.nn.Linear(64, outputs, key=key)

        def __call__(self, row):
            return self.out(self.norm(row).ravel())

    params = EquinoxModel(Plane).init(KEY, (8, 8), 3, Zeros(), "float32")
    assert names(params) == ["norm/bias", "norm/weight", "out/bias", "out/weight/W"]
    assert params["norm"]["weight"].shape == (8, 8)


def test_the_penalty_acts_on_weights_alone():
    params = EquinoxModel(Net).init(KEY, (6,), 3, Zeros(), "float32")
    kernels = [np.asarray(params["layers"][i]["weight"]["W"], np.float64) for i in "01"]
    assert float(L2(2.0).value(params)) == pytest.approx(sum((w**2).sum() for w in kernels), rel=1e-6)


def test_it_learns_as_a_population():
    sklearn = pytest.importorskip("sklearn.datasets")
    X, y = sklearn.load_iris(return_X_y=True)
    recipes = [Recipe(model=EquinoxModel(Net), method=Adam(rate=rate)) for rate in (1e-3, 1e-2, 3e-2)]
    found = sweep(recipes, X, y, replicates=1, epochs=20, standardize=True)
    assert found.accuracy.max() > 0.9
    alone = sweep(recipes[1], X, y, replicates=1, epochs=20, standardize=True)
    jax.tree.map(np.testing.assert_array_equal, found.params(0, 1), alone.params(0, 0))


def test_hidden_layers_are_those_it_tells_of():
    assert (hidden_layers(EquinoxModel(Told), (6,)), hidden_layers(EquinoxModel(Net), (6,))) == (1, 0)


def test_what_makes_a_module_is_a_model():
    assert as_model(Net) == EquinoxModel(Net)
    assert as_model(conv) == EquinoxModel(conv)
    with pytest.raises(SettingError, match=r"the model has its weights already, .* give the class Net, or a function"):
        as_model(Net((6,), 3, key=KEY))
    with pytest.raises(SettingError, match="makes no module; give its class"):
        EquinoxModel(3)


def closes_over(key, shape, outputs):
    half = jnp.sqrt(jnp.float32(0.25))
    return eqx.nn.Sequential([eqx.nn.Linear(*shape, outputs, key=key), eqx.nn.Lambda(lambda row: half * row)])


def wrong(**fields):
    """A module with these fields beside a layer."""

    class Wrong(eqx.Module):
        layer: eqx.nn.Linear
        more: object

        def __init__(self, shape, outputs, *, key):
            self.layer, self.more = eqx.nn.Linear(*shape, outputs, key=key), fields["more"](key)

        def __call__(self, row):
            return self.layer(row)

    return Wrong


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (wrong(more=lambda key: eqx.nn.BatchNorm(3, "batch", mode="batch")), "its more keeps state beside the weights"),
        (
            wrong(more=lambda key: eqx.nn.Dropout(0.5)),
            "its more is eqx.nn.Dropout; leave it out, call how.hidden there",
        ),
        (wrong(more=lambda key: jnp.arange(3)), "its weight more is of type int32; weights are arrays of real numbers"),
        (wrong(more=lambda key: key), "its weight more is of type key<fry>"),
        (lambda key: 3, "it makes a int, which is no Equinox module that can be called"),
        (lambda key, outputs: eqx.nn.Linear(4, outputs, key=key), "model <lambda>: "),
        (lambda key, width: 3, "TypeError: "),
        (closes_over, "it keeps a number that was computed with its weights; compute that with NumPy, or in apply"),
    ],
)
def test_modules_that_a_population_would_not_treat_as_meant(make, said):
    with pytest.raises(SettingError) as error:
        EquinoxModel(make).sizes((6,), 3)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_dropout_of_nothing_may_stay():
    make = wrong(more=lambda key: [eqx.nn.Dropout(0.0), eqx.nn.Dropout(0.5, inference=True)])
    assert EquinoxModel(make).sizes((6,), 3) == [6, 3]


def test_without_equinox_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "equinox", None)
    with pytest.raises(SettingError) as error:
        EquinoxModel(Net)
    assert str(error.value) == 'Equinox is not installed; pip install "steepest[equinox]"'
