"""What `Optax` refuses, and how its settings are sorted into hyperparameters and structure."""

import functools

import jax
import jax.numpy as jnp
import optax
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import stack, structure
from steepest.methods.optax_bridge import Optax
from steepest.schedules.contract import Moment
from steepest.schedules.decay import LinearDecay

PARAMS = {"W": jnp.ones((2, 3))}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Optax("lionn"), r"unknown optax optimizer 'lionn'; did you mean 'lion'\?"),
        (lambda: Optax("scale_by_adam"), "unknown optax optimizer 'scale_by_adam'"),
        (lambda: Optax("adam", beta1=0.9), "unknown setting of optax.adam 'beta1';.*b1"),
        (lambda: Optax("adam", learning_rate=-1.0), r"Optax.rate = -1; it must be a finite number above 0"),
        (lambda: Optax("adam", b1=float("nan")), "optax.adam: b1 = nan; it must be a finite number"),
        (lambda: Optax("adamw", mask={"W": True}), "optax.adamw: mask cannot be a dict; fix it in a function"),
        (lambda: Optax("dpsgd"), "optax.dpsgd cannot do without l2_norm_clip; give it as a setting"),
        (lambda: Optax(optax.scale_by_adam), "scale_by_adam takes no learning_rate; give a function that does"),
        (lambda: Optax("lbfgs").start(PARAMS), "optax.lbfgs needs more than gradients and weights"),
        (lambda: Optax("momo").start(PARAMS), "optax.momo needs more than gradients and weights"),
        (lambda: Optax("sgd").stride((), 1), "Optax has no stride"),
    ],
)
def test_refuses_by_name(make, message):
    with pytest.raises(SettingError, match=message):
        make()


def test_an_optimizer_that_branches_on_a_setting_is_refused():
    def picky(learning_rate, strength=0.1):
        return optax.sgd(learning_rate) if strength > 0 else optax.adam(learning_rate)

    assert Optax(picky, strength=0.5).start(PARAMS) is not None  # alone its setting is a plain number
    members = stack([Optax(picky, strength=0.5), Optax(picky, strength=0.0)])
    with pytest.raises(SettingError, match="picky branches on the value of one of its settings"):
        jax.vmap(lambda method: method.start(PARAMS))(members)


def test_numbers_are_leaves_and_switches_are_structure():
    method = Optax("sgd", learning_rate=0.5, momentum=0, nesterov=True)  # a whole number where optax wants a real one
    assert jax.tree.leaves(method) == [0.5, 0.0]
    assert method.options == (("nesterov", True),)
    assert structure(method) == structure(Optax("sgd", learning_rate=0.1, momentum=0.9, nesterov=True))
    assert structure(method) != structure(Optax("sgd", learning_rate=0.1, momentum=0.9))
    assert Optax("muon", ns_steps=3).options == (("ns_steps", 3),)  # a loop count cannot be traced


def test_a_function_is_an_optimizer_too():
    masked = functools.partial(optax.adamw, mask={"W": False})
    method = Optax(masked, learning_rate=0.1, weight_decay=0.9)
    params, _ = method.step({"W": jnp.zeros((2, 3))}, method.start(PARAMS), PARAMS, 1)
    assert (params["W"] == 1.0).all()  # the mask spared it


def test_a_schedule_moves_its_rate():
    method = LinearDecay(until=1.0, last=0.0).apply(Optax("sgd", learning_rate=0.5), Moment(6, 0, 10, 10), ())
    params, _ = method.step(PARAMS, method.start(PARAMS), PARAMS, 6)
    assert params["W"][0, 0] == pytest.approx(0.75)
