"""Flax modules, of linen and of nnx: what they make of rows, which of their arrays are weights, and what is refused."""

# ruff: noqa: ARG005 - what users write has these parameters, and fixtures act by being asked for

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_iris

from steepest.core.errors import SettingError
from steepest.inits.plain import Zeros
from steepest.methods.adam import Adam
from steepest.models.flax_model import FlaxModel
from steepest.models.loading import as_model
from steepest.models.passes import PREDICT
from steepest.penalties.norms import L2
from steepest.study.sweep import sweep
from steepest.techniques.dropout import Dropout
from steepest.techniques.maxnorm import MaxNorm
from steepest.train.recipe import Recipe
from steepest.train.techniques import check_techniques, hidden_layers

pytest.importorskip("flax", reason='Flax is not installed: pip install "steepest[flax]"')
from flax import linen as nn
from flax import nnx

KEY = jax.random.key(0)


class Linen(nn.Module):
    outputs: int
    widths: tuple = (16,)

    @nn.compact
    def __call__(self, rows, how):
        h = rows.reshape(len(rows), -1)
        for width in self.widths:
            h = how.hidden(nn.relu(nn.LayerNorm()(nn.Dense(width)(h))))
        return nn.Dense(self.outputs)(h)


class Three(nn.Module):
    widths: list  # which cannot be hashed

    @nn.compact
    def __call__(self, rows):
        return nn.Dense(3)(nn.tanh(nn.Dense(self.widths[0])(rows)))


class Nnx(nnx.Module):
    def __init__(self, shape, outputs, *, rngs):
        self.layers = nnx.List([nnx.Linear(*shape, 16, rngs=rngs), nnx.Linear(16, outputs, rngs=rngs)])
        self.norm = nnx.LayerNorm(16, rngs=rngs)

    def __call__(self, rows):
        first, last = self.layers
        return last(self.norm(nnx.relu(first(rows))))


def names(params):
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, _ in jax.tree_util.tree_leaves_with_path(params)
    ]


def test_scores_are_the_linen_modules():
    model, module = FlaxModel(Linen), Linen(3)
    rows = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    params = model.init(KEY, (2, 3), 3, Zeros(), "float32")
    variables = module.init(KEY, rows[:1], how=PREDICT)
    np.testing.assert_allclose(model.apply(params, rows), module.apply(variables, rows, how=PREDICT), rtol=1e-6)
    assert model.sizes((2, 3), 3) == [6, 16, 3]
    assert names(params) == [
        "Dense_0/bias", "Dense_0/kernel/W", "Dense_1/bias", "Dense_1/kernel/W", "LayerNorm_0/bias", "LayerNorm_0/scale",
    ]  # fmt: skip


def test_scores_are_the_nnx_modules():
    model, module = FlaxModel(Nnx), Nnx((6,), 3, rngs=nnx.Rngs(KEY))
    rows = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    params = model.init(KEY, (6,), 3, Zeros(), "float32")
    np.testing.assert_allclose(model.apply(params, rows), module(rows), rtol=1e-6)
    assert model.sizes((6,), 3) == [6, 16, 3]
    assert names(params) == [
        "layers/0/bias", "layers/0/kernel/W", "layers/1/bias", "layers/1/kernel/W", "norm/bias", "norm/scale",
    ]  # fmt: skip


def test_the_penalty_acts_on_kernels_alone():
    for model, kernels in ((FlaxModel(Linen), ("Dense_0", "Dense_1")), (FlaxModel(Nnx), ("layers",))):
        params = jax.tree.map(lambda leaf: leaf + 0.5, model.init(KEY, (6,), 3, Zeros(), "float32"))
        leaves = [leaf for name in kernels for leaf in jax.tree.leaves(params[name]) if leaf.ndim == 2]
        assert len(leaves) == 2
        want = sum((np.asarray(leaf, np.float64) ** 2).sum() for leaf in leaves)
        assert float(L2(2.0).value(params)) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("make", [Three([16]), Nnx], ids=["linen", "nnx"])
def test_it_learns_as_a_population(make):
    X, y = load_iris(return_X_y=True)
    model = FlaxModel(make)
    recipes = [Recipe(model=model, method=Adam(rate=rate)) for rate in (1e-3, 1e-2, 3e-2)]
    found = sweep(recipes, X, y, replicates=1, epochs=20, standardize=True)
    assert found.accuracy.max() > 0.9
    alone = sweep(recipes[1], X, y, replicates=1, epochs=20, standardize=True)
    jax.tree.map(np.testing.assert_array_equal, found.params(0, 1), alone.params(0, 0))


def test_techniques_act_where_it_says_and_nowhere_else():
    model = FlaxModel(Linen)
    assert hidden_layers(model, (6,)) == 1
    assert hidden_layers(FlaxModel(lambda outputs: Linen(outputs, (4, 4, 4))), (6,)) == 3
    check_techniques(Recipe(model=model, techniques=(Dropout(),)), (6,))
    with pytest.raises(
        SettingError, match=r"acts on hidden units, and FlaxModel\(Nnx\) has none; call how.hidden in it"
    ):
        check_techniques(Recipe(model=FlaxModel(Nnx), techniques=(Dropout(),)), (6,))
    with pytest.raises(SettingError, match="acts on hidden units"):  # though it gives 3 scores, whatever is asked
        check_techniques(Recipe(model=FlaxModel(Three([4])), techniques=(Dropout(),)), (6,))


def test_a_module_made_already_gives_the_scores_it_gives():
    assert FlaxModel(Three([4])).fixed_outputs((6,)) == 3
    assert FlaxModel(Linen).fixed_outputs((6,)) is None
    with pytest.raises(SettingError, match=r"model Three: for 3 rows it gives scores of shape \(3, 3\); .* 5 scores"):
        FlaxModel(Three([4])).sizes((6,), 5)


def test_what_is_or_makes_a_module_is_a_model():
    module = Three([4])
    assert as_model(module) == FlaxModel(module)
    assert as_model(Linen) == FlaxModel(Linen)
    assert as_model(Nnx) == FlaxModel(Nnx)
    assert isinstance(as_model(lambda outputs: Linen(outputs)), FlaxModel)
    assert isinstance(as_model(lambda shape, outputs, rngs: Nnx(shape, outputs, rngs=rngs)), FlaxModel)
    with pytest.raises(
        SettingError, match="has its weights already, and each replicate draws its own; give the class Nnx"
    ):
        as_model(Nnx((6,), 3, rngs=nnx.Rngs(KEY)))
    with pytest.raises(SettingError, match="FlaxModel: Nnx has its weights already; give its class"):
        FlaxModel(Nnx((6,), 3, rngs=nnx.Rngs(KEY)))


class Stateful(nn.Module):
    @nn.compact
    def __call__(self, rows):
        return nn.Dense(3)(nn.BatchNorm(use_running_average=False)(rows))


class Draws(nn.Module):
    @nn.compact
    def __call__(self, rows):
        return nn.Dense(3)(nn.Dropout(0.5, deterministic=False)(rows))


class Switched(nn.Module):
    @nn.compact
    def __call__(self, rows, train):
        return nn.Dense(3)(rows)


class NnxWith(nnx.Module):
    def __init__(self, kind, shape, outputs, rngs):
        self.out = nnx.Linear(*shape, outputs, rngs=rngs)
        self.more = kind(rngs)

    def __call__(self, rows):
        return self.out(rows)


def nnx_with(kind):
    return lambda shape, outputs, rngs: NnxWith(kind, shape, outputs, rngs)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Stateful(), "model Stateful: it keeps batch_stats beside the weights, which is not trained; use GroupNorm"),
        (Draws(), "model Draws: it draws while it is applied; leave Dropout out, call how.hidden there"),
        (Switched(), "missing 1 required positional argument: 'train'"),
        (nnx_with(lambda rngs: nnx.BatchNorm(4, rngs=rngs)), "it keeps BatchStat beside the weights"),
        (nnx_with(lambda rngs: nnx.Dropout(0.5, rngs=rngs)), "it draws while it is applied; leave Dropout out"),
        (nnx_with(lambda rngs: nnx.Param(jnp.arange(3))), "its weight more is of type int32"),
        (lambda outputs: outputs, "it makes a int, which is no module of flax.linen or flax.nnx"),
    ],
)
def test_modules_that_a_population_would_not_treat_as_meant(make, said):
    with pytest.raises(SettingError) as error:
        FlaxModel(make).sizes((6,), 3)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_without_flax_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "flax.linen", None)
    with pytest.raises(SettingError) as error:
        FlaxModel(Linen)
    assert str(error.value) == 'Flax is not installed; pip install "steepest[flax]"'


@pytest.mark.parametrize("made", [FlaxModel(Linen), FlaxModel(Nnx)], ids=["linen", "nnx"])
def test_max_norm_bounds_what_each_unit_takes_in(made):
    X, y = load_iris(return_X_y=True)
    recipe = Recipe(model=made, method=Adam(rate=0.03), techniques=MaxNorm(0.5))
    params = sweep([recipe], X, y, replicates=1, epochs=5, standardize=True).params(0, 0)
    kernels = [np.asarray(leaf) for leaf in jax.tree.leaves(params) if np.ndim(leaf) == 2]
    assert [kernel.shape for kernel in kernels] == [(4, 16), (16, 3)]  # units last
    for kernel in kernels:
        assert np.linalg.norm(kernel, axis=0).max() == pytest.approx(0.5, rel=1e-5)
