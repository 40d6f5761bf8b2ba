"""The checks themselves, as functions that raise AssertionError: `test_reference.py` and `tests/mutants` both run them.

Modules are looked up when a check runs, so that a mutant put in the place of a module is what gets checked.
"""

from __future__ import annotations

import importlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.reference import methods as hand
from tests.x64.methods.cases import CASES, DEFAULTS, START, Case, changing, recorded

from steepest.core.spec import replace


def look_up(module: str, name: str, room: str = "methods") -> Any:
    """A class or function of one of our modules, as it is now."""
    return getattr(importlib.import_module(f"steepest.{room}.{module}"), name)


def build(case: Case) -> Any:
    """The method of a case."""
    return look_up(case.module, case.cls)(rate=case.rate, **case.ours)


@jax.jit
def open_loop(method: Any, start: Any, gradients: Any, rates: Any) -> Any:
    """The weights after every step of a method fed with recorded gradients."""

    def step(carry: Any, now: Any) -> Any:
        g, rate, t = now
        params, memory = replace(method, rate=rate).step({"W": g}, carry[1], {"W": carry[0]}, t)
        return (params["W"], memory), params["W"]

    steps = jnp.arange(1, len(rates) + 1)
    first = (start, method.start({"W": start}))
    return jax.lax.scan(step, first, (gradients, rates, steps))[1]


@jax.jit
def closed_loop(method: Any, start: Any, curvature: Any, rates: Any) -> Any:
    """The weights after every step of a method on ½·curvature·x², gradient taken where the method looks."""

    def step(carry: Any, now: Any) -> Any:
        rate, t = now
        moving = replace(method, rate=rate)
        point = moving.look({"W": carry[0]}, carry[1])["W"]
        params, memory = moving.step({"W": curvature * point}, carry[1], {"W": carry[0]}, t)
        return (params["W"], memory), params["W"]

    first = (start, method.start({"W": start}))
    return jax.lax.scan(step, first, (rates, jnp.arange(1, len(rates) + 1)))[1]


@jax.jit
def held(method: Any, gradient: Any, steps: Any) -> Any:
    """The last move and stride of a weight that a prox puts back to 0 after every step, under a constant gradient."""
    zero = {"W": jnp.zeros_like(gradient)}

    def step(t: Any, carry: Any) -> Any:
        memory = carry[0]
        params, memory = method.step({"W": gradient}, memory, zero, t)
        return method.settle(memory, {"W": -params["W"]}), params["W"], memory

    start = method.start(zero)
    _, move, memory = jax.lax.fori_loop(1, steps, step, (start, zero["W"], start))
    return move, method.stride(memory, steps - 1)[0]


def same(got: Any, want: Any, tolerance: float = 1e-12) -> None:
    """Equal to `tolerance` of the largest weight in each column."""
    size = np.maximum(np.abs(want).max(axis=0), np.abs(START))
    worst = (np.abs(np.asarray(got) - want) / np.where(size > 0, size, 1)).max()
    assert worst <= tolerance, f"differs by {worst:.1e}"


def check_by_hand(case: Case) -> None:
    """Open loop, 300 steps, three rates: every weight after every step equals the loop by hand."""
    gradients, rates = recorded(), changing(case.rate)
    got = open_loop(build(case), START, gradients, rates)
    want = [
        case.hand(x, lambda t, _, j=j: float(gradients[t - 1, j]), [float(r) for r in rates], **case.theirs)
        for j, x in enumerate(START.tolist())
    ]
    same(got, np.array(want).T)


CURVATURES = np.array([0.0, 0.1, 1.0, 3.0, 0.01, 0.5, 2.0])


def check_look(case: Case) -> None:
    """Closed loop, 60 steps on quadratics: the gradient is taken where the rule says."""
    rates = changing(case.rate)[70:130]
    got = closed_loop(build(case), START, CURVATURES, rates)
    want = [
        case.hand(x, lambda _, point, a=a: a * point, [float(r) for r in rates], **case.theirs)
        for x, a in zip(START.tolist(), CURVATURES.tolist())
    ]
    same(got, np.array(want).T, 1e-9)


def check_stride(case: Case) -> None:
    """What a proximal penalty needs: the move under a constant gradient, held in place, is −stride·gradient."""
    gradient = np.array([0.3, -2.0, 1e-3, 25.0])
    move, stride = held(build(case), gradient, 500)
    assert_allclose(move, -stride * gradient, rtol=1e-12)


def check_defaults(module: str, name: str) -> None:
    """The defaults are the documented ones."""
    made = look_up(module, name)()
    for field, value in DEFAULTS[module, name].items():
        assert getattr(made, field) == value, f"{name}.{field} is {getattr(made, field)}, not {value}"


def check_delta_bar_delta_tiny() -> None:
    """Rates grow for gradients whose product underflows, too."""
    method = look_up("delta_bar_delta", "DeltaBarDelta")(rate=1.0, growth=1.0, shrink=0.5, averaging=0.5)
    tiny = jnp.asarray(1e-30, jnp.float32)
    memory = method.start([jnp.float32(0)])
    for t in (1, 2, 3):
        params, memory = method.step([tiny], memory, [jnp.float32(0)], t)
    assert_allclose(params[0], -3e-30, rtol=1e-6)  # 1, then 1 + 1, then 2 + 1


def check_adamw_leaves() -> None:
    """AdamW decays the leaves called W, all leaves on demand, and says so where it would decay none."""
    adamw = look_up("adam", "AdamW")
    params = {"layer": {"W": jnp.array([2.0]), "b": jnp.array([2.0])}}
    still = jax.tree.map(jnp.zeros_like, params)
    for on, bias in (("weights", 2.0), ("all", 1.8)):
        method = adamw(rate=0.5, weight_decay=0.2, on=on)
        moved, _ = method.step(still, method.start(params), params, 1)
        assert_allclose(moved["layer"]["W"], 1.8, rtol=1e-15)
        assert_allclose(moved["layer"]["b"], bias, rtol=1e-15)
    bare, _ = adamw(rate=0.5, weight_decay=0.2).step(jnp.zeros(1), adamw().start(jnp.ones(1)), jnp.ones(1), 1)
    assert_allclose(bare, 0.9, rtol=1e-15)
    with pytest.raises(ValueError, match="on='all'"):
        adamw().start({"kernel": jnp.zeros(2)})


def check_forms() -> None:
    """A form nobody knows is refused by name."""
    for module, name, field in (
        ("momentum", "Momentum", "form"),
        ("nesterov", "Nesterov", "form"),
        ("adam", "Adam", "form"),
        ("adam", "AdamW", "form"),
        ("adam", "AdamW", "on"),
        ("amsgrad", "AMSGrad", "form"),
    ):
        with pytest.raises(ValueError, match=rf"{name}\b.*'no-such'"):
            look_up(module, name)(**{field: "no-such"})


def check_averaging() -> None:
    """EMA and the uniform tail equal the weighted sums they stand for; nothing averaged yet gives the weights."""
    path = np.cumsum(recorded()[:40], axis=0) + START
    ema, tail = look_up("averaging", "EMA")(decay=0.8), look_up("averaging", "UniformTail")(start_share=0.45)
    assert_allclose(ema.value(ema.start([START]), [START])[0], START, rtol=0)
    assert_allclose(tail.value(tail.start([START]), [START])[0], START, rtol=0)
    for average, by_hand in ((ema, lambda p: hand.ema(p, 0.8)), (tail, lambda p: hand.tail(p, 0.45, 40))):
        memory, got = average.start([jnp.asarray(START)]), []
        for t, params in enumerate(path, 1):
            memory = average.update(memory, [params], t, 40)
            got.append(average.value(memory, [params])[0])
        want = np.array([by_hand(column) for column in path.T.tolist()]).T
        assert_allclose(got, want, rtol=1e-12, atol=1e-22)
    memory = tail.update(tail.start([START]), [START * jnp.nan], 1, 40)
    memory = tail.update(memory, [START], 20, 40)
    assert_allclose(tail.value(memory, [path[0]])[0], START, rtol=0)


def check_clipping() -> None:
    """By norm over all leaves, by value, with torch's summand, without overflow, and NaN stays where it is."""
    by_norm, by_value = look_up("clipping", "ClipNorm"), look_up("clipping", "ClipValue")
    grads = {"W": jnp.array([[3.0, 0.0], [0.0, -4.0]]), "b": jnp.array([12.0])}  # norm 13
    for limit, delta in ((2.0, 0.0), (1e-6, 1e-6), (13.5, 0.0), (13.5, 1.0)):
        got = by_norm(limit=limit, delta=delta)(grads)
        scale = min(1.0, limit / (13.0 + delta))
        jax.tree.map(lambda a, g, scale=scale: assert_allclose(a, g * scale, rtol=1e-14), got, grads)
    huge = by_norm(limit=5.0)([jnp.array([3e200, -4e200, 1e-200]), jnp.array([1e-250])])
    assert_allclose(huge[0][:2], [3.0, -4.0], rtol=1e-14)
    tiny = by_norm(limit=1e-200)([jnp.array([3e-200, -4e-200])])
    assert_allclose(tiny[0], [0.6e-200, -0.8e-200], rtol=1e-14)
    assert look_up("clipping", "global_norm")([jnp.zeros(3)]) == 0
    bad = jax.vmap(by_norm(limit=1.0))({"W": jnp.array([[3.0, 4.0], [jnp.nan, 4.0]])})["W"]
    assert_allclose(bad[0], [0.6, 0.8], rtol=1e-14)
    assert np.isnan(bad[1, 0])
    clipped = by_value(limit=0.5)({"W": jnp.array([-3.0, -0.25, 0.25, 3.0, jnp.nan])})["W"]
    assert_allclose(clipped, [-0.5, -0.25, 0.25, 0.5, np.nan], rtol=0)


def check_bridge() -> None:
    """As an optax transformation every method makes the same weights; look-ahead methods hold the look-ahead point."""
    gradients = recorded()[:50]
    for case in (c for c in CASES if c.cls in ("SGD", "Nesterov", "RMSPropNesterov", "Adam")):
        method = build(case)
        bridge, weights = look_up("optax_bridge", "as_optax")(method), look_up("optax_bridge", "weights")

        @jax.jit
        def run(method: Any = method, bridge: Any = bridge, weights: Any = weights) -> Any:
            def step(carry: Any, g: Any) -> Any:
                held, state = carry
                updates, state = bridge.update([g], state, held)
                held = [held[0] + updates[0]]
                return (held, state), weights(method, held, state)[0]

            first = [jnp.asarray(START)]
            return jax.lax.scan(step, (first, bridge.init(first)), gradients)[1]

        want = open_loop(method, START, gradients, np.full(50, case.rate))
        same(run(), np.asarray(want), 1e-11)
    with pytest.raises(ValueError, match="SGD needs the weights"):
        look_up("optax_bridge", "as_optax")(look_up("sgd", "SGD")()).update([START], None)
