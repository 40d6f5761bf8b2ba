"""Sparse activations: the penalty's values by hand, and what training makes of the activities."""  # source: R8

import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.data.opening import open as open_data
from steepest.methods.adam import Adam
from steepest.models.mlp import MLP
from steepest.study.fit import fit
from steepest.techniques.contract import Facts, View
from steepest.techniques.sparse import Sparse, mean_activity
from steepest.train.recipe import Recipe

H1 = np.array([[0.5, 0.0, 0.9], [0.1, 0.2, 0.3], [7.0, 7.0, 7.0]], np.float32)
H2 = np.array([[-0.5, 0.25], [0.5, 0.75], [np.nan, 7.0]], np.float32)
WEIGHT = np.array([1.0, 3.0, 0.0], np.float32)  # what stands in the last row must not matter


def extra(technique):
    hidden = (jnp.asarray(H1), jnp.asarray(H2))
    now = jnp.zeros(3)
    facts = Facts(jnp.zeros(2), jnp.ones(2), 2)
    none = jnp.zeros((3, 2))
    return np.asarray(technique.extra(View(none, none, jnp.asarray(WEIGHT), none, none, now, hidden, None, facts)))  # type: ignore[arg-type]


def test_l1_is_the_sum_of_each_rows_activities():
    np.testing.assert_allclose(extra(Sparse(0.1))[:2], [0.1 * (1.4 + 0.75), 0.1 * (0.6 + 1.25)], rtol=1e-6)
    np.testing.assert_allclose(extra(Sparse(0.1, layers=(2,)))[:2], [0.075, 0.125], rtol=1e-6)


@pytest.mark.parametrize("kind", ["kl", "poisson"])
def test_kl_of_the_weighted_mean_activities(kind):
    rates = np.concatenate([(H1[0] + 3 * H1[1]) / 4, (np.abs(H2[0]) + 3 * np.abs(H2[1])) / 4])
    t = 0.2
    by_hand = t * np.log(t / rates) + (1 - t) * np.log((1 - t) / (1 - rates))
    if kind == "poisson":
        by_hand = t * np.log(t / rates) - t + rates
    np.testing.assert_allclose(extra(Sparse(2.0, target=t, kind=kind)), 2 * by_hand.sum(), rtol=1e-5)


def test_a_channel_of_a_map_is_one_unit():
    maps = np.random.default_rng(0).random((5, 4, 4, 3)).astype("f4")
    weight = np.array([1, 1, 0, 2, 1], np.float32)
    want = (maps.mean((1, 2)) * weight[:, None]).sum(0) / 5
    np.testing.assert_allclose(mean_activity(jnp.asarray(maps), jnp.asarray(weight)), want, rtol=1e-5)


def test_units_that_are_off_or_full_give_finite_numbers():
    ends = jnp.asarray(np.array([[0.0, 1.0], [0.0, 1.0]], np.float32))
    facts = Facts(jnp.zeros(2), jnp.ones(2), 2)
    for kind in ("kl", "poisson"):
        seen = View(ends, ends, jnp.ones(2), None, None, jnp.zeros(2), (ends,), None, facts)  # type: ignore[arg-type]
        assert np.isfinite(np.asarray(Sparse(1.0, kind=kind).extra(seen))).all()


def activity(technique, activation):
    data = open_data("digits")
    recipe = Recipe(
        model=MLP(widths=(32,), activation=activation), method=Adam(rate=0.03), techniques=technique, batch_size=64
    )
    found = fit(data, recipe, epochs=20)
    rows = found.prepared(data.features()).reshape(len(data), -1)
    z = rows @ found.params["layer1"]["W"].T + found.params["layer1"]["b"]
    h = np.maximum(z, 0) if activation == "relu" else 1 / (1 + np.exp(-z))
    return h.mean(0), found.scores["test"]["accuracy"]


def test_the_target_rate_is_what_units_come_to():
    plain, _ = activity((Sparse(0.0, target=0.1, kind="kl"),), "sigmoid")  # a strength compiles nothing anew
    sparse, accuracy = activity((Sparse(1.0, target=0.1, kind="kl"),), "sigmoid")
    assert np.abs(plain - 0.1).mean() > 0.2
    assert np.abs(sparse - 0.1).mean() < 0.03
    assert accuracy > 0.9


def test_l1_quiets_relus_and_spares_the_answers():
    plain, before = activity((Sparse(0.0),), "relu")
    sparse, after = activity((Sparse(0.01),), "relu")
    assert sparse.mean() < 0.5 * plain.mean()
    assert after > before - 0.03


def test_settings_out_of_range():
    with pytest.raises(SettingError, match=r"unknown Sparse.kind 'l2'; known: l1, kl, poisson"):
        Sparse(kind="l2")
    with pytest.raises(SettingError, match=r"Sparse.target = 1; it must be a finite number in \(0, 1\)"):
        Sparse(target=1.0)
    with pytest.raises(SettingError, match="whole numbers of at least 1"):
        Sparse(layers=(0,))
