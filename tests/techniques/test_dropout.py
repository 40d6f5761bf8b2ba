"""Dropout: what is kept, how it is scaled, which layers it acts on, and what is refused."""  # source: R1

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.models.mlp import MLP
from steepest.techniques.contract import Facts
from steepest.techniques.dropout import Dropout, InputDropout, dropped
from steepest.train.passes import Training
from steepest.train.recipe import Recipe

FACTS = Facts(np.zeros(1), np.ones(1), 2)
SIX = jnp.arange(1.0, 7.0)


def test_the_worked_case_of_source_e():  # source: R1
    """Of 1 … 6 at 0.5 the kept 5 and 6 become 10 and 12."""
    kept = jnp.array([0, 0, 0, 0, 1, 1])
    assert dropped(SIX, jnp.where(kept, 0.7, 0.2), 0.5).tolist() == [0, 0, 0, 0, 10, 12]


def test_a_quarter_dropped_makes_the_others_a_third_larger():
    """Source D's rate."""
    got = dropped(SIX, jnp.array([0.1, 0.3, 0.25, 0.2, 0.9, 0.24]), 0.25)
    np.testing.assert_allclose(got, [0, 8 / 3, 4, 0, 20 / 3, 0], rtol=1e-6)


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.8])
def test_the_mean_is_kept_and_the_variance_is_the_rates(rate):
    """E = h, Var = h²·rate/(1 − rate); the share dropped is the rate; |z| < 4 for each unit."""
    draws = 40_000
    got = np.asarray(Dropout(rate).hidden(jnp.tile(SIX, (draws, 1)), jax.random.key(0), 1), np.float64)
    h = np.arange(1, 7)
    error = h * np.sqrt(rate / (1 - rate) / draws)
    assert (np.abs(got.mean(axis=0) - h) < 4 * error).all()
    assert (np.abs((got == 0).mean(axis=0) - rate) < 4 * np.sqrt(rate * (1 - rate) / draws)).all()
    np.testing.assert_allclose(got.var(axis=0), h**2 * rate / (1 - rate), rtol=0.05)
    assert len(np.unique(got)) == 7, "each unit is 0 or its value over 1 − rate"


@pytest.mark.parametrize("act", ["hidden", "rows"])
def test_a_larger_rate_drops_the_same_units_and_more(act):
    x, key = jnp.ones((50, 20)), jax.random.key(1)
    rates = (0.1, 0.3, 0.5, 0.7)
    if act == "hidden":
        masks = [np.asarray(Dropout(rate).hidden(x, key, 1)) == 0 for rate in rates]
    else:
        masks = [np.asarray(InputDropout(rate).rows(x, jnp.zeros(50, int), key, FACTS)[0]) == 0 for rate in rates]
    for fewer, more in pairwise(masks):
        assert (more | ~fewer).all()
        assert more.sum() > fewer.sum()


def test_each_row_and_unit_is_drawn_for_itself():
    got = np.asarray(Dropout(0.5).hidden(jnp.ones((200, 200)), jax.random.key(2), 1)) == 0
    assert np.abs(np.corrcoef(got)[np.triu_indices(200, 1)]).max() < 0.4
    assert np.abs(np.corrcoef(got.T)[np.triu_indices(200, 1)]).max() < 0.4


def test_layers_have_rates_of_their_own():  # source: J7
    """The MLP 256–128–10 with dropout 0.5 and 0.3, as a training step passes its hidden units."""
    recipe = Recipe(model=MLP(widths=(256, 128)), techniques=(Dropout(0.5, layers=(1,)), Dropout(0.3, layers=(2,))))
    keys = list(jax.random.split(jax.random.key(0), 2))
    how = Training(recipe.techniques, keys, jnp.ones(300), {})
    first, second = how.hidden(jnp.ones((300, 256))), how.hidden(jnp.ones((300, 128)))
    assert np.mean(first == 0) == pytest.approx(0.5, abs=0.01)
    assert np.mean(second == 0) == pytest.approx(0.3, abs=0.01)
    assert float(first.max()) == 2.0
    assert float(second.max()) == pytest.approx(1 / 0.7)


def test_one_rate_for_all_layers_draws_each_layer_anew():
    how = Training((Dropout(0.5),), [jax.random.key(0)], jnp.ones(50), {})
    first, second = how.hidden(jnp.ones((50, 40))), how.hidden(jnp.ones((50, 40)))
    assert not np.array_equal(first, second)


def test_a_rate_that_rounds_to_one_drops_all_and_gives_no_nan():
    rate = jnp.float32(0.999999999)
    assert rate == 1
    value, gradient = jax.value_and_grad(lambda h: dropped(h, jnp.full(6, 0.9), rate).sum())(SIX)
    assert value == 0
    assert gradient.tolist() == [0.0] * 6


def test_low_precision_meets_the_rate_and_stays_low():
    """A bfloat16 drawn uniformly has 256 values; a rate of 0.001 would be met as 0 or 0.004."""
    got = Dropout(0.001).hidden(jnp.ones((1000, 1000), jnp.bfloat16), jax.random.key(0), 1)
    assert got.dtype == jnp.bfloat16
    assert float(jnp.mean((got == 0).astype(jnp.float32))) == pytest.approx(0.001, rel=0.15)


@pytest.mark.parametrize("layers", [(2, 1), [1, 2], (1, 2, 1)])
def test_layers_are_written_in_several_ways(layers):
    assert Dropout(layers=layers).layers == (1, 2)
    assert hash(Dropout(layers=layers)) == hash(Dropout(layers=(1, 2)))


def test_one_layer_may_be_a_number():
    assert Dropout(layers=3).layers == (3,)


@pytest.mark.parametrize("layers", [0, (1, 0), (), "last", (1.5,), True, "1,2"])
def test_layers_that_cannot_be_are_refused(layers):
    with pytest.raises(SettingError, match=r"Dropout: layers = .*whole numbers of at least 1, or None for all"):
        Dropout(layers=layers)
