"""Noise: its mean and variance, where it goes, and how often labels change."""  # source: R4

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.techniques.contract import Facts
from steepest.techniques.noise import HiddenNoise, InputNoise, LabelNoise, WeightNoise

KEY = jax.random.key(0)
N = 40_000


def facts(classes):
    return Facts(np.zeros(1), np.ones(1), classes)


def normal(values, scale):
    """Mean 0, deviation `scale` and a normal's fourth moment, within four standard errors."""
    z = np.ravel(np.asarray(values, np.float64)) / scale
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(np.mean(z**2) - 1) < 4 * np.sqrt(2 / z.size)
    assert abs(np.mean(z**4) - 3) < 4 * np.sqrt(96 / z.size)


@pytest.mark.parametrize("scale", [0.01, 0.3])
def test_inputs_and_hidden_units_get_normal_noise_of_the_scale(scale):
    x = jnp.full((N // 8, 8), 0.5)
    X, y = InputNoise(scale).rows(x, jnp.arange(len(x)), KEY, facts(2))
    normal(X - x, scale)
    assert (y == jnp.arange(len(x))).all()
    normal(HiddenNoise(scale).hidden(x, KEY, 1) - x, scale)


def test_hidden_noise_spares_other_layers():
    h = jnp.ones((3, 4))
    technique = HiddenNoise(0.5, layers=(2,))
    assert (technique.hidden(h, KEY, 1) == h).all()
    assert (technique.hidden(h, KEY, 2) != h).all()


def test_weights_get_noise_and_biases_and_norms_get_none():
    params = {
        "layer1": {"W": jnp.zeros((100, 200)), "b": jnp.zeros(100)},
        "layer2": {"W": jnp.zeros((100, 200)), "b": jnp.zeros(100)},
        "norm1": {"scale": jnp.ones(100), "shift": jnp.zeros(100)},
    }
    got = WeightNoise(0.2).weights(params, KEY)
    normal(got["layer1"]["W"], 0.2)
    normal(got["layer2"]["W"], 0.2)
    normal((got["layer1"]["W"] + got["layer2"]["W"]) / np.sqrt(2), 0.2)  # layers draw each for itself
    for name in ("layer1", "layer2"):
        assert not np.any(got[name]["b"])
    assert (got["norm1"]["scale"] == 1).all()
    assert not np.any(got["norm1"]["shift"])
    fewer = WeightNoise(0.2).weights({"layer2": params["layer2"]}, KEY)
    assert (fewer["layer2"]["W"] == got["layer2"]["W"]).all(), "a layer's draw hangs on its name, not on other layers"


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_labels_change_at_the_rate_and_never_into_themselves(classes):
    rate = 0.3
    y = jnp.arange(N, dtype=jnp.int32) % classes
    X, got = LabelNoise(rate).rows(jnp.zeros((N, 1)), y, KEY, facts(classes))
    assert got.dtype == y.dtype
    assert int(got.min()) == 0
    assert int(got.max()) == classes - 1
    changed = np.asarray(got != y)
    assert abs(changed.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / N)
    ahead = np.asarray((got - y) % classes)[changed]
    shares = np.bincount(ahead, minlength=classes) / len(ahead)
    wanted = np.r_[0, np.full(classes - 1, 1 / (classes - 1))]
    assert (np.abs(shares - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / len(ahead)) + 1e-9).all()
    assert not np.any(X)


def test_a_label_replaced_at_all_is_never_kept():
    y = jnp.arange(N, dtype=jnp.int32) % 4
    almost_one = jnp.float32(1)
    technique = jax.tree.map(lambda _: almost_one, LabelNoise())
    assert (technique.rows(jnp.zeros((N, 1)), y, KEY, facts(4))[1] != y).all()


def test_a_larger_rate_changes_the_same_labels_and_more():
    y = jnp.zeros(1000, jnp.int32)
    few, many = (LabelNoise(rate).rows(jnp.zeros((1000, 1)), y, KEY, facts(5))[1] for rate in (0.1, 0.4))
    assert ((few == 0) | (few == many)).all()
    assert int((many > 0).sum()) > int((few > 0).sum()) > 0
