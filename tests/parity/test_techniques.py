"""Label smoothing against torch's and Keras's cross-entropy, and max-norm against theirs; float64."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch

from steepest.losses.softmax import CrossEntropy
from steepest.techniques.contract import Facts
from steepest.techniques.maxnorm import MaxNorm
from steepest.techniques.smoothing import Smoothing

keras.config.set_floatx("float64")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own, on torch
RNG = np.random.default_rng(0)
CLASSES = 6
SCORES, Y = 3 * RNG.normal(size=(20, CLASSES)), RNG.integers(0, CLASSES, 20)
FACTS = Facts(np.zeros(1), np.ones(1), CLASSES)


def ours(scores, technique):
    loss, y = CrossEntropy(), jnp.asarray(Y)
    return technique.losses(lambda labels: loss.rows(scores, labels), loss.rows(scores, y), FACTS)


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.5, 0.9])
def test_label_smoothing_is_torchs_and_so_is_its_gradient(amount):
    scores = torch.tensor(SCORES, requires_grad=True)
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=amount, reduction="none")(scores, torch.tensor(Y))
    theirs.sum().backward()
    np.testing.assert_allclose(ours(jnp.asarray(SCORES), Smoothing(amount)), theirs.detach().numpy(), rtol=1e-12)
    gradient = jax.grad(lambda s: ours(s, Smoothing(amount)).sum())(jnp.asarray(SCORES))
    np.testing.assert_allclose(gradient, scores.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_goodfellows_amount_is_torchs_times_classes_by_one_less():
    amount = 0.2
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=amount * CLASSES / (CLASSES - 1), reduction="none")
    got = ours(jnp.asarray(SCORES), Smoothing(amount, spread="others"))
    np.testing.assert_allclose(got, theirs(torch.tensor(SCORES), torch.tensor(Y)).numpy(), rtol=1e-12)


def test_label_smoothing_is_kerass():
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.3, reduction=None)
    want = keras.ops.convert_to_numpy(theirs(np.eye(CLASSES)[Y], SCORES))
    np.testing.assert_allclose(ours(jnp.asarray(SCORES), Smoothing(0.3)), want, rtol=1e-6)  # Keras clips at 1e-7


def test_max_norm_is_torchs_renorm_and_kerass_constraint():
    W = RNG.normal(size=(5, 8)) * np.array([0.1, 0.5, 1, 2, 3])[:, None]
    got = np.asarray(MaxNorm(1.5).after({"W": jnp.asarray(W)})["W"])
    renormed = torch.renorm(torch.tensor(W), p=2, dim=0, maxnorm=1.5).numpy()
    np.testing.assert_allclose(got, renormed, rtol=1e-6)  # torch divides by the norm + 1e-7
    keras_way = keras.constraints.MaxNorm(1.5, axis=0)(W.T)  # Keras's kernels are [in, out]
    np.testing.assert_allclose(got, keras.ops.convert_to_numpy(keras_way).T, rtol=1e-6)
    assert (np.linalg.norm(W, axis=1) > 1.5).sum() >= 2
