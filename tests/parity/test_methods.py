"""Open loop against torch.optim and keras.optimizers: one gradient sequence, 300 steps, float64, a changing rate."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch
from tests.x64.methods.cases import START, changing, recorded
from tests.x64.methods.checks import open_loop, same

from steepest.methods.adadelta import Adadelta
from steepest.methods.adagrad import AdaGrad
from steepest.methods.adam import Adam, AdamW
from steepest.methods.amsgrad import AMSGrad
from steepest.methods.averaging import EMA, UniformTail
from steepest.methods.clipping import ClipNorm, ClipValue
from steepest.methods.momentum import Momentum
from steepest.methods.nesterov import Nesterov
from steepest.methods.optax_bridge import as_optax, weights
from steepest.methods.rmsprop import RMSProp, RMSPropMomentum
from steepest.methods.sgd import SGD

keras.config.set_floatx("float64")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own, on torch
GRADIENTS = recorded()
CONSTANT, CHANGING = np.full(300, 0.02), changing(0.02)
TINY = 1e-30


def torch_path(make, rates, prepare=None):
    """The weights after every step of a torch optimizer fed with the recorded gradients."""
    p = torch.nn.Parameter(torch.tensor(START))
    optimizer = make([p])
    if prepare:
        prepare(optimizer, p)
    path = []
    for g, rate in zip(GRADIENTS, rates):
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        p.grad = torch.tensor(g)
        optimizer.step()
        path.append(p.detach().numpy().copy())
    return np.array(path)


def keras_path(optimizer, rates):
    """The weights after every step of a Keras optimizer fed with the recorded gradients."""
    p = keras.Variable(START, dtype="float64")
    optimizer.build([p])
    path = []
    for g, rate in zip(GRADIENTS, rates):
        optimizer.learning_rate = float(rate)
        optimizer.apply([keras.ops.convert_to_tensor(g)], [p])
        path.append(keras.ops.convert_to_numpy(p).copy())
    return np.array(path)


def zero_buffer(optimizer, p):
    """torch's first buffer is g itself; with dampening it must start from zeros to be an average."""
    optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)


T, K = torch.optim, keras.optimizers
ODD = {"decay1": 0.7, "decay2": 0.95}

# fmt: off
TORCH = [
    (SGD(), lambda p: T.SGD(p), CHANGING),
    (Momentum(momentum=0.8, form="torch"), lambda p: T.SGD(p, momentum=0.8), CHANGING),
    (Momentum(momentum=0.8), lambda p: T.SGD(p, momentum=0.8), CONSTANT),
    (Nesterov(momentum=0.8, form="torch"), lambda p: T.SGD(p, momentum=0.8, nesterov=True), CHANGING),
    (Nesterov(momentum=0.8, form="keras"), lambda p: T.SGD(p, momentum=0.8, nesterov=True), CONSTANT),
    (AdaGrad(delta=1e-10), lambda p: T.Adagrad(p), CHANGING),
    (AdaGrad(), lambda p: T.Adagrad(p, eps=1e-7), CHANGING),
    (AdaGrad(initial=0.1, inside=True),
     lambda p: T.Adagrad(p, initial_accumulator_value=0.1 + 1e-7, eps=0), CHANGING),
    (Adadelta(), lambda p: T.Adadelta(p), CHANGING),
    (Adadelta(decay=0.5, delta=1e-2), lambda p: T.Adadelta(p, rho=0.5, eps=1e-2), CHANGING),
    (RMSProp(decay=0.99, delta=1e-8, inside=False), lambda p: T.RMSprop(p), CHANGING),
    (RMSProp(decay=0.3, delta=1e-2, inside=False), lambda p: T.RMSprop(p, alpha=0.3, eps=1e-2), CHANGING),
    (RMSPropMomentum(decay=0.99, delta=1e-8, momentum=0.7, inside=False, rate_outside=True),
     lambda p: T.RMSprop(p, momentum=0.7), CHANGING),
    (Adam(), lambda p: T.Adam(p), CHANGING),
    (Adam(**ODD, delta=1e-3), lambda p: T.Adam(p, betas=(0.7, 0.95), eps=1e-3), CHANGING),
    (AMSGrad(), lambda p: T.Adam(p, amsgrad=True), CHANGING),
    (AMSGrad(**ODD, delta=1e-3), lambda p: T.Adam(p, betas=(0.7, 0.95), eps=1e-3, amsgrad=True), CHANGING),
    (AdamW(on="all"), lambda p: T.AdamW(p), CHANGING),
    (AdamW(**ODD, delta=1e-3, weight_decay=0.3),
     lambda p: T.AdamW(p, betas=(0.7, 0.95), eps=1e-3, weight_decay=0.3), CHANGING),
]

KERAS = [
    (SGD(), lambda: K.SGD(), CHANGING, 1e-12),
    (Momentum(momentum=0.8), lambda: K.SGD(momentum=0.8), CHANGING, 1e-12),
    (Nesterov(momentum=0.8, form="keras"), lambda: K.SGD(momentum=0.8, nesterov=True), CHANGING, 1e-12),
    (AdaGrad(initial=0.1, inside=True), lambda: K.Adagrad(), CHANGING, 1e-12),
    (AdaGrad(delta=TINY), lambda: K.Adagrad(initial_accumulator_value=0.0, epsilon=TINY), CHANGING, 1e-7),
    (Adadelta(decay=0.95, delta=1e-7), lambda: K.Adadelta(), CHANGING, 1e-12),
    (RMSProp(), lambda: K.RMSprop(epsilon=1e-6), CHANGING, 1e-12),
    (RMSProp(delta=1e-7), lambda: K.RMSprop(), CHANGING, 1e-12),
    (RMSPropMomentum(decay=0.5, momentum=0.6, delta=1e-3),
     lambda: K.RMSprop(rho=0.5, momentum=0.6, epsilon=1e-3), CHANGING, 1e-12),
    (Adam(form="keras", delta=1e-7), lambda: K.Adam(), CHANGING, 1e-12),
    (Adam(**ODD, form="keras", delta=1e-3),
     lambda: K.Adam(beta_1=0.7, beta_2=0.95, epsilon=1e-3), CHANGING, 1e-12),
    (AMSGrad(delta=TINY), lambda: K.Adam(epsilon=TINY, amsgrad=True), CHANGING, 1e-12),
    (AdamW(form="keras", delta=1e-7, weight_decay=0.004), lambda: K.AdamW(), CHANGING, 1e-12),
    (AdamW(**ODD, form="keras", delta=1e-3, weight_decay=0.3),
     lambda: K.AdamW(beta_1=0.7, beta_2=0.95, epsilon=1e-3, weight_decay=0.3), CHANGING, 1e-12),
]
# fmt: on


def name(value):
    return repr(value) if hasattr(value, "step") else ""


@pytest.mark.parametrize(("ours", "theirs", "rates"), TORCH, ids=name)
def test_equals_torch(ours, theirs, rates):
    same(open_loop(ours, START, GRADIENTS, rates), torch_path(theirs, rates))


@pytest.mark.parametrize(("ours", "theirs", "rates", "tolerance"), KERAS, ids=name)
def test_equals_keras(ours, theirs, rates, tolerance):
    same(open_loop(ours, START, GRADIENTS, rates), keras_path(theirs(), rates), tolerance)


def test_torch_dampening_is_the_average_from_a_buffer_of_zeros():
    ours = np.asarray(open_loop(Momentum(momentum=0.8, form="averaged"), START, GRADIENTS, CHANGING))

    def damped(p):
        return T.SGD(p, momentum=0.8, dampening=0.8)

    same(ours, torch_path(damped, CHANGING, zero_buffer))
    assert np.abs(ours - torch_path(damped, CHANGING)).max() > 1e-3


def test_classic_momentum_is_not_torchs_when_the_rate_drops():
    ours = np.asarray(open_loop(Momentum(momentum=0.8), START, GRADIENTS, CHANGING))
    assert np.abs(ours - torch_path(lambda p: T.SGD(p, momentum=0.8), CHANGING))[:, 3].max() > 1e-2


def test_keras_holds_the_look_ahead_point_of_nesterov():
    """Keras's parameters are alg. 8.3's θ + αv, and θ is found again from what the loop holds."""

    def step(carry, now):
        g, rate = now
        held, state = carry
        method = Nesterov(rate=rate, momentum=0.8)
        updates, state = as_optax(method).update(g, state, held)
        held = held + updates
        return (held, state), (held, weights(method, held, state))

    start = jnp.asarray(START)
    first = (start, as_optax(Nesterov(momentum=0.8)).init(start))
    _, (held, theta) = jax.lax.scan(step, first, (GRADIENTS, CHANGING))
    same(held, keras_path(K.SGD(momentum=0.8, nesterov=True), CHANGING), 1e-11)
    same(theta, np.asarray(open_loop(Nesterov(momentum=0.8), START, GRADIENTS, CHANGING)), 1e-11)


@pytest.mark.parametrize("limit", [1e-3, 1.0, 50.0, 1e6])
def test_clipping_equals_torch(limit):
    for g in GRADIENTS[:20]:
        for ours, theirs in (
            (ClipNorm(limit, delta=1e-6), torch.nn.utils.clip_grad_norm_),
            (ClipValue(limit), torch.nn.utils.clip_grad_value_),
        ):
            p, q = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64)), torch.nn.Parameter(torch.zeros(3).double())
            p.grad, q.grad = torch.tensor(g[:4]), torch.tensor(g[4:])
            theirs([p, q], limit)
            got = ours({"W": jnp.asarray(g[:4]), "b": jnp.asarray(g[4:])})
            np.testing.assert_allclose(got["W"], p.grad.numpy(), rtol=1e-12)
            np.testing.assert_allclose(got["b"], q.grad.numpy(), rtol=1e-12)


def test_the_uniform_tail_equals_torchs_averaged_model():
    model = torch.nn.Linear(3, 1, bias=False, dtype=torch.float64)
    averaged, ours = torch.optim.swa_utils.AveragedModel(model), UniformTail(start_share=0.0)
    memory = ours.start([jnp.zeros((1, 3))])
    for t, row in enumerate(GRADIENTS[:30, 2:5], 1):
        with torch.no_grad():
            model.weight.copy_(torch.tensor(row[None]))
        averaged.update_parameters(model)
        memory = ours.update(memory, [jnp.asarray(row[None])], t, 30)
    want = averaged.module.weight.detach().numpy()
    np.testing.assert_allclose(ours.value(memory, [jnp.zeros((1, 3))])[0], want, rtol=1e-12)


def test_running_statistics_are_averaged_as_torchs_averaged_model_does_with_buffers():
    model = torch.nn.BatchNorm1d(3, dtype=torch.float64)
    averaged = torch.optim.swa_utils.AveragedModel(model, use_buffers=True)
    params = {"norm1": {"scale": jnp.zeros(3), "shift": jnp.zeros(3)}}
    params["running"] = {"norm1": {"mean": jnp.zeros(3), "var": jnp.zeros(3)}}
    theirs = {"scale": "weight", "shift": "bias", "mean": "running_mean", "var": "running_var"}
    ours = UniformTail(start_share=0.0)
    memory = ours.start(params)
    for t, rows in enumerate(GRADIENTS[:120, 2:5].reshape(30, 4, 3), 1):
        model(torch.tensor(rows))  # moves its running statistics
        with torch.no_grad():
            model.weight.copy_(torch.tensor(rows[0]))
        averaged.update_parameters(model)
        now = {name: jnp.asarray(getattr(model, their).detach().numpy().copy()) for name, their in theirs.items()}
        norm = {"norm1": {"scale": now["scale"], "shift": now["shift"]}}
        memory = ours.update(memory, norm | {"running": {"norm1": {"mean": now["mean"], "var": now["var"]}}}, t, 30)
    got = ours.value(memory, params)
    got = got["norm1"] | got["running"]["norm1"]
    for name, their in theirs.items():
        np.testing.assert_allclose(got[name], getattr(averaged.module, their).detach().numpy(), rtol=1e-12)
    assert np.abs(got["var"] - model.running_var.numpy()).max() > 1e-3


def test_ema_forgets_its_start_as_torchs_does():
    """torch starts from the first weights and does not correct; after long enough both are the same average."""
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(0.5)
    model = torch.nn.Linear(3, 1, bias=False, dtype=torch.float64)
    averaged, ours = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average), EMA(decay=0.5)
    memory = ours.start([jnp.zeros((1, 3))])
    for t, row in enumerate(GRADIENTS[:100, 3:6], 1):
        with torch.no_grad():
            model.weight.copy_(torch.tensor(row[None]))
        averaged.update_parameters(model)
        memory = ours.update(memory, [jnp.asarray(row[None])], t, 100)
    want = averaged.module.weight.detach().numpy()
    np.testing.assert_allclose(ours.value(memory, [jnp.zeros((1, 3))])[0], want, rtol=1e-12)
