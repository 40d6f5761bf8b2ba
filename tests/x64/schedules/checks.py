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


def check_decay() -> None:
    """The formulas of decay.py."""
    size = (EPOCHS, PER_EPOCH)
    equals(look_up("decay", "Constant")(), hand.constant(*size))
    for by, every in ((0.1, 3), (0.5, 1), (0.3, 12)):
        equals(look_up("decay", "Step")(by=by, every=every), hand.step(*size, by, every))
    for until, last in ((1.0, 0.01), (0.37, 0.2), (0.5, 0.0)):
        equals(look_up("decay", "Linear")(until=until, last=last), hand.linear(*size, until, last))
    for stairs in (True, False):
        equals(look_up("decay", "Exponential")(decay=0.7, staircase=stairs), hand.exponential(*size, 0.7, stairs))
        for decay, power in ((0.3, 1.0), (2.0, 0.5)):
            made = look_up("decay", "InverseTime")(decay=decay, power=power, staircase=stairs)
            equals(made, hand.inverse_time(*size, decay, power, stairs))
    for last in (0.0, 0.3):
        equals(look_up("decay", "Cosine")(last=last), hand.cosine(*size, last))


def check_decay_defaults() -> None:
    """The defaults, and that nothing falls below its floor when a training goes on past its plan."""
    assert look_up("decay", "Step")().by == 0.1
    assert look_up("decay", "Step")().every == 10
    assert look_up("decay", "Linear")().until == 1.0
    assert look_up("decay", "Linear")().last == 0.01
    assert look_up("decay", "Exponential")().decay == 0.95
    assert look_up("decay", "Exponential")().staircase is True
    assert look_up("decay", "InverseTime")().decay == 0.1
    assert look_up("decay", "InverseTime")().power == 1.0
    assert look_up("decay", "InverseTime")().staircase is False
    assert look_up("decay", "Cosine")().last == 0.0
    late = look_up("contract", "Moment")(31, 3, 20, 10)
    assert_allclose(look_up("decay", "Cosine")(last=0.2).factor(late, ()), 0.2, rtol=1e-12)
    assert_allclose(look_up("decay", "Linear")(last=0.2).factor(late, ()), 0.2, rtol=1e-12)


def check_cycle() -> None:
    """One cycle of the rate, and of the momentum the other way."""
    cycle = look_up("cycle", "OneCycle")
    assert (cycle().peak, cycle().div, cycle().final) == (0.3, 25.0, 1e4)
    assert (cycle().low, cycle().high, cycle().cycle_momentum) == (0.85, 0.95, False)
    for peak, div, final in ((0.3, 25.0, 1e4), (0.55, 4.0, 10.0)):
        equals(
            cycle(peak=peak, div=div, final=final),
            hand.one_cycle(EPOCHS, PER_EPOCH, peak, div, final),
        )
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
    for by, patience, threshold, floor in ((0.1, 1, 1e-4, 0.0), (0.5, 0, 0.0, 0.3), (0.3, 2, 0.2, 0.0)):
        want = hand.plateau(LOSSES, PER_EPOCH, by, patience, threshold, floor)
        assert len(set(want)) > 1
        equals(plateau(by=by, patience=patience, threshold=threshold, floor=floor), want)


def check_combined() -> None:
    """A warm-up, both at once, and one after the other, the later one from its own start."""
    cosine, step, switch = look_up("decay", "Cosine"), look_up("decay", "Step"), look_up("switch", "MomentumSwitch")
    linear, plateau = look_up("decay", "Linear"), look_up("plateau", "Plateau")
    warm, chain, sequence = (look_up("combine", name) for name in ("WarmUp", "Chain", "Sequence"))
    assert (warm().share, warm().start_factor, sequence().at) == (0.1, 0.01, 0.5)

    half = [0.1 + 0.45 * (1 + np.cos(np.pi * k / 90)) for k in range(90)]
    want = hand.warm_up(EPOCHS, PER_EPOCH, 0.25, 0.2, lambda _: half)
    equals(warm(cosine(last=0.1), share=0.25, start_factor=0.2), want)
    equals(warm(), hand.warm_up(EPOCHS, PER_EPOCH, 0.1, 0.01, lambda rest: [1.0] * rest))
    equals(warm(share=1e-9), [1.0] * (EPOCHS * PER_EPOCH))
    late = hand.warm_up(EPOCHS, PER_EPOCH, 0.25, 0.2, lambda _: hand.step(9, PER_EPOCH, 0.5, 4))
    equals(warm(step(by=0.5, every=4), share=0.25, start_factor=0.2), late)
    slow = np.array(hand.plateau(LOSSES, PER_EPOCH, 0.5, 1, 0.0, 0.0))
    slow[:12] = hand.warm_up(EPOCHS, PER_EPOCH, 0.1, 0.01, lambda rest: [1.0] * rest)[:12]
    equals(warm(plateau(by=0.5, patience=1, threshold=0.0)), slow)

    first, second = hand.step(EPOCHS, PER_EPOCH, 0.5, 3), hand.linear(EPOCHS, PER_EPOCH, 1.0, 0.1)
    both = chain(step(by=0.5, every=3), linear(last=0.1))
    equals(both, np.array(first) * np.array(second))
    moved = play(chain(switch(after=2), both), Momentum(rate=0.2), "momentum")
    assert_allclose(moved, np.repeat([0.5, 0.9], [20, 100]), rtol=1e-12)
    lowered = chain(plateau(by=0.5, patience=1, threshold=0.0), plateau(by=0.3, patience=0, threshold=0.0))
    a = hand.plateau(LOSSES, PER_EPOCH, 0.5, 1, 0.0, 0.0)
    b = hand.plateau(LOSSES, PER_EPOCH, 0.3, 0, 0.0, 0.0)
    equals(lowered, np.array(a) * np.array(b))

    early = hand.linear(3, PER_EPOCH, 1.0, 0.5)
    equals(sequence(linear(last=0.5), cosine(last=0.1), at=0.25), [*early, *half])
    in_turn = sequence(plateau(by=0.5, patience=1, threshold=0.0), plateau(by=0.3, patience=0, threshold=0.0), at=0.5)
    equals(in_turn, [*a[:60], *b[60:]])


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


CHECKS = {
    "decay": [check_decay, check_decay_defaults],
    "cycle": [check_cycle],
    "switch": [check_switch],
    "plateau": [check_plateau],
    "combine": [check_combined],
    "contract": [check_decay, check_combined, check_types],
}
