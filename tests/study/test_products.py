"""A comparison and a training with products rounded to bfloat16: forced on the CPU."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from steepest import (
    MLP,
    Adam,
    Adversarial,
    Functions,
    Linear,
    Model,
    Momentum,
    Recipe,
    SettingError,
    Settings,
    Store,
    compare,
    spec,
    sweep,
)  # fmt: skip
from steepest.data.arrays import from_arrays
from steepest.methods.coordinate import Coordinate
from steepest.study.fit import fit
from steepest.study.replicate import draw_of, parts_of
from steepest.study.source import from_dataset
from steepest.study.study import plan
from steepest.train import device
from steepest.train.model_file import load, save
from steepest.train.recipe_json import recipe_from_json, recipe_to_json

RNG = np.random.default_rng(3)
Y = np.arange(120) % 3
X = (RNG.normal(size=(120, 8)) + 0.7 * np.eye(3, 8)[Y]).astype("f4")
SMALL = {"methods": "adam", "penalties": "none", "trials": 1, "replicates": 2, "epochs": 2}


def test_one_step_of_a_linear_model_is_that_of_rounded_products():
    """From zero weights the first step is −rate · bf16(gradient of the scores)ᵀ · bf16(rows)."""
    recipe = Recipe(model=Linear(bias=False), method=Momentum(rate=0.1), batch_size=None, products="bfloat16")
    made = sweep(recipe, X, Y, replicates=1, epochs=1)
    rows = made.rows(0).train.rows
    change = (np.full((len(rows), 3), 1 / 3) - np.eye(3)[Y[rows]]) / len(rows)
    by, at = (part.astype("f4").astype(ml_dtypes.bfloat16).astype("f8") for part in (change, X[rows]))
    got = made.params(0, 0)["W"]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, -0.1 * by.T @ at, rtol=0, atol=1e-7)
    assert np.abs(got + 0.1 * change.T @ X[rows]).max() > 1e-5  # products in full


def test_scores_are_those_of_the_model_that_is_kept():
    """It predicts by full products, whatever it was trained by."""
    data = from_arrays(X, Y)
    found = fit(data, Recipe(model=MLP(widths=(8,)), method=Adam(rate=0.01), products="bfloat16"), epochs=3)
    source = from_dataset(data)
    test = parts_of(source, draw_of(source, 0, 0.25, 0.2, standardize=True), 0).test.rows
    losses = found.losses(data.features(test), data.y[test])
    assert found.scores["test"]["loss"] == pytest.approx(losses.mean(), rel=1e-6)


def test_a_network_trains_by_rounded_gradients_of_its_rows_too():
    how = {"model": MLP(widths=(8,)), "method": Adam(rate=0.01), "techniques": Adversarial()}
    made = sweep([Recipe(**how), Recipe(**how, products="bfloat16")], X, Y, replicates=1, epochs=3, standardize=True)
    full, other = (made.params(0, i)["layer1"]["W"] for i in range(2))
    assert full.dtype == other.dtype == np.float32
    assert 0 < np.abs(full - other).max() < 0.05
    assert (other.astype(ml_dtypes.bfloat16).astype("f4") != other).mean() > 0.9  # weights are not rounded
    assert (made.status == "finished").all()


def test_full_products_keep_their_bits_and_stand_beside_rounded_ones():
    full = Recipe(method=Adam(rate=0.01))
    alone = sweep(full, X, Y, replicates=1, epochs=2).params(0, 0)["W"]
    beside = sweep([Recipe(method=Adam(rate=0.01), products="bfloat16"), full], X, Y, replicates=1, epochs=2)
    np.testing.assert_array_equal(beside.params(0, 1)["W"], alone)
    named = sweep(Recipe(method=Adam(rate=0.01), products="float32"), X, Y, replicates=1, epochs=2)
    np.testing.assert_array_equal(named.params(0, 0)["W"], alone)


def test_a_comparison_is_another_run_and_says_so(tmp_path):
    with Store.open(tmp_path) as store:
        full = compare(X, Y, store=store, **SMALL)
        rounded = compare(X, Y, store=store, products="bfloat16", **SMALL)
        assert full.run != rounded.run
        assert not rounded.stored
        assert compare(X, Y, store=store, products="float32", **SMALL).run == full.run  # what auto is on a CPU
        assert store.get(rounded.run).settings["products"] == "bfloat16"
        assert store.get(full.run).settings["products"] == full.as_dict()["settings"]["products"] == "float32"
        losses = [
            [t.validation["loss"] for t in sorted(store.trainings(run), key=lambda t: (t.replicate, t.trial))]
            for run in (full.run, rounded.run)
        ]
    gaps = np.abs(np.subtract(*losses))
    assert 1e-6 < gaps.max() < 0.05


def test_a_run_from_before_there_was_a_choice_keeps_its_key():
    assert "products" not in Settings(products="float32").training()
    assert Settings(products="bfloat16").training()["products"] == "bfloat16"


def test_auto_is_decided_before_a_comparison_is_keyed(monkeypatch, tmp_path):
    data = from_arrays(X, Y)
    cpu = plan(data, Settings(**SMALL))
    own = tmp_path / "net.py"
    own.write_text(
        "import jax.numpy as jnp\nfrom steepest import Functions\n"
        "net = Functions(lambda key, shape, outputs: {'W': jnp.zeros((outputs, *shape))},\n"
        "                lambda params, rows: rows @ params['W'].T)\n"
    )
    monkeypatch.setattr(device, "accelerated", lambda: True)
    gpu = plan(data, Settings(**SMALL))
    assert (cpu.settings.products, gpu.settings.products) == ("float32", "bfloat16")
    assert cpu.key != gpu.key
    assert gpu.candidates[0].recipe().products == "bfloat16"
    assert plan(data, Settings(**SMALL, products="float32")).key == cpu.key
    mixed = plan(data, Settings(**SMALL, model=("linear", f"{own}:net")))
    assert mixed.settings.products == "float32"


def test_a_model_file_says_how_it_was_trained(tmp_path):
    made = fit(from_arrays(X, Y), Recipe(products="bfloat16"), epochs=1)
    assert made.recipe.products == "bfloat16"
    assert fit(from_arrays(X, Y), Recipe(), epochs=1).recipe.products == "float32"
    assert load(save(made, tmp_path / "m.safetensors")).recipe.products == "bfloat16"


def test_recipes_of_a_file_from_before_leave_it_to_the_device():
    stored = recipe_to_json(Recipe())
    assert stored.pop("products") == "auto"
    assert recipe_from_json(stored) == Recipe()


@spec
class Plain(Model):
    """A class of a user's own that does not say that its products are by `times`."""


def test_what_cannot_be_rounded_is_refused_by_name():
    own = Functions(lambda _, shape, outputs: {"W": jnp.zeros((outputs, *shape))}, lambda p, rows: rows @ p["W"].T)
    for wanted, how in (
        ("multiplies in its own way", {"model": own, "products": "bfloat16"}),
        ("multiplies in its own way", {"model": Plain(), "products": "bfloat16"}),
        ("a solver computes in float64", {"method": Coordinate(), "products": "bfloat16"}),
        ("dtype = float64", {"dtype": "float64", "products": "bfloat16"}),
        ("dtype = float64", {"dtype": "float64", "products": "float32"}),
        ("products", {"products": "bf16"}),
    ):
        with pytest.raises(SettingError, match=wanted):
            Recipe(**how)
    with pytest.raises(SettingError, match="products"):
        Settings(products="half")


def test_no_setting_is_left_behind_in_the_thread():
    sweep(Recipe(products="bfloat16"), X, Y, replicates=1, epochs=1)
    assert jax.config.jax_default_matmul_precision is None
