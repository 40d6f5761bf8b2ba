"""A model that cannot train says why, in one line, with the line of the user's code where there is one."""

# ruff: noqa: ARG001, ARG005 - what users write has these parameters, and fixtures act by being asked for

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.inits.plain import Zeros
from steepest.models.loading import as_model
from steepest.models.own import Functions
from steepest.techniques.tangent import TangentProp
from steepest.train.recipe import Recipe
from steepest.train.techniques import check_techniques


def init(key, shape, outputs):
    return {"W": jax.random.normal(key, (outputs, *shape)), "b": jnp.zeros(outputs)}


def apply(params, rows):
    return rows @ params["W"].T + params["b"]


def branches(params, rows):
    if params["b"].sum() > 0:
        return rows @ params["W"].T
    return -(rows @ params["W"].T)


def through_numpy(params, rows):
    return rows @ np.asarray(params["W"]).T


def needs_a_number(params, rows):
    return rows @ params["W"].T * float(params["b"][0])


def indexes(params, rows):
    return apply(params, rows) + [1.0, 2.0][params["b"][0].astype(int)]


def masks(params, rows):
    return apply(params, rows) + params["b"][params["b"] > 0].sum()


def loops(params, rows):
    return jax.lax.while_loop(lambda s: s.sum() < 9, lambda s: s + 1, apply(params, rows))


def calls_back(params, rows):
    scores = apply(params, rows)
    return jax.pure_callback(lambda s: s, jax.ShapeDtypeStruct(scores.shape, scores.dtype), scores)


def raises(params, rows):
    raise KeyError("no such layer")


POPULATION = "cannot train as a population: "


@pytest.mark.parametrize(
    ("score", "said", "text"),
    [
        (branches, POPULATION + "it decides (if, while, and, or) by a number", 'if params["b"]'),
        (through_numpy, POPULATION + "it hands numbers that are not known yet to NumPy; use jax.numpy", "np.asarray("),
        (needs_a_number, POPULATION + "it needs the value of a number (float(), int(), .item(), a shape)", "float("),
        (indexes, POPULATION + "it takes an index from numbers that are not known yet", "[1.0, 2.0]"),
        (masks, POPULATION + "it picks entries by a mask, so that a shape hangs on numbers", 'params["b"] > 0'),
        (loops, POPULATION + "ValueError: Reverse-mode differentiation does not work for lax.while_loop", None),
        (calls_back, POPULATION + "ValueError: Pure callbacks do not support JVP", "pure_callback"),
        (raises, "KeyError: 'no such layer'", "raise KeyError"),
        (lambda params, rows: rows @ params["V"], "KeyError: 'V'", 'params["V"]'),
        (lambda params: params, "TypeError: ", None),
        (lambda params, rows: rows, "for 3 rows it gives scores of shape (3, 4); it must give [rows, 5]", None),
        (
            lambda params, rows: apply(params, rows).sum(0),
            "it gives scores of shape (5,); it must give [rows, 5]",
            None,
        ),
        (lambda params, rows: (apply(params, rows), rows), "it gives a tuple of arrays; it must give [rows, 5]", None),
        (lambda params, rows: apply(params, rows) > 0, "its scores are of type bool; they must be real numbers", None),
    ],
)
def test_scores_that_cannot_be_trained(score, said, text):
    model = Functions(init, score)
    with pytest.raises(SettingError) as error:
        model.init(jax.random.key(0), (4,), 5, Zeros(), "float32")
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(f"model {model.label}: ")
    assert said in message
    if text is not None:  # the line of this file that it names holds what is wrong
        line = int(message.rpartition("(test_own_refused.py, line ")[2].rstrip(")"))
        lines, _ = inspect.findsource(score)
        assert text in lines[line - 1]


@pytest.mark.parametrize(
    ("begin", "said"),
    [
        (lambda key, shape, outputs: {"W": "text"}, "its weight W is of type str; weights are arrays of real numbers"),
        (lambda key, shape, outputs: {"n": jnp.zeros(3, int)}, "its weight n is of type int32"),
        (lambda key, shape, outputs: {"n": 3}, "its weight n is of type int"),
        (lambda key, shape, outputs: {"a": {"z": jnp.zeros(3, complex)}}, "its weight a/z is of type complex64"),
        (lambda key, shape, outputs: {}, "it has no weights to train"),
        (
            lambda key, shape, outputs: {"a": {"W": np.ones((2, 2))}, "a/W": np.ones(3)},
            "two of its weights are called a/W",
        ),
        (lambda key, shape, outputs: {"a": {"b": np.ones(2)}, "a/b": np.ones((2, 2))}, "are called a/b"),
        (lambda key, shape: {}, "TypeError: "),
        (lambda key, shape, outputs: shape[1], "IndexError: tuple index out of range (test_own_refused.py, line"),
    ],
)
def test_weights_that_cannot_be_trained(begin, said):
    model = Functions(begin, lambda params, rows: jnp.zeros((len(rows), 5)))
    with pytest.raises(SettingError) as error:
        model.sizes((4,), 5)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_weights_made_by_a_bare_dict_do_not_fit():
    with pytest.raises(SettingError, match="come from its `init`, a training or a model file"):
        Functions(init, apply).apply({"W": np.ones((5, 4)), "b": np.ones(5)}, np.ones((2, 4)))


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (3, "the model is a int; give a pair (init, apply), a Flax module"),
        (dict, "the model is the class dict; give a pair"),
        ((init, 3), "the model is a tuple; give a pair"),
        ((init, apply, apply), "the model is a tuple; give a pair"),
        (apply, "is a function of (params, rows); one that makes a module takes key (Equinox) or rngs (flax.nnx)"),
    ],
)
def test_what_is_no_model(thing, said):
    with pytest.raises(SettingError) as error:
        as_model(thing)
    assert said in str(error.value)


def test_functions_must_be_functions():
    with pytest.raises(SettingError, match=r"Functions: 3 is no function; it takes apply\(params, rows\)"):
        Functions(init, 3)


@jax.custom_vjp
def one_way(rows, W):
    return rows @ W.T


one_way.defvjp(lambda rows, W: (rows @ W.T, (rows, W)), lambda kept, g: (g @ kept[1], g.T @ kept[0]))


def test_a_model_without_forward_derivatives_is_refused_for_tangents_and_trains_without():
    model = Functions(init, lambda params, rows: one_way(rows.reshape(len(rows), -1), params["W"].reshape(-1, 64)))
    check_techniques(Recipe(model=model), (8, 8))
    with pytest.raises(SettingError, match="TangentProp needs forward derivatives"):
        check_techniques(Recipe(model=model, techniques=TangentProp()), (8, 8))
    plain = Functions(init, lambda params, rows: rows.reshape(len(rows), -1) @ params["W"].reshape(-1, 64).T)
    check_techniques(Recipe(model=plain, techniques=TangentProp()), (8, 8))
