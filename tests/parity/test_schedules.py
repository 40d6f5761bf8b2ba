"""Every schedule that torch.optim.lr_scheduler has, step by step."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from tests.x64.schedules.checks import EPOCHS, PER_EPOCH, play

from steepest.methods.momentum import Momentum
from steepest.methods.sgd import SGD
from steepest.schedules.combine import Chain, Sequence, WarmUp
from steepest.schedules.cycle import OneCycle
from steepest.schedules.decay import Constant, Cosine, Exponential, LinearDecay, Step
from steepest.schedules.plateau import Plateau

S = torch.optim.lr_scheduler
TOTAL = EPOCHS * PER_EPOCH
LOSSES = [1.0, 0.9, 0.89999, 0.95, 0.9, 0.91, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]


def rates_of(make, by_epoch=False, losses=None, what="lr"):
    """The value torch uses at every step; `make(optimizer)` gives the scheduler."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2, momentum=0.5)
    scheduler, values = make(optimizer), []
    for epoch in range(EPOCHS):
        for _ in range(PER_EPOCH):
            values.append(float(optimizer.param_groups[0][what]))
            optimizer.step()
            if not by_epoch and losses is None:
                scheduler.step()
        if losses is not None:
            scheduler.step(losses[epoch])
        elif by_epoch:
            scheduler.step()
    return values


BY_STEP = [
    (Constant(), lambda o: S.ConstantLR(o, factor=1.0)),
    (LinearDecay(until=0.5, last=0.1), lambda o: S.LinearLR(o, 1.0, 0.1, total_iters=TOTAL // 2)),
    (Cosine(last=0.1), lambda o: S.CosineAnnealingLR(o, TOTAL, eta_min=0.02)),
    (
        WarmUp(Cosine(), share=0.25, start_factor=0.1),
        lambda o: S.SequentialLR(
            o, [S.LinearLR(o, 0.1, 1.0, TOTAL // 4), S.CosineAnnealingLR(o, TOTAL - TOTAL // 4)], [TOTAL // 4]
        ),
    ),
    (
        Sequence(LinearDecay(last=0.5), Constant(), at=0.25),
        lambda o: S.SequentialLR(o, [S.LinearLR(o, 1.0, 0.5, TOTAL // 4), S.ConstantLR(o, factor=1.0)], [TOTAL // 4]),
    ),
]
BY_EPOCH = [
    (Step(by=0.3, every=4), lambda o: S.StepLR(o, 4, 0.3)),
    (Exponential(decay=0.8), lambda o: S.ExponentialLR(o, 0.8)),
    (
        Chain(Step(by=0.3, every=4), Exponential(decay=0.8)),
        lambda o: S.ChainedScheduler([S.StepLR(o, 4, 0.3), S.ExponentialLR(o, 0.8)]),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), BY_STEP, ids=repr)
def test_equals_torch_by_steps(ours, theirs):
    assert_allclose(play(ours, SGD(rate=0.2)), rates_of(theirs), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize(("ours", "theirs"), BY_EPOCH, ids=repr)
def test_equals_torch_by_epochs(ours, theirs):
    assert_allclose(play(ours, SGD(rate=0.2)), rates_of(theirs, by_epoch=True), rtol=1e-12)


@pytest.mark.parametrize(
    ("by", "patience", "threshold", "floor"), [(0.1, 1, 1e-4, 0.0), (0.5, 0, 0.0, 0.3), (0.3, 2, 0.2, 0.0)]
)
def test_equals_torchs_plateau(by, patience, threshold, floor):
    def theirs(optimizer):
        return S.ReduceLROnPlateau(
            optimizer, factor=by, patience=patience, threshold=threshold, min_lr=0.2 * floor, eps=0
        )

    ours = play(Plateau(by=by, patience=patience, threshold=threshold, floor=floor), SGD(rate=0.2), losses=LOSSES)
    assert_allclose(ours, rates_of(theirs, losses=LOSSES), rtol=1e-12)


def one_cycle(what):
    """torch's one-cycle has as many steps as there are updates; its scheduler may not be stepped after the last."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2, momentum=0.5)
    scheduler = S.OneCycleLR(
        optimizer, 0.2, total_steps=TOTAL, pct_start=0.4, div_factor=10, final_div_factor=100, base_momentum=0.6,
        max_momentum=0.9,
    )  # fmt: skip
    values = []
    for step in range(TOTAL):
        values.append(float(optimizer.param_groups[0][what]))
        optimizer.step()
        if step < TOTAL - 1:
            scheduler.step()
    return np.array(values)


def test_equals_torchs_one_cycle():
    ours = OneCycle(peak=0.4, div=10, final=100, low=0.6, high=0.9, cycle_momentum=True)
    assert_allclose(play(ours, Momentum(rate=0.2)), one_cycle("lr"), rtol=1e-12)
    assert_allclose(play(ours, Momentum(rate=0.2), "momentum"), one_cycle("momentum"), rtol=1e-12)
