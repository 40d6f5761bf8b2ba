"""What techniques say that they add to a step, against the products that a step is made of."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params
from jax.interpreters.partial_eval import dce_jaxpr

from steepest.inits.scaled import He
from steepest.models.cnn import CNN
from steepest.models.mlp import MLP
from steepest.techniques.adversarial import Adversarial
from steepest.techniques.contract import Facts, Technique
from steepest.techniques.dropout import Dropout
from steepest.techniques.tangent import GROUPS, TangentProp
from steepest.train.objective import objective
from steepest.train.recipe import Recipe
from steepest.train.state import Rows

SHAPE, CLASSES, ROWS = (8, 8), 10, 32
MODELS = {"mlp": MLP((256, 256)), "cnn": CNN((8, 16), dense=32)}


def gradient(model, *techniques):
    """A step's gradient as a function of the weights, and their shapes."""
    recipe = Recipe(model=model, techniques=techniques).general()
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), SHAPE, CLASSES, He(), "float32"))
    low = np.zeros(SHAPE, "f4")
    facts = Facts(low, low + 1, CLASSES, low, low + 1)
    batch = Rows(jnp.zeros((ROWS, *SHAPE)), jnp.zeros(ROWS, jnp.int32), jnp.ones(ROWS))
    step = jax.value_and_grad(lambda p: objective(p, recipe, {}, batch, jax.random.key(0), facts), has_aux=True)
    return step, params


def products(jaxpr):
    """Floating-point operations in all matrix products; a loop's as often as it runs."""
    total = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            (contracted, _), _ = eqn.params["dimension_numbers"]
            summed = math.prod(eqn.invars[0].aval.shape[axis] for axis in contracted)
            total += 2 * math.prod(eqn.outvars[0].aval.shape) * summed
        times = eqn.params["length"] if eqn.primitive.name == "scan" else 1
        total += times * sum(products(inner) for inner in jaxprs_in_params(eqn.params))
    return total


def counted(model, *techniques):
    """A step's products in passes of the batch through the model."""
    step, params = gradient(model, *techniques)
    made = jax.make_jaxpr(step)(params).jaxpr
    needed, _ = dce_jaxpr(made, [True] * len(made.outvars), instantiate=True)
    one = jax.make_jaxpr(lambda p: model.apply(p, jnp.zeros((ROWS, *SHAPE))))(params).jaxpr
    return products(needed) / products(one)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_plain_step_makes_three_passes(model):
    assert counted(model) == pytest.approx(3, rel=0.08)  # none back to the rows
    assert counted(model, Dropout()) == counted(model)
    assert Dropout().passes == Technique().passes == 0


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_each_step_of_pgd_goes_forward_and_back_to_the_rows(model):
    few, many = (Adversarial(kind="pgd", steps=steps) for steps in (2, 9))
    assert counted(model, many) - counted(model, few) == pytest.approx(many.passes - few.passes)
    assert counted(model, few) - counted(model) == pytest.approx(few.passes, rel=0.05)


@pytest.mark.parametrize("along", GROUPS)
def test_each_tangent_goes_forward_and_back_to_two_sides(along):
    for model in MODELS.values():
        added = counted(model, TangentProp(along=along)) - counted(model)
        assert added == pytest.approx(TangentProp(along=along).passes, rel=0.15)


def test_fgsm_shares_the_steps_own_way_forward():
    """Which only the compiler finds, so that its own count is compared."""

    def compiled(*techniques):
        step, params = gradient(MODELS["mlp"], *techniques)
        return jax.jit(step).lower(params).compile().cost_analysis()["flops"]

    assert compiled(Adversarial()) / compiled() == pytest.approx((3 + Adversarial().passes) / 3, rel=0.08)
