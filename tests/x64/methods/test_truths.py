"""Truths 1–6: what theory says about trajectories, which no implementation can be tuned to."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from steepest.core.spec import replace
from steepest.methods.adam import Adam
from steepest.methods.amsgrad import AMSGrad
from steepest.methods.momentum import Momentum
from steepest.methods.nesterov import Nesterov
from steepest.methods.sgd import GD

MU, L = 0.7, 23.0
KAPPA = L / MU
CURVES = jnp.array([MU, L])


def descend(method, x, steps, curves=CURVES):
    """The weights after every step on ½Σ curve·x²."""

    def step(carry, t):
        x, memory = carry
        x, memory = method.step(curves * method.look(x, memory), memory, x, t)
        return (x, memory), x

    return np.asarray(jax.lax.scan(step, (x, method.start(x)), jnp.arange(1, steps + 1))[1])


def test_gradient_descent_contracts_at_the_best_rate():  # truth 1
    path = descend(GD(rate=2 / (L + MU)), jnp.array([1.0, 1.0]), 200)
    errors = np.linalg.norm(np.vstack([[1.0, 1.0], path]), axis=1)
    assert_allclose(errors[1:] / errors[:-1], (KAPPA - 1) / (KAPPA + 1), rtol=1e-12)


@pytest.mark.parametrize("form", ["classic", "torch"])
def test_heavy_ball_falls_like_a_double_root(form):  # truth 2
    root = (np.sqrt(KAPPA) - 1) / (np.sqrt(KAPPA) + 1)
    method = Momentum(rate=(2 / (np.sqrt(L) + np.sqrt(MU))) ** 2, momentum=root**2, form=form)
    path = np.vstack([[1.0, 1.0], descend(method, jnp.array([1.0, 1.0]), 120)])
    t = np.arange(121)[:, None]
    roots = np.array([root, -root])  # one for each curvature, each double: x = (a + bt)·rootᵗ
    a = path[0]
    b = path[1] / roots - a
    assert np.abs(path / roots**t - (a + b * t)).max() < 1e-10 * np.abs(a + b * t).max()


def test_nesterov_spectral_radius():  # truth 3
    q = np.sqrt(KAPPA)
    method = Nesterov(rate=1 / L, momentum=(q - 1) / (q + 1))

    def update(state):
        x, v = state[:2], state[2:]
        x, [v] = method.step(CURVES * method.look(x, [v]), [v], x, 1)
        return jnp.concatenate([x, v])

    radius = np.abs(np.linalg.eigvals(np.asarray(jax.jacobian(update)(jnp.ones(4))))).max()
    assert_allclose(radius, 1 - 1 / q, atol=1e-6)


LIMITS = [
    (GD(rate=2 / L), "gd"),
    (Momentum(rate=2 * (1 + 0.6) / L, momentum=0.6), "momentum"),
    (Momentum(rate=2 * (1 + 0.6) / L, momentum=0.6, form="torch"), "momentum, torch"),
    (Momentum(rate=2 * (1 + 0.6) / L / 0.4, momentum=0.6, form="averaged"), "momentum, averaged"),
    (Nesterov(rate=2 * (1 + 0.6) / L / (1 + 2 * 0.6), momentum=0.6), "nesterov"),
    (Nesterov(rate=2 * (1 + 0.6) / L / (1 + 2 * 0.6), momentum=0.6, form="torch"), "nesterov, torch"),
    (Nesterov(rate=2 * (1 + 0.6) / L / (1 + 2 * 0.6), momentum=0.6, form="keras"), "nesterov, keras"),
]


@pytest.mark.parametrize("method", [m for m, _ in LIMITS], ids=[name for _, name in LIMITS])
def test_stability_limit(method):  # truth 4
    below = descend(replace(method, rate=0.999 * method.rate), jnp.ones(2), 20_000)[-1]
    above = descend(replace(method, rate=1.001 * method.rate), jnp.ones(2), 20_000)[-1]
    assert np.abs(below).max() < 1e-4
    assert np.abs(above).max() > 1e4


@pytest.mark.parametrize(("rate", "converges"), [(0.0333, True), (0.0334, False)])
@pytest.mark.parametrize("x", [3.0, 4.0, 50.0])
def test_the_slides_thirty_x_squared(rate, converges, x):  # truth 4, source G2
    end = descend(GD(rate=rate), jnp.array([x]), 10_000, jnp.array([60.0]))[-1]
    assert (abs(end[0]) < 1e-3) == converges
    assert (abs(end[0]) > 1e3) != converges


@pytest.mark.parametrize(
    ("method", "end"),
    [
        (Adam(rate=0.1, decay1=0.0, decay2=0.1, correct=False, delta=1e-12), 1.0),
        (AMSGrad(rate=0.1, decay1=0.0, decay2=0.1, correct=False, delta=1e-12), -1.0),
    ],
)
def test_adam_fails_where_amsgrad_does_not(method, end):  # truth 5: Reddi et al. 2018, C = 3
    def step(carry, t):
        x, memory = carry
        g = jnp.where(t % 3 == 1, 3.0, -1.0) * jnp.ones(1)
        x, memory = replace(method, rate=0.1 / jnp.sqrt(t)).step(g, memory, x, t)
        return (jnp.clip(x, -1, 1), memory), x

    x = jnp.zeros(1)
    (x, _), _ = jax.lax.scan(step, (x, method.start(x)), jnp.arange(1, 30_001))
    assert_allclose(x, end, atol=0.01)


@pytest.mark.parametrize("g", [1.0, -1.0, 250.0, -0.03])
def test_adams_first_step_is_the_rate(g):  # truth 6
    method = Adam(rate=0.2)
    x, _ = method.step(jnp.array([g]), method.start(jnp.zeros(1)), jnp.zeros(1), 1)
    assert_allclose(x, -0.2 * np.sign(g), rtol=1e-6)
