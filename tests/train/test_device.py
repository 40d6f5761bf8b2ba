"""What is planned for a device, by fakes of what a GPU says of itself."""

import re

import jax
import numpy as np
import pytest

from steepest import CNN, MLP, Functions, Linear, Recipe, sweep
from steepest.core.stack import stack
from steepest.study import blocks
from steepest.study import source as sources
from steepest.study.plan import Plan
from steepest.study.replicate import draw_of, draw_replicate, read_in_parts, rows_bytes
from steepest.train import device, loop
from steepest.train.cache import precision
from steepest.train.stream import Streamed

GIB = 1 << 30
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(80, 6)).astype("f4"), np.arange(80) % 2


@pytest.fixture
def gpu(monkeypatch):
    """A GPU of so many bytes, as far as planning asks; what is computed is computed by the CPU."""

    def of(limit, used=0):
        monkeypatch.setattr(device, "accelerated", lambda: True)
        monkeypatch.setattr(device, "memory", lambda: {"bytes_limit": limit, "bytes_in_use": used})

    return of


def test_one_thread_on_a_gpu_unless_more_are_asked_for(gpu):
    source = sources.from_arrays(X, Y, regression=False)
    draw = draw_of(source, 0, 0.25, 0.2, False)
    assert Plan(source, lambda _: [], draw, 1, 1).workers == device.cores()
    gpu(GIB)
    assert Plan(source, lambda _: [], draw, 1, 1).workers == 1
    assert Plan(source, lambda _: [], draw, 1, 1, threads=3).workers == 3


def test_free_memory_is_the_gpus_where_it_says(gpu, monkeypatch):
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: type("Free", (), {"available": 7})())
    assert device.free_bytes(None) == device.free_bytes({}) == 7
    assert device.free_bytes({"bytes_limit": 10, "bytes_in_use": 12}) == 0
    gpu(limit=100_000, used=36_000)
    assert blocks.members_that_fit(0.5, 1_000, threads=1) == 32
    assert blocks.members_that_fit(0.5, 1_000, threads=1, beside=20_000) == 8


def test_the_cpu_keeps_no_statistics():
    assert device.memory() is None
    assert not device.accelerated()
    assert device.name() == "cpu"


def test_on_a_gpu_convolutions_train_together_and_no_cache_bounds_a_block(gpu):
    cnn, wide = Recipe(model=CNN()), Recipe(model=MLP(widths=(512,)))
    assert blocks.width_of(cnn, (32, 32, 3), 10) == blocks.widest(wide, (3072,), 10) == 1
    gpu(80 * GIB)
    assert blocks.width_of(cnn, (32, 32, 3), 10) == 16
    assert blocks.widest(cnn, (32, 32, 3), 10) == blocks.widest(wide, (3072,), 10) == blocks.WIDTHS[-1]


def test_rows_that_a_gpu_cannot_hold_are_read_in_parts(gpu):
    source = sources.from_arrays(X, Y, regression=False)
    draw = draw_of(source, 0, 0.25, 0.2, False)
    needed = rows_bytes(source, draw)
    assert needed == 2 * sum(draw.sizes) * 6 * 4
    assert not read_in_parts(source, draw)
    gpu(2 * needed)
    assert not read_in_parts(source, draw)
    whole = draw_replicate(source, draw, 0)
    gpu(2 * needed - 1)
    assert read_in_parts(source, draw)
    made = draw_replicate(source, draw, 0)
    assert isinstance(made.train.X, Streamed)
    assert made.streamed
    assert not whole.streamed
    np.testing.assert_array_equal(made.train.X.take(np.arange(len(made.train.X))), np.asarray(whole.train.X))


def test_a_sweep_whose_rows_a_gpu_cannot_hold_comes_to_the_same(gpu):
    recipe = Recipe(products="float32")
    whole = sweep(recipe, X, Y, replicates=1, epochs=2)
    gpu(2000, used=500)  # its rows take 3,840 bytes
    parts = sweep(recipe, X, Y, replicates=1, epochs=2)
    np.testing.assert_allclose(parts.params(0, 0)["W"], whole.params(0, 0)["W"], rtol=0, atol=1e-6)
    assert parts.accuracy == whole.accuracy


def test_full_products_are_asked_for_by_name_where_a_gpu_would_round_them(gpu):
    with precision("float32"):
        assert jax.config.jax_default_matmul_precision is None
    gpu(GIB)
    with precision("float32"):
        assert jax.config.jax_default_matmul_precision == "float32"
    with precision("float32", "bfloat16"):
        assert jax.config.jax_default_matmul_precision == "bfloat16"


def test_what_the_user_set_in_jax_does_not_change_what_a_recipe_says():
    with jax.default_matmul_precision("bfloat16"), precision("float32"):
        assert jax.config.jax_default_matmul_precision is None


def test_auto_is_bfloat16_on_a_gpu_where_products_are_ours_to_round(gpu):
    own = Functions(dict, lambda _, rows: rows)
    assert Recipe().decided().products == "float32"
    gpu(GIB)
    assert Recipe().decided().products == Recipe(model=Linear()).general().products == "bfloat16"
    assert Recipe(products="float32").decided().products == "float32"
    assert Recipe(dtype="float64").decided().products == "auto"
    assert Recipe(model=own).decided().products == "float32"


def lowered_for_a_gpu(products):
    """An epoch of two networks as StableHLO for CUDA, which takes no GPU to write."""
    recipe = Recipe(model=MLP(widths=(5,)), products=products).general()
    source = sources.from_arrays(X, Y, regression=False)
    replicate = draw_replicate(source, draw_of(source, 0, 0.25, 0.2, False), 0)
    stacked = stack([recipe, recipe])
    with precision("float32", products):
        states = loop.begin(stacked, replicate.key, replicate.shape, 2)
        order, weight = replicate.batches(0, 32, True)
        clock = loop.Clock(np.int32(0), *np.array([0, 2, 2], "f4"))
        chance = loop.Chance(replicate.noise, None)
        told = loop.epoch.trace(stacked, states, replicate.train, order, weight, replicate.validation, clock, chance)
        return told.lower(lowering_platforms=("cuda",)).as_text()


def products_of(text):
    """Matrix products that have something to sum and are not only how a sum is written, by their factors' type."""
    return re.findall(r"dot_general.*?\(tensor<[\dx]*x(\w+)>, tensor<[\dx]*x(\w+)>\) -> tensor<[\dx]*x(\w+)>", text)


def test_a_gpus_program_multiplies_in_bfloat16_and_sums_in_float32():
    rounded, full = products_of(lowered_for_a_gpu("bfloat16")), products_of(lowered_for_a_gpu("float32"))
    assert set(full) == {("f32", "f32", "f32")}
    assert set(rounded) <= {("bf16", "bf16", "f32"), ("f32", "f32", "f32")}
    # two layers forward in the step and in the validation, back to two weights and one layer's input
    assert rounded.count(("bf16", "bf16", "f32")) == 7
    assert len(rounded) == len(full)
