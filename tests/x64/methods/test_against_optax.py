"""Open loop against optax, with the settings that make the conventions equal; and optax's optimizers as our methods."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tests.x64.methods.cases import START, changing, recorded
from tests.x64.methods.checks import open_loop, same

from steepest.core.spec import replace
from steepest.core.stack import stack
from steepest.methods.adadelta import Adadelta
from steepest.methods.adagrad import AdaGrad
from steepest.methods.adam import Adam, AdamW
from steepest.methods.amsgrad import AMSGrad
from steepest.methods.averaging import EMA
from steepest.methods.clipping import ClipNorm, ClipValue
from steepest.methods.momentum import Momentum
from steepest.methods.nesterov import Nesterov
from steepest.methods.optax_bridge import Optax, as_optax
from steepest.methods.rmsprop import RMSProp, RMSPropMomentum, RMSPropNesterov
from steepest.methods.sgd import SGD

GRADIENTS = recorded()
ODD = {"decay1": 0.7, "decay2": 0.95, "delta": 1e-4}
ODD_OPTAX = {"b1": 0.7, "b2": 0.95, "eps": 1e-4}


def optax_path(make, rates, gradients=GRADIENTS):
    """The weights after every step; `make(rate)` builds the transformation, anew where the rate changes."""

    @jax.jit
    def run(rates):
        def step(carry, now):
            g, rate = now
            updates, state = make(rate).update(g, carry[1], carry[0])
            params = carry[0] + updates
            return (params, state), params

        start = jnp.asarray(START)
        return jax.lax.scan(step, (start, make(rates[0]).init(start)), (gradients, rates))[1]

    return np.asarray(run(jnp.asarray(rates)))


CONSTANT, CHANGING = np.full(300, 0.02), changing(0.02)
trace = optax.trace


def torch_like_rms(rate):
    return optax.chain(optax.scale_by_rms(0.8, 1e-3, eps_in_sqrt=False), trace(0.6), optax.scale_by_learning_rate(rate))


# fmt: off
PAIRS = [
    (SGD(), optax.sgd, CHANGING),
    (Momentum(momentum=0.8), lambda r: optax.chain(optax.scale_by_learning_rate(r), trace(0.8)), CHANGING),
    (Momentum(momentum=0.8), lambda r: optax.sgd(r, 0.8), CONSTANT),
    (Momentum(momentum=0.8, form="torch"), lambda r: optax.sgd(r, 0.8), CHANGING),
    (Momentum(momentum=0.8, form="averaged"),
     lambda r: optax.chain(optax.ema(0.8, debias=False), optax.scale_by_learning_rate(r)), CHANGING),
    (Momentum(momentum=0.8, form="averaged"), lambda r: optax.sgd(r * (1 - 0.8), 0.8), CONSTANT),
    (Nesterov(momentum=0.8, form="torch"), lambda r: optax.sgd(r, 0.8, nesterov=True), CHANGING),
    (Nesterov(momentum=0.8, form="keras"), lambda r: optax.sgd(r, 0.8, nesterov=True), CONSTANT),
    (AdaGrad(initial=0.1, inside=True), optax.adagrad, CHANGING),
    (Adadelta(), optax.adadelta, CHANGING),
    (Adadelta(decay=0.4, delta=1e-2), lambda r: optax.adadelta(r, 0.4, 1e-2), CHANGING),
    (RMSProp(delta=1e-8), optax.rmsprop, CHANGING),
    (RMSProp(decay=0.3, delta=1e-3), lambda r: optax.rmsprop(r, 0.3, 1e-3), CHANGING),
    (RMSProp(decay=0.3, delta=1e-3, inside=False), lambda r: optax.rmsprop(r, 0.3, 1e-3, eps_in_sqrt=False), CHANGING),
    (RMSPropMomentum(decay=0.8, momentum=0.6, delta=1e-3),
     lambda r: optax.rmsprop(r, 0.8, 1e-3, momentum=0.6), CHANGING),
    (RMSPropMomentum(decay=0.8, momentum=0.6, delta=1e-3, inside=False, rate_outside=True), torch_like_rms, CHANGING),
    (Adam(), optax.adam, CHANGING),
    (Adam(**ODD), lambda r: optax.adam(r, **ODD_OPTAX), CHANGING),
    (Adam(**ODD, inside=True), lambda r: optax.adam(r, 0.7, 0.95, eps=0.0, eps_root=1e-4), CHANGING),
    (AdamW(weight_decay=1e-4), optax.adamw, CHANGING),
    (AdamW(**ODD, weight_decay=0.3), lambda r: optax.adamw(r, **ODD_OPTAX, weight_decay=0.3), CHANGING),
    (AMSGrad(form="optax"), optax.amsgrad, CHANGING),
    (AMSGrad(**ODD, form="optax"), lambda r: optax.amsgrad(r, **ODD_OPTAX), CHANGING),
]
# fmt: on


@pytest.mark.parametrize(
    ("ours", "theirs", "rates"), PAIRS, ids=[repr(p[0]) + ("" if p[2] is CHANGING else " constant rate") for p in PAIRS]
)
def test_equals_optax(ours, theirs, rates):
    same(open_loop(ours, START, GRADIENTS, rates), optax_path(theirs, rates))


def test_forms_of_momentum_part_when_the_rate_changes():
    """So the equalities above can fail: with a rate that drops, optax's momentum is not the classic form."""
    ours = np.asarray(open_loop(Momentum(momentum=0.8), START, GRADIENTS, CHANGING))
    theirs = optax_path(lambda r: optax.sgd(r, 0.8), CHANGING)
    assert np.abs(ours - theirs)[:, 3].max() > 1e-2


LOOKING = [
    (Nesterov(rate=0.02, momentum=0.8), lambda r: optax.sgd(r, 0.8, nesterov=True)),
    (
        RMSPropNesterov(rate=0.02, decay=0.8, momentum=0.6),
        lambda r: optax.rmsprop(r, 0.8, 1e-30, momentum=0.6, nesterov=True),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), LOOKING, ids=["nesterov", "rmsprop-nesterov"])
def test_the_look_ahead_point_is_what_optax_holds(ours, theirs):
    tx = as_optax(ours)
    gradients = np.where(GRADIENTS == 0, 1e-3, GRADIENTS)  # alg. 8.6 has no δ; at g = 0 optax's 1e-30 is ours, too
    same(optax_path(lambda _: tx, CONSTANT, gradients), optax_path(theirs, CONSTANT, gradients), 1e-11)


def test_keras_form_is_the_look_ahead_point_under_any_rate():
    def moving(rate):
        return as_optax(Nesterov(rate=rate, momentum=0.8))

    keras = open_loop(Nesterov(momentum=0.8, form="keras"), START, GRADIENTS, CHANGING)
    same(optax_path(moving, CHANGING), np.asarray(keras), 1e-11)


def test_ema_equals_optax():
    tx, ours = optax.ema(0.8), EMA(decay=0.8)
    state, memory = tx.init(START), ours.start([jnp.asarray(START)])
    for t, params in enumerate(GRADIENTS[:30], 1):
        want, state = tx.update(params, state)
        memory = ours.update(memory, [params], t, 30)
        np.testing.assert_allclose(ours.value(memory, [params])[0], want, rtol=1e-12)


@pytest.mark.parametrize("limit", [1e-3, 1.0, 50.0, 1e6])
def test_clipping_equals_optax(limit):
    for g in GRADIENTS[:20]:
        tree = {"W": jnp.asarray(g[:4]), "b": jnp.asarray(g[4:])}
        for ours, theirs in (
            (ClipNorm(limit), optax.clip_by_global_norm(limit)),
            (ClipValue(limit), optax.clip(limit)),
        ):
            want, _ = theirs.update(tree, theirs.init(tree))
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13), ours(tree), want)


POPULATIONS = [
    ("lion", [{"b1": 0.8}, {"b1": 0.95}]),
    ("adamw", [{"weight_decay": 0.0}, {"weight_decay": 0.3}]),
    ("sgd", [{"momentum": 0.0}, {"momentum": 0.9}]),
    ("radam", [{"b2": 0.9}, {"b2": 0.99}]),
    ("muon", [{"beta": 0.8}, {"beta": 0.95}]),  # of optax.contrib
    ("schedule_free_adamw", [{"b1": 0.8}, {"b1": 0.9}]),
]


@pytest.mark.parametrize(("name", "settings"), POPULATIONS, ids=[p[0] for p in POPULATIONS])
def test_any_optax_optimizer_in_a_population(name, settings):
    """Two members with other settings, trained in one program, move as optax moves each of them alone."""
    members = [Optax(name, learning_rate=r, **s) for r, s in zip((0.01, 0.002), settings)]
    start = {"W": jnp.asarray(GRADIENTS[0, :6].reshape(2, 3)), "b": jnp.ones(2)}
    grads = [{"W": jnp.asarray(g[:6].reshape(2, 3)), "b": jnp.asarray(g[5:])} for g in GRADIENTS[:20]]

    @jax.jit
    @jax.vmap
    def together(method):
        params, memory = start, method.start(start)
        for t, g in enumerate(grads, 1):
            params, memory = method.step(g, memory, params, t)
        return params

    got = together(stack(members, "float64"))
    make = getattr(optax, name, None) or getattr(optax.contrib, name)
    for i, (rate, setting) in enumerate(zip((0.01, 0.002), settings)):
        tx, params = make(learning_rate=rate, **setting), start
        state = tx.init(params)
        for g in grads:
            updates, state = tx.update(g, state, params)
            params = optax.apply_updates(params, updates)
        jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[i], b, rtol=1e-10, atol=1e-13), got, params)


def test_a_schedule_reaches_the_rate_of_an_optax_optimizer():
    slower = replace(Optax("adam", learning_rate=0.1), rate=0.05)
    want = optax_path(lambda r: optax.adam(r), np.full(300, 0.05))
    same(open_loop(slower, START, GRADIENTS, np.full(300, 0.05)), want)
