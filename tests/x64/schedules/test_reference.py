"""Every schedule against a plain loop, in float64, and against optax's where it has the same one."""

import numpy as np
import optax
import pytest
from numpy.testing import assert_allclose
from tests.x64.schedules import checks

from steepest.methods.sgd import SGD
from steepest.schedules.combine import Sequence, WarmUp
from steepest.schedules.decay import Constant, Cosine, Exponential, LinearDecay, Step

TOTAL = checks.EPOCHS * checks.PER_EPOCH


ALL = {check for classes in checks.CHECKS.values() for of_one in classes.values() for check in of_one}


@pytest.mark.parametrize("check", sorted(ALL, key=lambda check: check.__name__))
def test_equals_the_loop_by_hand(check):
    check()


PAIRS = [
    (Cosine(last=0.2), optax.cosine_decay_schedule(0.3, TOTAL, alpha=0.2)),
    (LinearDecay(until=0.5, last=0.1), optax.linear_schedule(0.3, 0.03, TOTAL // 2)),
    (Exponential(decay=0.8), optax.exponential_decay(0.3, checks.PER_EPOCH, 0.8, staircase=True)),
    (Exponential(decay=0.8, staircase=False), optax.exponential_decay(0.3, checks.PER_EPOCH, 0.8)),
    (Step(by=0.2, every=4), optax.exponential_decay(0.3, 4 * checks.PER_EPOCH, 0.2, staircase=True)),
    (
        WarmUp(Cosine(), share=0.25, start_factor=0.1),
        optax.warmup_cosine_decay_schedule(0.03, 0.3, TOTAL // 4, TOTAL),
    ),
    (
        Sequence(Constant(), LinearDecay(last=0.5), at=0.25),
        optax.join_schedules([optax.constant_schedule(0.3), optax.linear_schedule(0.3, 0.15, 90)], [30]),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[repr(p[0]) for p in PAIRS])
def test_equals_optax(ours, theirs):
    want = [float(theirs(k)) for k in range(TOTAL)]
    assert_allclose(checks.play(ours, SGD(rate=0.3)), np.array(want), rtol=1e-6)  # optax's are in float32 in part
