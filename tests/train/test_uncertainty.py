"""Monte Carlo dropout against all masks written out, and what it must keep."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from scipy.special import softmax

import steepest as st
from steepest.core.errors import SettingError
from steepest.study.fit import fit
from steepest.techniques.dropout import Dropout, InputDropout
from steepest.techniques.noise import HiddenNoise
from steepest.train.fitted import Fitted
from steepest.train.recipe import Recipe

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(6, 3))
FOUR = {"layer1": {"W": (4, 3), "b": (4,)}, "output": {"W": (3, 4), "b": (3,)}}
LINEAR = {"W": (3, 3), "b": (3,)}


def fitted(recipe, shapes):
    params = {
        name: {key: RNG.normal(size=shape) for key, shape in value.items()} if isinstance(value, dict)
        else RNG.normal(size=value) for name, value in shapes.items()
    }  # fmt: skip
    return Fitted(recipe, params, ("a", "b", "c"), None, None, (3,), {}, {}, "finished", 1, 1, 0, {})


@pytest.fixture(scope="module")
def hidden():
    return fitted(Recipe(model=st.MLP(widths=(4,)), techniques=Dropout(0.3)), FOUR)


def masks(units, rate):
    """Every mask, scaled, with its probability."""
    for kept in product((0, 1), repeat=units):
        yield np.array(kept) / (1 - rate), np.prod([1 - rate if k else rate for k in kept])


def moments(probabilities):
    """Mean and deviation of (p, its share) pairs."""
    mean = sum(share * p for p, share in probabilities)
    return mean, np.sqrt(sum(share * (p - mean) ** 2 for p, share in probabilities))


def check(found, mean, deviation, samples):
    error = deviation / np.sqrt(samples)
    assert (np.abs(found.mean - mean) < 4 * error + 1e-12).all()
    np.testing.assert_allclose(found.spread, deviation, rtol=0.1)
    np.testing.assert_allclose(found.mean.sum(axis=1), 1)


def test_hidden_dropout_comes_to_the_mean_and_deviation_over_all_masks(hidden):
    p, every = hidden.params, []
    h = np.maximum(ROWS @ p["layer1"]["W"].T + p["layer1"]["b"], 0)
    for mask, share in masks(4, 0.3):
        every.append((softmax((h * mask) @ p["output"]["W"].T + p["output"]["b"], axis=1), share))
    check(hidden.uncertainty(ROWS, samples=4000), *moments(every), 4000)


def test_input_dropout_does_so_on_a_linear_model():
    model = fitted(Recipe(techniques=InputDropout(0.4)), LINEAR)
    every = [
        (softmax((ROWS * mask) @ model.params["W"].T + model.params["b"], axis=1), share)
        for mask, share in masks(3, 0.4)
    ]
    check(model.uncertainty(ROWS, samples=4000), *moments(every), 4000)


def test_a_row_does_not_hang_on_its_company_nor_on_how_many_there_are(hidden):
    all_rows = hidden.uncertainty(ROWS, samples=20)
    alone = hidden.uncertainty(ROWS[4:5], samples=20)
    many = hidden.uncertainty(np.concatenate([RNG.normal(size=(5000, 3)), ROWS[4:5]]), samples=20)
    for found in (alone, many):
        np.testing.assert_allclose(found.mean[-1], all_rows.mean[4], rtol=1e-12)
        np.testing.assert_allclose(found.spread[-1], all_rows.spread[4], rtol=1e-10)


def test_the_seed_decides_and_more_samples_begin_with_those_of_fewer(hidden):
    two, three = hidden.uncertainty(ROWS, samples=2), hidden.uncertainty(ROWS, samples=3)
    assert np.array_equal(hidden.uncertainty(ROWS, samples=2).mean, two.mean)
    assert not np.array_equal(hidden.uncertainty(ROWS, samples=2, seed=1).mean, two.mean)
    third = 3 * three.mean - 2 * two.mean
    first = two.mean + two.spread / np.sqrt(2) * np.array([[1], [-1]])[:, None]  # p₁, p₂ in some order, class by class
    want = np.std(np.concatenate([first, third[None]]), axis=0, ddof=1)
    np.testing.assert_allclose(three.spread, want, rtol=1e-9, atol=1e-15)


def test_without_a_rate_there_is_no_spread_and_other_techniques_draw_nothing():
    calm = fitted(Recipe(model=st.MLP(widths=(4,)), techniques=(Dropout(0.0), HiddenNoise(5.0))), FOUR)
    found = calm.uncertainty(ROWS, samples=5)
    np.testing.assert_allclose(found.mean, calm.probabilities(ROWS), rtol=1e-12)
    np.testing.assert_allclose(found.spread, 0, atol=1e-15)


def test_only_the_layers_named_are_dropped():
    some = fitted(Recipe(model=st.MLP(widths=(4,)), techniques=Dropout(0.5, layers=(1,))), FOUR)
    other = dataclasses.replace(some, recipe=Recipe(model=st.MLP(widths=(4,)), techniques=Dropout(0.5)))
    assert np.array_equal(some.uncertainty(ROWS, 9).mean, other.uncertainty(ROWS, 9).mean)


def test_a_trained_model_is_surer_of_the_class_that_lies_apart():
    data = st.open("iris")
    recipe = Recipe(model=st.MLP(widths=(32,)), method=st.Adam(rate=0.01), techniques=Dropout(0.5))
    found = fit(data, recipe, epochs=30).uncertainty(data.features())
    assert np.mean(found.mean.argmax(axis=1) == data.y) > 0.9
    spread, setosa = found.spread.max(axis=1), data.y == 0
    assert np.median(spread[setosa]) < 0.75 * np.median(spread[~setosa])


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        (Recipe(), {}, "trained without dropout, so nothing can be drawn at prediction"),
        (Recipe(techniques=st.InputNoise()), {}, "trained without dropout"),
        (Recipe(techniques=InputDropout(), loss=st.Hinge()), {}, "trained with Hinge, which gives no probabilities"),
        (Recipe(techniques=InputDropout()), {"samples": 1}, "samples = 1"),
        (Recipe(techniques=InputDropout()), {"seed": -1}, "seed = -1"),
    ],
)
def test_what_gives_no_spread_is_refused(recipe, settings, message):
    with pytest.raises(SettingError, match=message):
        fitted(recipe, LINEAR).uncertainty(ROWS, **settings)
