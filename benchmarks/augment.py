"""What augmentation costs: steps of the sources' CNN (J5) with all of `Augment`'s ranges in use, and without it."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import steepest as st
from benchmarks.measure import Line, Outcome, Times, interleaved
from steepest.core.stack import stack
from steepest.train import loop
from steepest.train.state import Rows

SHAPE, CLASSES, BATCH, STEPS = (32, 32, 3), 10, 64, 8
ALL = {"shift": 0.125, "rotate": 10.0, "scale": 0.1, "flip": 0.5, "crop": 0.1, "contrast": 0.2, "cutout": 0.25}


def run(rounds: int, small: bool = False) -> Outcome:
    """Target: at most a tenth of the step's time on the CPU."""
    steps = 2 if small else STEPS
    augment = st.Augment(**ALL)
    work: dict[str, Callable[[], Any]] = {
        "with": passes((st.Dropout(), augment), steps),
        "without": passes((st.Dropout(),), steps),
        "augmentation alone": alone(augment, steps),
    }
    times = interleaved(work, rounds)
    what = f"CNN of J5, batches of {BATCH} images of 32×32, one member"
    lines = [
        _share(f"{what}: augmentation's share of a step with it", times["augmentation alone"], times["with"], 10),
        _share(f"{what}: a step with it, of one without", times["with"], times["without"]),
    ]
    each = ", ".join(f"{name} {1e3 * min(one.wall) / steps:.1f}" for name, one in times.items())
    return Outcome(what, lines, times, [f"least ms a step: {each}; every range in use, one scan of {steps} steps"])


def passes(techniques: tuple[Any, ...], steps: int) -> Callable[[], None]:
    """Steps of the engine's own epoch."""
    recipe = st.Recipe(
        model=st.CNN(), method=st.Adam(rate=0.005), penalty=st.L2(strength=5e-5), batch_size=BATCH,
        techniques=techniques,
    ).general()  # fmt: skip
    stacked = jax.tree.map(jnp.asarray, stack([recipe], recipe.dtype))
    rows, order, weight = _rows(steps)
    clock = loop.Clock(np.int32(0), *(np.float32(number) for number in (0, steps, steps)))
    chance = loop.Chance(jax.random.key(1), None)
    states = loop.begin(stacked, jax.random.key(0), SHAPE, CLASSES)

    def passed() -> None:
        nonlocal states
        states, _ = loop.epoch(stacked, states, rows, order, weight, None, clock, chance)
        jax.block_until_ready(states)

    return passed


def alone(augment: Any, steps: int) -> Callable[[], Any]:
    """The same batches resampled in a scan, and nothing else."""
    rows, order, _ = _rows(steps)

    @jax.jit
    def scanned(augment: Any, X: Any, y: Any, order: Any) -> Any:
        def step(key: Any, index: Any) -> tuple[Any, Any]:
            made, _ = augment.rows(X[index], y[index], key, None)
            return jax.random.fold_in(key, 1), made

        return jax.lax.scan(step, jax.random.key(1), order)

    return lambda: jax.block_until_ready(scanned(augment, rows.X, rows.y, order)[1])


def _rows(steps: int) -> tuple[Rows, Any, Any]:
    rng = np.random.default_rng(0)
    count = BATCH * steps
    X = jnp.asarray(rng.normal(size=(count, *SHAPE)), jnp.float32)
    y = jnp.asarray(rng.integers(0, CLASSES, count), jnp.int32)
    order = jnp.asarray(rng.permutation(count), jnp.int32).reshape(steps, BATCH)
    return Rows(X, y, jnp.ones(count)), order, jnp.ones(order.shape)


def _share(what: str, part: Times, whole: Times, most: float | None = None) -> Line:
    """One time as per cent of another, round by round before the median."""
    shares = [100 * a / b for a, b in zip(part.wall, whole.wall)]
    cpu = statistics.median(100 * a / b for a, b in zip(part.cpu, whole.cpu))
    return Line(what, "", statistics.median(shares), "%", most, min(shares), max(shares), cpu)
