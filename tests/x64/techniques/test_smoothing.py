"""Label smoothing in float64 against the softened targets written out, and against noise on labels in expectation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from steepest.losses import LOSSES
from steepest.techniques.contract import Facts
from steepest.techniques.noise import LabelNoise
from steepest.techniques.smoothing import Smoothing

RNG = np.random.default_rng(0)
CLASSES = 5
SCORES, Y = 3 * RNG.normal(size=(7, CLASSES)), RNG.integers(0, CLASSES, 7)
FACTS = Facts(np.zeros(1), np.ones(1), CLASSES)


def smoothed(technique, scores, y, loss=None):
    loss = loss or LOSSES["cross-entropy"]()
    return technique.losses(lambda labels: loss.rows(scores, labels), loss.rows(scores, y), FACTS)


def softened(amount, spread):
    """Targets [rows, classes], row by row."""
    targets = np.zeros((len(Y), CLASSES))
    for i, y in enumerate(Y):
        for c in range(CLASSES):
            if spread == "all":
                targets[i, c] = amount / CLASSES + (1 - amount if c == y else 0)
            else:
                targets[i, c] = 1 - amount if c == y else amount / (CLASSES - 1)
    np.testing.assert_allclose(targets.sum(axis=1), 1)
    return targets


@pytest.mark.parametrize("spread", ["all", "others"])
@pytest.mark.parametrize("amount", [0.0, 0.1, 0.6])
def test_it_is_the_cross_entropy_with_softened_targets(amount, spread):
    want = -np.sum(softened(amount, spread) * log_softmax(SCORES, axis=1), axis=1)
    got = smoothed(Smoothing(amount, spread=spread), jnp.asarray(SCORES), jnp.asarray(Y))
    np.testing.assert_allclose(got, want, rtol=1e-13)


def test_the_two_conventions_differ_by_a_factor():
    """ε_T = ε_G·C/(C−1)."""
    goodfellow = smoothed(Smoothing(0.2, spread="others"), jnp.asarray(SCORES), jnp.asarray(Y))
    torch = smoothed(Smoothing(0.2 * CLASSES / (CLASSES - 1)), jnp.asarray(SCORES), jnp.asarray(Y))
    np.testing.assert_allclose(goodfellow, torch, rtol=1e-13)


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("squared", "multi-task")])
@pytest.mark.parametrize("spread", ["all", "others"])
def test_it_mixes_the_losses_at_each_class_whichever_the_loss(name, spread):
    loss = LOSSES[name]()
    want = [
        sum(t * loss.rows(jnp.asarray(SCORES[i : i + 1]), jnp.array([c]))[0] for c, t in enumerate(targets))
        for i, targets in enumerate(softened(0.3, spread))
    ]
    got = smoothed(Smoothing(0.3, spread=spread), jnp.asarray(SCORES), jnp.asarray(Y), loss)
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_a_sigmoid_of_two_classes_has_softened_targets_too():
    """One score: ℓ = −t·log σ(s) − (1−t)·log σ(−s), t = 1 − a/2 or a/2."""
    s, y, a = RNG.normal(size=6), np.array([0, 1, 1, 0, 1, 0]), 0.3
    t = np.where(y == 1, 1 - a / 2, a / 2)
    loss = LOSSES["one-vs-rest"]()
    scores = jnp.asarray(s)[:, None]
    rows = loss.rows(scores, jnp.asarray(y))
    got = Smoothing(a).losses(lambda labels: loss.rows(scores, labels), rows, Facts(np.zeros(1), np.ones(1), 2))
    np.testing.assert_allclose(got, t * np.log1p(np.exp(-s)) + (1 - t) * np.log1p(np.exp(s)), rtol=1e-12)


@pytest.mark.parametrize("spread", ["all", "others"])
def test_its_gradient_is_the_softmax_less_the_softened_targets(spread):
    technique = Smoothing(0.3, spread=spread)
    gradient = jax.grad(lambda s: smoothed(technique, s, jnp.asarray(Y)).sum())(jnp.asarray(SCORES))
    np.testing.assert_allclose(gradient, softmax(SCORES, axis=1) - softened(0.3, spread), rtol=1e-11, atol=1e-14)


def test_noise_on_labels_is_smoothing_among_the_others_in_expectation():
    rate, draws, loss, scores = 0.35, 20_000, LOSSES["cross-entropy"](), jnp.asarray(SCORES)

    def one(key):
        return loss.rows(scores, LabelNoise(rate).rows(scores, jnp.asarray(Y), key, FACTS)[1])

    seen = np.asarray(jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(1), draws)))
    want = np.asarray(smoothed(Smoothing(rate, spread="others"), scores, jnp.asarray(Y)))
    error = seen.std(axis=0, ddof=1) / np.sqrt(draws)
    assert (np.abs(seen.mean(axis=0) - want) < 4 * error).all()
    assert (np.abs(np.asarray(loss.rows(scores, jnp.asarray(Y))) - want) > 20 * error).any()
