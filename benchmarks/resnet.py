"""The small residual network on CIFAR-10 (JPEG): its accuracy on the test images that the collection comes with.

Its first epochs see the pictures at half their side, at a quarter of the time each: the network takes any size, and on
10,000 photos at width 8 this gained points over as long at the whole side (Howard 2018, "progressive resizing").
"""

from __future__ import annotations

import time
from pathlib import Path

from scipy.stats import binomtest

import steepest as st
from benchmarks.measure import PERCENT, Line, Outcome
from benchmarks.photos import CIFAR_MISSING, cifar
from steepest.core.spec import replace

WIDTH, BATCH = 32, 128
DECAY = 5e-4  # Page 2018
STAGES = (  # side, epochs, the rate's peak (Page takes 0.4 for batches of 512), where in the cycle it lies, its fall
    (16, 14, 0.1, 0.25, 10.0),
    (32, 10, 0.07, 0.15, 100.0),
)
WANTED = 88.0


def run(rounds: int, small: bool = False) -> Outcome:
    """One training, however many rounds are asked for: it takes most of an hour on two cores."""
    del rounds
    folder = cifar()
    if folder is None:
        return Outcome("resnet", [], {}, skipped=CIFAR_MISSING)
    began, notes, init = time.monotonic(), [], None
    for side, epochs, rate, peak, fall in STAGES:
        recipe = st.Recipe(
            model=st.ResNet(width=4 if small else WIDTH),
            method=st.Nesterov(rate=rate, momentum=0.9),
            penalty=st.L2(strength=DECAY),
            schedule=st.OneCycle(peak=peak, div=10.0, final=fall),
            techniques=(st.Augment(flip=0.5, shift=0.125, rotate=0.0, scale=0.0, whole=True), st.Smoothing(0.1)),
            batch_size=BATCH,
        )
        found = trained(folder, side, 1 if small else epochs, recipe, init)
        init = st.Given(found.params(0, 0))
        losses = ", ".join(f"{loss:.3f}" for loss in found.curves["train_loss"][0, 0])
        notes += [f"{side}×{side}: {recipe!r}", f"training loss by epoch: {losses}; right {found.accuracy[0, 0]:.4f}"]
        print(f"  {notes[-1]}, {time.monotonic() - began:,.0f} s", flush=True)
    tests, accuracy = len(found.rows(0).test.rows), float(found.accuracy[0, 0])
    bounds = binomtest(round(accuracy * tests), tests).proportion_ci(method="wilson")
    stages = " and ".join(f"{epochs} epochs at {side}×{side}" for side, epochs, *_ in STAGES)
    what = f"resnet, width {WIDTH}, {stages}, CIFAR-10 (JPEG): accuracy on {tests:,} test images"
    line = Line(what, "", 100 * accuracy, PERCENT, WANTED, 100 * bounds.low, 100 * bounds.high)
    return Outcome("resnet", [line], {}, [*notes, f"{time.monotonic() - began:,.0f} s, float32, on the CPU"])


def trained(folder: Path, side: int, epochs: int, recipe: st.Recipe, init: st.Given | None) -> st.Sweep:
    """A stage: pictures of this side, from the weights of the one before."""
    recipe = recipe if init is None else replace(recipe, init=init)
    return st.sweep(
        [recipe], st.open(folder, size=side), replicates=1, epochs=epochs, test="given", validation=0.0,
        standardize=True, exact=False,
    )  # fmt: skip
