"""Where a training starts when its recipe names no init: the loss decides, not habit."""

import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_iris

import steepest as st
from steepest.core.spec import replace

STILL = st.SGD(rate=1e-30)


def started(recipe):
    X, y = load_iris(return_X_y=True)
    return st.sweep(recipe, X, y, replicates=1, epochs=1).params(0, 0)


def test_a_linear_model_starts_from_zero_whatever_the_seed():
    assert np.all(np.abs(started(st.Recipe(method=STILL))["W"]) < 1e-20)
    assert np.std(started(st.Recipe(method=STILL, init=st.He()))["W"]) > 0.1


def test_hidden_layers_start_from_he_even_when_a_recipe_is_given_another_model():
    base = st.Recipe(method=STILL, batch_size=16)
    for recipe in (replace(base, model=st.MLP((200,))), dataclasses.replace(base, model=st.MLP((200,)))):
        params = started(recipe)
        assert np.std(params["layer1"]["W"]) == pytest.approx(np.sqrt(2 / 4), rel=0.1)
        assert np.all(np.abs(params["layer1"]["b"]) < 1e-20)


def test_a_named_init_is_taken():
    assert isinstance(st.Recipe(init=st.He()).initial, st.He)
    assert isinstance(st.Recipe(model=st.MLP((4,)), init=st.Zeros()).initial, st.Zeros)
