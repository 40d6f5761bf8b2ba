"""The checks on schedules, as functions that raise AssertionError: tests and mutants both run them."""

from __future__ import annotations

import importlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.reference import schedules as hand

from steepest.methods.momentum import Momentum
from steepest.methods.sgd import SGD

EPOCHS, PER_EPOCH = 12, 10
LOSSES = [1.0, 0.9, 0.89999, 0.95, 0.9, float("nan"), 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]


def look_up(module: str, name: str) -> Any:
    """A class or function of one of our modules, as it is now."""
    return getattr(importlib.import_module(f"steepest.schedules.{module}"), name)


def play(schedule: Any, method: Any, what: str = "rate", epochs: int = EPOCHS, losses: Any = LOSSES) -> np.ndarray:
    """The value of a hyperparameter at every step of a training, as the training loop would see it."""
    Moment = look_up("contract", "Moment")

    def epoch(memory: Any, now: Any) -> Any:
        number, loss = now

        def step(_: Any, i: Any) -> Any:
            moment = Moment(number * PER_EPOCH + i + 1, number, epochs * PER_EPOCH, PER_EPOCH)
            return None, getattr(schedule.apply(method, moment, memory), what)

        _, values = jax.lax.scan(step, None, jnp.arange(PER_EPOCH))
        return schedule.observe(memory, loss), values

    losses = jnp.resize(jnp.asarray(losses), epochs)
    _, values = jax.lax.scan(epoch, schedule.start(), (jnp.arange(epochs), losses))
    return np.asarray(values, float).reshape(-1)


def equals(schedule: Any, want: Any) -> None:
    """The rates are 0.2 times the factors by hand."""
    assert_allclose(play(schedule, SGD(rate=0.2)), 0.2 * np.array(want), rtol=1e-12)


SIZE = (EPOCHS, PER_EPOCH)


def check_constant() -> None:
    """The rate as given."""
    equals(look_up("decay", "Constant")(), hand.constant(*SIZE))


def check_step() -> None:
    """A factor every so many epochs."""
    step = look_up("decay", "Step")
    assert (step().by, step().every) == (0.1, 10)
    for by, every in ((0.1, 3), (0.5, 1), (0.3, 12)):
        equals(step(by=by, every=every), hand.step(*SIZE, by, every))


def check_linear() -> None:
    """Down to the floor and not below, also when a training goes on past its plan."""
    linear = look_up("decay", "LinearDecay")
    assert (linear().until, linear().last) == (1.0, 0.01)
    for until, last in ((1.0, 0.01), (0.37, 0.2), (0.5, 0.0)):
        equals(linear(until=until, last=last), hand.linear(*SIZE, until, last))
    assert_allclose(linear(last=0.2).factor(look_up("contract", "Moment")(31, 3, 20, 10), ()), 0.2, rtol=1e-12)


def check_exponential() -> None:
    """By epochs, or smoothly."""
    exponential = look_up("decay", "Exponential")
    assert (exponential().decay, exponential().staircase) == (0.95, True)
    for stairs in (True, False):
        equals(exponential(decay=0.7, staircase=stairs), hand.exponential(*SIZE, 0.7, stairs))


def check_inverse_time() -> None:
    """By steps or by epochs, with a power."""
    inverse = look_up("decay", "InverseTime")
    assert (inverse().decay, inverse().power, inverse().staircase) == (0.1, 1.0, False)
    for decay, power, stairs in ((0.3, 1.0, True), (2.0, 0.5, False)):
        made = inverse(decay=decay, power=power, staircase=stairs)
        equals(made, hand.inverse_time(*SIZE, decay, power, stairs))


def check_cosine() -> None:
    """Half a cosine, and flat past the plan."""
    cosine = look_up("decay", "Cosine")
    assert cosine().last == 0.0
    for last in (0.0, 0.3):
        equals(cosine(last=last), hand.cosine(*SIZE, last))
    assert_allclose(cosine(last=0.2).factor(look_up("contract", "Moment")(31, 3, 20, 10), ()), 0.2, rtol=1e-12)


def check_cycle() -> None:
    """One cycle of the rate, and of the momentum the other way."""
    cycle = look_up("cycle", "OneCycle")
    assert (cycle().peak, cycle().div, cycle().final) == (0.3, 25.0, 1e4)
    assert (cycle().low, cycle().high, cycle().cycle_momentum) == (0.85, 0.95, False)
    for peak, div, final in ((0.3, 25.0, 1e4), (0.55, 4.0, 10.0), (2 / 120, 4.0, 10.0)):
        equals(
            cycle(peak=peak, div=div, final=final),
            hand.one_cycle(EPOCHS, PER_EPOCH, peak, div, final),
        )
    at_once = play(cycle(peak=1 / 120), SGD(rate=0.2))  # no step left to rise in
    assert_allclose(at_once[0], 0.2 / 25, rtol=1e-12)
    past = cycle(div=2.0, final=5.0).factor(look_up("contract", "Moment")(31, 3, 20, 10), ())
    assert_allclose(past, 0.1, rtol=1e-12)
    both = cycle(peak=0.4, low=0.6, high=0.9, cycle_momentum=True)
    want = hand.one_cycle(EPOCHS, PER_EPOCH, 0.4, 1, 1, between=(0.9, 0.6, 0.9))
    assert_allclose(play(both, Momentum(), "momentum"), want, rtol=1e-12)
    assert_allclose(play(cycle(), Momentum(momentum=0.7), "momentum"), 0.7, rtol=1e-12)
    with pytest.raises(ValueError, match="OneCycle changes the momentum, and SGD has none"):
        play(both, SGD())


def check_switch() -> None:
    """Momentum 0.5, then 0.9; the rate is left alone; a method without momentum is refused."""
    switch = look_up("switch", "MomentumSwitch")
    assert (switch().first, switch().then, switch().after) == (0.5, 0.9, 5)
    want = np.repeat([0.3, 0.8], [4 * PER_EPOCH, 8 * PER_EPOCH])
    assert_allclose(play(switch(first=0.3, then=0.8, after=4), Momentum(), "momentum"), want, rtol=1e-12)
    assert_allclose(play(switch(after=0), Momentum(momentum=0.1), "momentum"), 0.9, rtol=1e-12)
    equals_rate = play(switch(), Momentum(rate=0.03))
    assert_allclose(equals_rate, 0.03, rtol=1e-12)
    with pytest.raises(ValueError, match="MomentumSwitch changes the momentum, and SGD has none"):
        play(switch(), SGD())


def check_plateau() -> None:
    """Reduced after more than `patience` epochs without a gain, never below the floor; NaN is no gain."""
    plateau = look_up("plateau", "Plateau")
    made = plateau()
    assert (made.by, made.patience, made.threshold, made.floor) == (0.1, 5, 1e-4, 0.0)
    slow, flat = [1 - 0.02 * i for i in range(EPOCHS)], [1.0] * EPOCHS
    for losses, by, patience, threshold, floor in (
        (LOSSES, 0.1, 1, 1e-4, 0.0),
        (LOSSES, 0.5, 0, 0.0, 0.3),
        (LOSSES, 0.3, 2, 0.2, 0.0),
        ([float("nan"), float("nan"), *LOSSES[2:]], 0.5, 1, 1e-4, 0.0),
        (slow, 0.5, 0, 0.0, 0.0),
        (slow, 0.5, 2, 0.05, 0.0),
        (flat, 0.5, 10, 0.0, 0.0),
    ):
        want = hand.plateau(losses, PER_EPOCH, by, patience, threshold, floor)
        made = plateau(by=by, patience=patience, threshold=threshold, floor=floor)
        assert_allclose(play(made, SGD(rate=0.2), losses=losses), 0.2 * np.array(want), rtol=1e-12)
    long = hand.plateau([*flat, *flat], PER_EPOCH, 0.5, 10, 0.0, 0.0)
    got = play(plateau(by=0.5, patience=10, threshold=0.0), SGD(rate=0.2), epochs=2 * EPOCHS, losses=[*flat, *flat])
    assert_allclose(got, 0.2 * np.array(long), rtol=1e-12)


def check_warm_up() -> None:
    """A rise, then the other schedule from its own start, with its own memory."""
    cosine, step, plateau = look_up("decay", "Cosine"), look_up("decay", "Step"), look_up("plateau", "Plateau")
    warm = look_up("combine", "WarmUp")
    assert (warm().share, warm().start_factor) == (0.1, 0.01)
    for share in (0.25, 0.252):
        equals(warm(cosine(last=0.1), share=share, start_factor=0.2), hand.warm_up(*SIZE, 0.25, 0.2, lambda _: HALF))
    equals(warm(), hand.warm_up(*SIZE, 0.1, 0.01, lambda rest: [1.0] * rest))
    equals(warm(share=1e-9), [1.0] * (EPOCHS * PER_EPOCH))
    late = hand.warm_up(*SIZE, 0.25, 0.2, lambda _: hand.step(9, PER_EPOCH, 0.5, 4))
    equals(warm(step(by=0.5, every=4), share=0.25, start_factor=0.2), late)
    slow = np.array(hand.plateau(LOSSES, PER_EPOCH, 0.5, 1, 0.0, 0.0))
    slow[:12] = hand.warm_up(*SIZE, 0.1, 0.01, lambda rest: [1.0] * rest)[:12]
    equals(warm(plateau(by=0.5, patience=1, threshold=0.0)), slow)


def check_chain() -> None:
    """Both at once, each with its own memory."""
    step, linear, switch = (
        look_up("decay", "Step"),
        look_up("decay", "LinearDecay"),
        look_up("switch", "MomentumSwitch"),
    )
    chain, plateau = look_up("combine", "Chain"), look_up("plateau", "Plateau")
    first, second = np.array(hand.step(*SIZE, 0.5, 3)), np.array(hand.linear(*SIZE, 1.0, 0.1))
    both = chain(step(by=0.5, every=3), linear(last=0.1))
    equals(both, first * second)
    moved = play(chain(switch(after=2), both), Momentum(rate=0.2), "momentum")
    assert_allclose(moved, np.repeat([0.5, 0.9], [20, 100]), rtol=1e-12)
    a, b = plateaus()
    equals(chain(plateau(**A), plateau(**B)), a * b)
    equals(chain(plateau(**A), linear(last=0.1)), a * second)
    equals(chain(step(by=0.5, every=3), plateau(**B)), first * b)


def check_sequence() -> None:
    """One after the other, the later one from its own start; both see every loss."""
    cosine, linear, plateau = look_up("decay", "Cosine"), look_up("decay", "LinearDecay"), look_up("plateau", "Plateau")
    sequence = look_up("combine", "Sequence")
    assert sequence().at == 0.5
    early = hand.linear(3, PER_EPOCH, 1.0, 0.5)
    for at in (0.25, 0.252, 0.248):
        equals(sequence(linear(last=0.5), cosine(last=0.1), at=at), [*early, *HALF])
    equals(sequence(cosine(last=0.1), linear(last=0.5), at=0.75), [*HALF, *early])
    a, b = plateaus()
    equals(sequence(plateau(**A), plateau(**B), at=0.5), [*a[:60], *b[60:]])
    equals(sequence(plateau(**A), cosine(last=0.1), at=0.25), [*a[:30], *HALF])
    equals(sequence(linear(last=0.5), plateau(**B), at=0.25), [*early, *b[30:]])


HALF = [0.1 + 0.45 * (1 + np.cos(np.pi * k / 90)) for k in range(90)]
A = {"by": 0.5, "patience": 1, "threshold": 0.0}
B = {"by": 0.3, "patience": 0, "threshold": 0.0}


def plateaus() -> tuple[np.ndarray, np.ndarray]:
    """The factors of two plateaus on LOSSES."""
    return tuple(np.array(hand.plateau(LOSSES, PER_EPOCH, *k.values(), 0.0)) for k in (A, B))


def check_types() -> None:
    """In float32 a method stays float32 and its structure stays, whatever the schedule computes in."""
    rate = jnp.asarray(0.1, jnp.float32)
    for module, name in (("decay", "Cosine"), ("cycle", "OneCycle"), ("combine", "WarmUp"), ("plateau", "Plateau")):
        schedule = look_up(module, name)()
        moment = look_up("contract", "Moment")(jnp.asarray(3), jnp.asarray(0), jnp.asarray(20), jnp.asarray(10))
        method = schedule.apply(SGD(rate=rate), moment, schedule.start())
        assert method.rate.dtype == jnp.float32
        memory = schedule.observe(schedule.start(), jnp.asarray(0.3, jnp.float32))
        assert jax.tree.map(jnp.result_type, memory) == jax.tree.map(jnp.result_type, schedule.start())


# file → class → its checks
CHECKS = {
    "decay": {
        "Constant": [check_constant],
        "Step": [check_step],
        "LinearDecay": [check_linear],
        "Exponential": [check_exponential],
        "InverseTime": [check_inverse_time],
        "Cosine": [check_cosine],
    },
    "cycle": {"OneCycle": [check_cycle]},
    "switch": {"MomentumSwitch": [check_switch]},
    "plateau": {"Plateau": [check_plateau]},
    "combine": {"Chain": [check_chain], "Sequence": [check_sequence], "WarmUp": [check_warm_up]},
    "contract": {"Moment": [check_warm_up, check_sequence], "Schedule": [check_step, check_types]},
}
