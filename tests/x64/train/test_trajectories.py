"""Whole trainings through `sweep` and `train` against a loop by hand, to 1e-10: odd sizes, partial batches, weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.reference import train as hand

import steepest as st
from steepest.core.keys import generator
from steepest.train.population import Replicate, train
from steepest.train.state import Rows

RNG = np.random.default_rng(11)
N, FEATURES, CLASSES, EPOCHS = 39, 5, 3, 7  # 31 training rows, 8 validation rows
Y = np.arange(N) % CLASSES
X = RNG.normal(size=(N, FEATURES)) + 0.7 * Y[:, None] * RNG.normal(size=FEATURES)
START = {"W": RNG.normal(size=(CLASSES, FEATURES)), "b": RNG.normal(size=CLASSES)}
BATCH = 7

ADAM = {"decay1": 0.8, "decay2": 0.95, "delta": 1e-4}
METHODS = {
    "sgd": (st.SGD(rate=0.13), lambda: hand.SGD()),
    "momentum": (st.Momentum(rate=0.03, momentum=0.7), lambda: hand.Momentum(momentum=0.7)),
    "nesterov": (st.Nesterov(rate=0.03, momentum=0.8), lambda: hand.Nesterov(momentum=0.8)),
    "adam": (st.Adam(rate=0.05, **ADAM), lambda: hand.Adam(**ADAM)),
}
PENALTIES = {
    "none": (st.NoPenalty(), {}),
    "l1": (st.L1(0.2), {"l1": 0.2}),
    "l2": (st.L2(0.3), {"l2": 0.3}),
    "one": (st.L2(0.15, factor="one"), {"l2": 0.3}),
    "elastic": (st.ElasticNet(l1=0.015, l2=0.2), {"l1": 0.015, "l2": 0.2}),
}


def recipe(method, **more):
    settings = {"batch_size": BATCH, "init": st.Given(START), "dtype": "float64", **more}
    return st.Recipe(method=METHODS[method][0], **settings)


def swept(recipes, **more):
    return st.sweep(recipes, X, Y, replicates=2, epochs=EPOCHS, seed=3, test=0.0, **more)


def orders_of(found, r, seed=3, epochs=EPOCHS):
    """The order in which the rows of a replicate come, by the contract of `core.keys`."""
    rows = found.rows(r).train.rows
    return [rows[generator(seed, r, "order", epoch).permutation(len(rows))] for epoch in range(epochs)]


def by_hand(found, r, method, orders=None, batch=BATCH, **more):
    held = found.rows(r).validation.rows
    rate = METHODS[method][0].rate
    return hand.train(
        X, Y, START["W"], START["b"], orders or orders_of(found, r), batch, METHODS[method][1](), rate,
        validation=(X[held], Y[held]), **more,
    )  # fmt: skip


def check(found, r, place, want):
    np.testing.assert_allclose(found.params(r, place)["W"], want["W"], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.params(r, place)["b"], want["b"], rtol=1e-10, atol=1e-10)
    for name in ("train_loss", "validation_loss"):
        np.testing.assert_allclose(found.curves[name][r, place], want[name], rtol=1e-10)
    assert found.step[r, place] == want["steps"]
    assert found.status[r, place] == "finished"


@pytest.mark.parametrize("method", METHODS)
def test_every_penalty_with_partial_batches(method):
    found = swept([recipe(method, penalty=penalty) for penalty, _ in PENALTIES.values()])
    assert len(found.rows(0).train.rows) == 31
    for r in range(2):
        for place, (_, strengths) in enumerate(PENALTIES.values()):
            check(found, r, place, by_hand(found, r, method, **strengths))
    assert (found.params(0, 1)["W"] == 0).any(), "L1 gives exact zeros"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (st.Step(by=0.5, every=2), lambda: hand.step_decay(0.5, 2)),
        (st.Cosine(last=0.1), lambda: hand.cosine(0.1)),
        (st.Plateau(by=0.3, patience=1, threshold=0.3), lambda: hand.Plateau(0.3, 1, 0.3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_schedules_see_steps_epochs_and_the_validation_loss(ours, theirs):
    found = swept([recipe("momentum", schedule=ours, penalty=st.ElasticNet(l1=0.01, l2=0.1))])
    for r in range(2):
        schedule = theirs()
        check(found, r, 0, by_hand(found, r, "momentum", schedule=schedule, l1=0.01, l2=0.1))
        assert getattr(schedule, "now", 0) < 1, "a plateau that never came proves nothing"


def test_a_plateau_without_validation_rows_looks_at_the_training_loss():
    wild = st.Recipe(
        method=st.SGD(rate=9.0), schedule=st.Plateau(by=0.1, patience=0), init=st.Given(START), dtype="float64",
        batch_size=None,
    )  # fmt: skip
    found = st.sweep(wild, X, Y, replicates=1, epochs=EPOCHS, test=0.0, validation=0.0)
    schedule, params, curve = hand.Plateau(0.1, 0), (START["W"], START["b"]), []
    rows = found.rows(0).train.rows
    for epoch in range(EPOCHS):
        done = hand.train(X, Y, *params, [rows], N, hand.SGD(), 9.0 * schedule(0, epoch, 0))
        params = done["W"], done["b"]
        curve += done["train_loss"]
        schedule.observe(curve[-1])
    assert schedule.now < 1
    np.testing.assert_allclose(found.curves["train_loss"][0, 0], curve, rtol=1e-10)
    np.testing.assert_allclose(found.params(0, 0)["W"], params[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("clip", [0.05, 0.6, 50.0])
def test_clipping_acts_on_the_gradient_of_all_weights_together(clip):
    found = swept([recipe("nesterov", clip=st.ClipNorm(limit=clip), penalty=st.L2(0.3))])
    check(found, 1, 0, by_hand(found, 1, "nesterov", l2=0.3, clip=hand.clip_norm(clip)))


def test_averages_are_reported_and_judged():
    averages = ((st.EMA(decay=0.9), {"ema": 0.9}), (st.UniformTail(start_share=0.55), {"tail": 0.55}))
    for average, theirs in averages:
        found = swept([recipe("momentum", average=average)])
        want = by_hand(found, 0, "momentum", **theirs)
        check(found, 0, 0, want)
        plain = swept([recipe("momentum")])
        assert np.abs(plain.params(0, 0)["W"] - want["W"]).max() > 1e-2
        np.testing.assert_array_equal(plain.curves["train_loss"], found.curves["train_loss"])


@pytest.mark.parametrize("batch", [1, 5, 31, 1000, None])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_batches_of_any_size_averaged_or_summed(batch, reduction):
    found = swept([recipe("momentum", batch_size=batch, reduction=reduction, penalty=st.L2(0.1))])
    check(found, 0, 0, by_hand(found, 0, "momentum", batch=batch or 31, reduction=reduction, l2=0.1))


def test_rows_that_are_not_shuffled_keep_their_order():
    found = swept([recipe("adam", shuffle=False)])
    rows = found.rows(1).train.rows
    assert (np.diff(rows) > 0).all()
    check(found, 1, 0, by_hand(found, 1, "adam", orders=[rows] * EPOCHS))
    assert np.abs(swept([recipe("adam")]).params(1, 0)["W"] - found.params(1, 0)["W"]).max() > 1e-4


def test_standardised_rows_are_those_of_the_replicate():
    found = swept([recipe("sgd")], standardize=True)
    for r in range(2):
        rows, held = found.rows(r).train.rows, found.rows(r).validation.rows
        seen = (X - X[rows].mean(axis=0)) / X[rows].std(axis=0)
        orders, checked = orders_of(found, r), (seen[held], Y[held])
        want = hand.train(seen, Y, START["W"], START["b"], orders, BATCH, hand.SGD(), 0.13, validation=checked)
        np.testing.assert_allclose(found.params(r, 0)["W"], want["W"], rtol=1e-5, atol=1e-6)


# --- row weights: the population alone, with weights of any kind ---


def replicate_of(weight, orders, validation=None):
    """A replicate with these row weights, whose epochs take these rows in this order."""
    return Replicate(
        train=Rows(jnp.asarray(X), jnp.asarray(Y, jnp.int32), jnp.asarray(weight)),
        validation=validation,
        test=None,
        key=jax.random.key(0),
        noise=jax.random.key(1),
        shape=(FEATURES,),
        outputs_of=lambda _: CLASSES,
        order=lambda epoch: orders[epoch],
        rows=len(orders[0]),
    )


def weighted(weight, orders, method="momentum", **more):
    return train([recipe(method, **more)], replicate_of(weight, orders), len(orders), 16)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("method", METHODS)
def test_row_weights_weigh_the_loss(method, reduction):
    weight = RNG.uniform(0.1, 3.0, size=N)
    orders = [RNG.permutation(N) for _ in range(EPOCHS)]
    got = weighted(weight, orders, method, reduction=reduction)
    rate = METHODS[method][0].rate
    want = hand.train(
        X, Y, START["W"], START["b"], orders, BATCH, METHODS[method][1](), rate, weights=weight, reduction=reduction
    )
    np.testing.assert_allclose(got.params["W"][0], want["W"], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(got.curves["train_loss"][0], want["train_loss"], rtol=1e-10)


def test_a_whole_weight_is_that_many_rows():
    weight = RNG.integers(1, 4, size=N)
    got = weighted(weight.astype(float), [np.arange(N)] * 4, batch_size=None)
    rows = np.repeat(np.arange(N), weight)
    want = hand.train(X, Y, START["W"], START["b"], [rows] * 4, 1000, hand.Momentum(momentum=0.7), 0.03)
    np.testing.assert_allclose(got.params["W"][0], want["W"], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_without_weight_is_no_step(method):
    """Adam's corrections and the velocities would show a t that ran on."""
    weight = np.zeros(N)
    weight[5:16] = 1.0  # 39 places for rows, 11 taken: a full batch, one of 4 rows, and four without any weight
    orders = [5 + RNG.permutation(11) for _ in range(EPOCHS)]
    got = weighted(weight, orders, method)
    rate = METHODS[method][0].rate
    want = hand.train(X, Y, START["W"], START["b"], orders, BATCH, METHODS[method][1](), rate)
    assert got.step == want["steps"] == 2 * EPOCHS
    np.testing.assert_allclose(got.params["W"][0], want["W"], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(got.curves["train_loss"][0], want["train_loss"], rtol=1e-10)


@pytest.mark.parametrize("filling", [np.nan, np.inf, 1e300])
def test_rows_that_only_fill_up_change_nothing(filling):
    real = np.arange(31)
    orders = [generator(0, 0, "order", epoch).permutation(31) for epoch in range(EPOCHS)]
    weight = np.r_[np.ones(31), np.zeros(8)]
    rows = X.copy()
    rows[31:] = filling
    filled = replicate_of(weight, orders)
    filled = Replicate(**{**_fields(filled), "train": Rows(jnp.asarray(rows), filled.train.y, filled.train.weight)})
    short = _fields(replicate_of(weight, orders))
    short["train"] = Rows(*(jnp.asarray(np.asarray(part)[real]) for part in short["train"]))
    got, want = (train([recipe("adam")], one, EPOCHS, 16) for one in (filled, Replicate(**short)))
    np.testing.assert_allclose(got.params["W"], want.params["W"], rtol=1e-13)
    np.testing.assert_allclose(got.curves["train_loss"], want.curves["train_loss"], rtol=1e-13)
    assert (got.step, got.status) == (want.step, want.status)


def _fields(replicate):
    return {name: value for name, value in vars(replicate).items() if not name.startswith("_")}
