"""Stopping, averaging and clipping inside a population: each member for itself."""

import jax
import numpy as np
import pytest

from steepest import EMA, L2, SGD, ClipNorm, Momentum, NoGain, Reached, Recipe, UniformTail, sweep

RNG = np.random.default_rng(21)
Y = np.arange(80) % 2
X = (RNG.normal(size=(80, 12)) + 0.25 * Y[:, None]).astype("f4")
RATES = (1e-4, 3e-3, 0.05, 0.4, 2.0)
EPOCHS = 12


def swept(recipes, epochs=EPOCHS, **more):
    return sweep(recipes, X, Y, replicates=2, epochs=epochs, **more)


def bits(tree):
    return [leaf.tobytes() for leaf in jax.tree.leaves(tree)]


@pytest.fixture(scope="module")
def plain():
    """The same trainings without any rule, for every number of epochs."""
    recipes = [Recipe(method=Momentum(rate=rate)) for rate in RATES]
    return {epochs: swept(recipes, epochs) for epochs in range(1, EPOCHS + 1)}


def first_stop(figures, patience):
    """By hand: epochs trained, and the epoch whose weights are best."""
    best, waited, kept = np.inf, 0, 0
    for epoch, figure in enumerate(figures, 1):
        best, waited, kept = (figure, 0, epoch) if figure < best else (best, waited + 1, kept)
        if waited >= patience:
            return epoch, kept
    return len(figures), kept


@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy", "train_loss"])
def test_no_gain_stops_each_member_alone_and_reports_its_best_weights(plain, monitor):
    patience = (1, 3, 2, 2, 1)
    rules = [NoGain(patience=p, monitor=monitor) for p in patience]
    found = swept([Recipe(method=Momentum(rate=rate), stop=rule) for rate, rule in zip(RATES, rules)])
    ended = set()
    for r in range(2):
        for i in range(len(RATES)):
            figures = plain[EPOCHS].curves[monitor][r, i]
            epochs, kept = first_stop(-figures if monitor.endswith("accuracy") else figures, patience[i])
            ended.add(epochs)
            assert found.epochs[r, i] == epochs
            assert found.status[r, i] == ("finished" if epochs == EPOCHS else "stopped")
            assert found.step[r, i] == epochs * -(-len(found.rows(r).train.rows) // 32)
            np.testing.assert_allclose(found.curves[monitor][r, i, :epochs], figures[:epochs], rtol=1e-5)
            assert np.isnan(found.curves[monitor][r, i, epochs:]).all()
            want = plain[kept].params(r, i)
            np.testing.assert_allclose(found.params(r, i)["W"], want["W"], rtol=1e-4, atol=1e-6)
            assert found.accuracy[r, i] == plain[kept].accuracy[r, i]
    assert len(ended) > 2, "members that end together prove little"


def test_reached_keeps_the_weights_of_the_epoch_that_reached_it(plain):
    targets = (1e-6, 0.5, 0.45, 0.4, 0.3)
    found = swept([Recipe(method=Momentum(rate=rate), stop=Reached(target=t)) for rate, t in zip(RATES, targets)])
    for r in range(2):
        for i, target in enumerate(targets):
            below = np.flatnonzero(plain[EPOCHS].curves["train_loss"][r, i] <= target)
            epochs = below[0] + 1 if len(below) else EPOCHS
            assert found.epochs[r, i] == epochs
            np.testing.assert_allclose(found.params(r, i)["W"], plain[epochs].params(r, i)["W"], rtol=1e-4, atol=1e-6)
    assert len(set(found.epochs[0])) > 2


@pytest.mark.parametrize("rule", [NoGain(patience=1), Reached(target=0.6)], ids=lambda rule: type(rule).__name__)
def test_a_member_that_stops_leaves_its_neighbours_as_they_are(rule):
    on = type(rule)(**({"patience": 99} if isinstance(rule, NoGain) else {"target": -1.0}))  # never stops
    recipes = [Recipe(method=Momentum(rate=rate), stop=on) for rate in RATES]
    mixed = [Recipe(method=Momentum(rate=rate), stop=rule if i % 2 else on) for i, rate in enumerate(RATES)]
    want, got = swept(recipes), swept(mixed)
    for r in range(2):
        assert (got.status[r, 1::2] == "stopped").any()
        for i in (0, 2, 4):
            assert got.status[r, i] == "finished"
            assert bits(got.params(r, i)) == bits(want.params(r, i))
            assert all(got.curves[n][r, i].tobytes() == want.curves[n][r, i].tobytes() for n in got.curves)


def test_a_training_that_diverges_is_not_stopped_and_reports_its_best():
    wild = Recipe(method=SGD(rate=0.5), penalty=_ridge(3e3), stop=NoGain(patience=50), batch_size=None)
    calm = Recipe(method=SGD(rate=0.5), penalty=_ridge(0.0), stop=NoGain(patience=50), batch_size=None)
    found = swept([wild, calm], epochs=40)
    for r in range(2):
        assert list(found.status[r]) == ["diverged", "finished"]
        best = int(np.nanargmin(found.curves["validation_loss"][r, 0])) + 1
        again = sweep([wild, calm], X, Y, replicates=2, epochs=best)
        np.testing.assert_allclose(found.params(r, 0)["W"], again.params(r, 0)["W"], rtol=1e-6)


def _ridge(strength):
    return L2(strength)


@pytest.mark.parametrize("average", [EMA(decay=0.9), UniformTail(start_share=0.5)], ids=lambda a: type(a).__name__)
def test_best_weights_are_the_average_of_their_epoch(average):
    recipe = Recipe(method=Momentum(rate=0.3), average=average)
    if isinstance(average, UniformTail):
        average = UniformTail(start_share=0.0)  # a share of the planned steps: 0 is the same for any number of epochs
        recipe = Recipe(method=Momentum(rate=0.3), average=average)
    stopped = swept(Recipe(method=Momentum(rate=0.3), average=average, stop=NoGain(patience=2)))
    longest = swept(recipe)
    for r in range(2):
        epochs, kept = first_stop(longest.curves["validation_loss"][r, 0], 2)
        assert stopped.epochs[r, 0] == epochs
        want = swept(recipe, epochs=kept).params(r, 0)["W"]
        np.testing.assert_allclose(stopped.params(r, 0)["W"], want, rtol=1e-4, atol=1e-6)


def test_clipping_is_each_members_own():
    limits = (1e-3, 0.1, 1e3)
    found = swept([Recipe(method=SGD(rate=0.5), clip=ClipNorm(limit=limit), batch_size=None) for limit in limits])
    free = swept(Recipe(method=SGD(rate=0.5), batch_size=None))
    start = swept(Recipe(method=SGD(rate=1e-30), batch_size=None), epochs=1).params(0, 0)
    moved = [
        np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(_leaves(found, i), jax.tree.leaves(start)))) for i in range(3)
    ]
    assert moved[0] == pytest.approx(0.5 * 1e-3 * EPOCHS, rel=1e-2)  # twelve steps of the limit, nearly in a line
    assert moved[1] <= 0.5 * 0.1 * EPOCHS
    np.testing.assert_allclose(found.params(0, 2)["W"], free.params(0, 0)["W"], rtol=1e-5)


def _leaves(found, i):
    return jax.tree.leaves(found.params(0, i))
