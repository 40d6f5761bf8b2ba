"""Users' own models, the plainest kind: a pair of functions is the model it copies, and penalties find its weights."""

# ruff: noqa: ARG001 - what users write has these parameters, and fixtures act by being asked for

import copy
import functools
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import structure
from steepest.inits.given import Given
from steepest.inits.scaled import He
from steepest.methods.adam import Adam
from steepest.methods.momentum import Momentum
from steepest.models.cnn import CNN
from steepest.models.contract import Model, dense
from steepest.models.linear import Linear
from steepest.models.loading import as_model
from steepest.models.mlp import MLP
from steepest.models.names import MADE_FOR, names_of
from steepest.models.own import Functions
from steepest.models.passes import norm_layer, norm_start
from steepest.models.text import describe, parameters
from steepest.penalties.norms import L1, L2
from steepest.study.sweep import sweep
from steepest.techniques.dropout import Dropout
from steepest.train.recipe import Recipe
from steepest.train.techniques import hidden_layers

KEY = jax.random.key(3)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6)).astype("float32")
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int) + (X[:, 3] > 1)


def linear_init(key, shape, outputs):
    return {"W": jnp.zeros((outputs, *shape)), "b": jnp.zeros(outputs)}


def linear_apply(params, rows):
    return (params["W"] @ rows.T + params["b"][:, None]).T


def mlp_init(key, shape, outputs):
    sizes = {"layer1": (*shape, 16), "output": (16, outputs)}
    return {name: dense(key, name, size, He(), "float32") for name, size in sizes.items()}


def mlp_apply(params, rows, how):
    h = how.hidden(jax.nn.relu(linear_apply(params["layer1"], rows)))
    return linear_apply(params["output"], h)


LINEAR = Functions(linear_init, linear_apply)
NET = Functions(mlp_init, mlp_apply)


@functools.cache
def trained(model, rates=(0.01, 0.1, 0.3), **parts):
    """The weights by their names, [rates, …], and the accuracies of a few rates."""
    recipes = [Recipe(model=model, method=Momentum(rate=rate), **parts) for rate in rates]
    found = sweep(recipes, X, Y, replicates=1, epochs=4)
    together = jax.tree.map(lambda *leaves: np.stack(leaves), *[found.params(0, i) for i in range(len(rates))])
    named = jax.tree_util.tree_flatten_with_path(together)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in named}, found.accuracy


@pytest.mark.parametrize(("ours", "copied"), [(Linear(), LINEAR), (MLP(widths=(16,)), NET)], ids=["linear", "mlp"])
@pytest.mark.parametrize("parts", [{}, {"penalty": L1(1e-2)}, {"penalty": L2(1e-2)}], ids=["none", "l1", "l2"])
def test_a_copy_of_a_model_is_that_model(ours, copied, parts):
    want, accuracy = trained(ours, **parts)
    got, again = trained(copied, **parts)
    assert got.keys() == want.keys()
    for name, leaf in want.items():
        np.testing.assert_allclose(got[name], leaf, rtol=1e-6, atol=1e-6, err_msg=str(name))
    np.testing.assert_array_equal(again, accuracy)
    assert accuracy.max() > 0.6


def test_a_technique_acts_where_the_model_says_that_hidden_units_are():
    parts = {"techniques": (Dropout(rate=0.5),)}
    want, _ = trained(MLP(widths=(16,)), **parts)
    got, _ = trained(NET, **parts)
    plain, _ = trained(NET)
    name = "layer1/W"
    np.testing.assert_allclose(got[name], want[name], rtol=1e-6, atol=1e-6)
    assert np.abs(got[name] - plain[name]).max() > 0.01
    assert (hidden_layers(NET, (6,)), hidden_layers(LINEAR, (6,))) == (1, 0)


def test_batch_norm_learns_its_running_statistics():
    def init(key, shape, outputs):
        params = mlp_init(key, shape, outputs)
        return {**params, "norm1": norm_layer(16, "float32"), "running": {"norm1": norm_start(16, "float32")}}

    def apply(params, rows, how):
        z = how.norm(params, "norm1", linear_apply(params["layer1"], rows))
        return linear_apply(params["output"], jax.nn.relu(z))

    weights, _ = trained(Functions(init, apply))
    mean, scale = weights["running/norm1/mean"], weights["norm1/scale"]
    assert np.abs(mean).max() > 0.05
    assert np.abs(scale - 1).max() > 1e-3


def tuples(key, shape, outputs):
    first, last = jax.random.split(key)
    return [
        (jax.random.normal(first, (*shape, 8)), jnp.zeros(8)),
        (jax.random.normal(last, (8, outputs)), jnp.zeros((1, outputs))),
    ]


def through_tuples(params, rows):
    (a, b), (c, d) = params
    return jnp.tanh(rows @ a + b) @ c + d


def test_any_tree_of_arrays_will_do():
    model = Functions(tuples, through_tuples)
    params = model.init(KEY, (6,), 3, He(), "float32")
    names = [
        jax.tree_util.keystr(p, simple=True, separator="/") for p, _ in jax.tree_util.tree_leaves_with_path(params)
    ]
    assert names == ["0/0/W", "0/1", "1/0/W", "1/1/W"]
    np.testing.assert_array_equal(model.apply(params, X), through_tuples(tuples(KEY, (6,), 3), X))
    assert params[MADE_FOR] == {"3": {}}


def test_biases_and_scales_are_spared_by_their_names():
    tree = {
        "bias": np.ones((1, 3)),
        "scale": np.ones((2, 2)),
        "deep": {"b": np.ones((2, 2)), "kernel": np.ones((2, 2))},
    }
    assert names_of(tree) == (("bias",), ("deep", "b"), ("deep", "kernel", "W"), ("scale",))


def test_the_penalty_is_that_of_the_weights():
    model = Functions(tuples, through_tuples)
    params = jax.tree.map(lambda leaf: leaf + 1, model.init(KEY, (6,), 3, He(), "float32"))
    (a, _), (c, d) = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64) + 1, tuples(KEY, (6,), 3))
    assert float(L2(2.0).value(params)) == pytest.approx(sum((w**2).sum() for w in (a, c, d)), rel=1e-5)


def conv_init(key, shape, outputs):
    return {"kernel": jax.random.normal(key, (3, 3, shape[-1], 4)), "out": jnp.zeros((16 * 4, outputs))}


def conv_apply(params, rows):
    axes = ("NHWC", "HWIO", "NHWC")
    maps = jax.lax.conv_general_dilated(rows, params["kernel"], (2, 2), "SAME", dimension_numbers=axes)
    return jax.nn.relu(maps).reshape(len(rows), -1) @ params["out"]


def test_sizes_are_those_of_the_models_that_say_them():
    for shape in ((6,), (100,)):
        for ours, copied in ((Linear(), LINEAR), (MLP(widths=(16,)), NET)):
            assert copied.sizes(shape, 3) == ours.sizes(shape, 3)
            assert parameters(copied, shape, 3) == parameters(ours, shape, 3)
    conv = Functions(conv_init, conv_apply)
    assert conv.sizes((8, 8, 2), 3) == [128, 64, 3]


def test_sizes_of_patches_count_what_they_hold():
    ours = CNN()
    copied = Functions(
        lambda key, shape, outputs: ours.init(key, shape, outputs, He(), "float32"),
        lambda params, rows: ours.apply(params, rows),
    )
    want, got = sum(ours.sizes((16, 16, 3), 10)), sum(copied.sizes((16, 16, 3), 10))
    assert 0.5 < got / want < 2


def test_a_loop_holds_what_each_of_its_turns_does():
    def init(key, shape, outputs):
        return {"square": jnp.eye(*shape), "out": jnp.zeros((*shape, outputs))}

    def apply(params, rows):
        h, _ = jax.lax.scan(lambda h, _: (jnp.tanh(h @ params["square"]), None), rows, length=5)
        return h @ params["out"]

    assert Functions(init, apply).sizes((6,), 3) == [6, 30, 30, 3]


def test_the_numbers_are_in_the_recipes_precision():
    params = NET.init(KEY, (6,), 3, He(), "float16")
    assert {leaf.dtype.name for leaf in jax.tree.leaves(params)} == {"float16"}


def test_members_train_in_one_program_and_alone_alike():
    recipes = [Recipe(model=NET, method=Adam(rate=rate), penalty=L2(1e-3)) for rate in (1e-3, 1e-2, 1e-1)]
    assert len({structure(recipe.general()) for recipe in recipes}) == 1
    together, _ = trained(NET)
    alone, _ = trained(NET, (0.3,))
    for name, leaf in together.items():
        np.testing.assert_array_equal(leaf[2], alone[name][0])


def test_given_weights_start_it_and_other_inits_are_refused():
    mine = {"W": np.full((3, 6), 0.5), "b": np.arange(3.0)}
    params = LINEAR.init(KEY, (6,), 3, Given(mine), "float32")
    np.testing.assert_array_equal(params["W"], mine["W"])
    with pytest.raises(SettingError, match=r"He: .* draws its own weights, so that an init has no say; leave it out"):
        Recipe(model=NET, init=He())


def test_copies_are_equal_and_train_together():
    assert copy.deepcopy(NET) == NET
    assert pickle.loads(pickle.dumps(NET)) == NET
    assert structure(copy.deepcopy(NET)) == structure(NET)
    assert NET != LINEAR
    assert repr(NET) == "Functions(mlp_init, mlp_apply)"


def test_it_is_described_in_words():
    assert describe(NET, (6,), 3) == "Functions(mlp_init, mlp_apply): 6 → 16 → 3, 163 parameters"


def test_what_may_be_a_model():
    assert as_model((mlp_init, mlp_apply)) == as_model([mlp_init, mlp_apply]) == NET
    assert as_model(NET) is NET
    assert as_model(MLP) == MLP()
    assert isinstance(as_model(Linear()), Model)
