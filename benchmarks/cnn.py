"""The sources' CNN (J5), one member: images a second while it trains, against PyTorch in its channels_last layout."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import steepest as st
from benchmarks.measure import Outcome, interleaved, ratio
from steepest.core.stack import stack
from steepest.train import loop
from steepest.train.device import cores
from steepest.train.state import Rows

SHAPE, CLASSES, BATCH, STEPS = (32, 32, 3), 10, 64, 16
RATE, DECAY, DROPPED = 0.005, 1e-4, 0.5  # source: J5


def run(rounds: int, small: bool = False) -> Outcome:
    """Target: half as fast as PyTorch, and no slower inside the scan than step by step."""
    if importlib.util.find_spec("torch") is None:
        return Outcome("CNN", [], {}, skipped="PyTorch is not installed; `make bench` installs it")
    steps = 2 if small else STEPS
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(BATCH * steps, *SHAPE)).astype(np.float32)
    y = rng.integers(0, CLASSES, len(X)).astype(np.int32)
    work = {
        "scan": ours(X, y, steps_a_call=steps),
        "steps": ours(X, y, steps_a_call=1),
        "PyTorch": theirs(X, y, threads=min(2, cores())),
    }
    times = interleaved(work, rounds)
    what = f"CNN of J5, one member, batches of {BATCH} images of 32×32, Adam, dropout"
    lines = [
        ratio(what, "PyTorch, channels_last", times, "scan", "PyTorch", 0.5),
        ratio(f"{what}, an epoch in one program", "step by step", times, "scan", "steps"),
    ]
    speeds = ", ".join(f"{name} {len(X) / sorted(t.wall)[len(t.wall) // 2]:,.0f}" for name, t in times.items())
    return Outcome(what, lines, times, [f"images a second: {speeds}; at most two threads each"])


def ours(X: np.ndarray, y: np.ndarray, steps_a_call: int) -> Callable[[], None]:
    """Passes over all rows by the engine's epoch, in its general structure, so many steps in one call of it."""
    recipe = st.Recipe(
        model=st.CNN(), method=st.Adam(rate=RATE), penalty=st.L2(strength=DECAY, on="all"), batch_size=BATCH,
        techniques=(st.Dropout(rate=DROPPED),),
    ).general()  # fmt: skip
    stacked = jax.tree.map(jnp.asarray, stack([recipe], recipe.dtype))
    rows = Rows(jnp.asarray(X), jnp.asarray(y), jnp.ones(len(X)))
    order = jnp.arange(len(X), dtype=jnp.int32).reshape(-1, steps_a_call, BATCH)
    weight = jnp.ones(order.shape[1:])
    clock = loop.Clock(np.int32(0), *(np.float32(number) for number in (0, len(X) // BATCH, len(X) // BATCH)))
    chance = loop.Chance(jax.random.key(1), None)
    states = loop.begin(stacked, jax.random.key(0), SHAPE, CLASSES)

    def passed() -> None:
        nonlocal states
        for part in order:
            states, _ = loop.epoch(stacked, states, rows, part, weight, None, clock, chance)
        jax.block_until_ready(states)

    return passed


def theirs(X: np.ndarray, y: np.ndarray, threads: int) -> Callable[[], None]:
    """The same passes by PyTorch, eager, as E's notebook trains; its fused Adam and its fastest layout on a CPU."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    layers: list[Any] = []
    for into, out in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(into, out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Dropout(DROPPED), nn.Linear(256, CLASSES)]
    model = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    images = torch.from_numpy(X).permute(0, 3, 1, 2)  # [rows, H, W, C] in memory is channels_last
    labels = torch.from_numpy(y).long()
    batches = partial(torch.split, split_size_or_sections=BATCH)

    def passed() -> None:
        for rows, told in zip(batches(images), batches(labels)):
            adam.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(rows), told).backward()
            adam.step()

    return passed
