"""The small residual network on CIFAR-10 (JPEG): its accuracy on the test images that the collection comes with."""

from __future__ import annotations

import time

from scipy.stats import binomtest

import steepest as st
from benchmarks.measure import PERCENT, Line, Outcome
from benchmarks.photos import CIFAR_MISSING, cifar

WIDTH, EPOCHS, BATCH = 32, 10, 128
RATE, DECAY = 0.1, 5e-4  # at the peak of the cycle; Page 2018 takes 0.4 for batches of 512
WANTED = 88.0


def run(rounds: int, small: bool = False) -> Outcome:
    """One training, however many rounds are asked for: it takes an hour on two cores."""
    del rounds
    folder = cifar()
    if folder is None:
        return Outcome("resnet", [], {}, skipped=CIFAR_MISSING)
    data = st.open(folder)
    recipe = st.Recipe(
        model=st.ResNet(width=4 if small else WIDTH),
        method=st.Nesterov(rate=RATE, momentum=0.9),
        penalty=st.L2(strength=DECAY),
        schedule=st.OneCycle(peak=0.25, div=10.0, final=100.0),
        techniques=(st.Augment(flip=0.5, shift=0.125, rotate=0.0, scale=0.0, whole=True), st.Smoothing(0.1)),
        batch_size=BATCH,
    )
    epochs, began = 1 if small else EPOCHS, time.monotonic()
    found = st.sweep(
        [recipe], data, replicates=1, epochs=epochs, test="given", validation=0.0, standardize=True, exact=False
    )
    tests = len(found.rows(0).test.rows)
    accuracy = float(found.accuracy[0, 0])
    bounds = binomtest(round(accuracy * tests), tests).proportion_ci(method="wilson")
    what = f"resnet, width {WIDTH}, {epochs} epochs, CIFAR-10 (JPEG): accuracy on {tests:,} test images"
    line = Line(what, "", 100 * accuracy, PERCENT, WANTED, 100 * bounds.low, 100 * bounds.high)
    losses = ", ".join(f"{loss:.3f}" for loss in found.curves["train_loss"][0, 0])
    notes = [f"{recipe!r}", f"training loss by epoch: {losses}; {time.monotonic() - began:,.0f} s, float32, on the CPU"]
    return Outcome("resnet", [line], {}, notes)
