"""Truth 15: what techniques add to a row's loss passes gradcheck; FGSM's step in float64, to the last digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from steepest.inits.scaled import Xavier
from steepest.losses.softmax import CrossEntropy
from steepest.models.mlp import MLP
from steepest.models.passes import Predict
from steepest.study.manifold import ContractiveAutoencoder
from steepest.techniques.adversarial import Adversarial, attacked, fgsm
from steepest.techniques.contract import Facts, View
from steepest.techniques.learnt import LearntTangents, learnt
from steepest.techniques.sparse import Sparse
from steepest.techniques.tangent import TangentProp

MODEL = MLP(widths=(7, 5), activation="sigmoid")
PARAMS = MODEL.init(jax.random.key(0), (5, 5), 3, Xavier(), "float64")
X = jax.random.normal(jax.random.key(1), (6, 5, 5), "float64")
Y = jnp.array([0, 1, 2, 0, 1, 2])
WEIGHT = jnp.array([1.0, 2.0, 0.5, 1.0, 1.0, 0.0])
RNG = np.random.default_rng(0)
FACTS = Facts(jnp.full((5, 5), -9.0), jnp.full((5, 5), 9.0), 3, RNG.random((5, 5)), 0.5 + RNG.random((5, 5)))
ENCODER = {"W": RNG.normal(size=(9, 25)) / 3, "b": RNG.normal(size=9)}


class Kept(Predict):
    def __init__(self):
        self.seen = []

    def hidden(self, h):
        self.seen.append(h)
        return h


def view(params):
    def losses(X):
        return CrossEntropy().rows(MODEL.apply(params, X), Y)

    kept = Kept()
    MODEL.apply(params, X, kept)
    return View(
        X, Y, WEIGHT, lambda X: MODEL.apply(params, X), losses, losses(X), tuple(kept.seen), jax.random.key(2), FACTS
    )


@pytest.mark.parametrize(
    "technique",
    [
        Sparse(0.7),
        Sparse(0.7, target=0.2, kind="kl"),
        Sparse(0.7, target=0.2, kind="poisson"),
        TangentProp(0.3, along="all"),
        LearntTangents(encoder=ENCODER, strength=0.3, count=3),
    ],
    ids=["l1", "kl", "poisson", "tangent-prop", "learnt"],
)
def test_gradcheck(technique):
    check_grads(lambda p: jnp.sum(WEIGHT * technique.extra(view(p))), (PARAMS,), order=1, modes=["rev"], eps=1e-5)


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_gradcheck_of_adversarial_training_with_its_rows_held(kind):
    """x̃ is a constant to the gradient, though it is made from the weights: Danskin's theorem."""
    technique = Adversarial(0.2, share=0.3, kind=kind)
    seen = view(PARAMS)
    held = attacked(technique, seen.losses, X, FACTS.low, FACTS.high, seen.key)

    def with_held(params):
        now = view(params)
        return jnp.sum(WEIGHT * 0.7 * (now.losses(held) - now.now))

    got = jax.grad(lambda p: jnp.sum(WEIGHT * technique.extra(view(p))))(PARAMS)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), got, jax.grad(with_held)(PARAMS))
    check_grads(with_held, (PARAMS,), order=1, modes=["rev"], eps=1e-5)


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_truth_15_fgsm(norm):
    change = np.asarray(fgsm(view(PARAMS).losses, X, 0.1, norm, -99.0, 99.0) - X).reshape(6, -1)
    found = np.abs(change).max(1) if norm == "inf" else np.linalg.norm(change, axis=1)
    np.testing.assert_allclose(found, 0.1, rtol=1e-13)


@pytest.mark.parametrize("hidden", [9, 40])
def test_learnt_tangents_are_the_singular_vectors_of_the_encoder(hidden):
    """By NumPy's svd of each row's Jacobian, with fewer hidden units than features and with more."""
    encoder = {"W": RNG.normal(size=(hidden, 25)) / 3, "b": RNG.normal(size=hidden)}
    rows = np.asarray(X).reshape(6, 25)
    found = np.asarray(learnt({k: jnp.asarray(v) for k, v in encoder.items()}, jnp.asarray(rows), 4))
    for row, ways in zip(rows, found):
        h = 1 / (1 + np.exp(-(encoder["W"] @ row + encoder["b"])))
        want = np.linalg.svd((h * (1 - h))[:, None] * encoder["W"])[2][:4]
        np.testing.assert_allclose(np.abs(np.sum(ways * want, axis=1)), 1, rtol=1e-9)


def test_the_autoencoders_cost_is_its_equation_and_passes_gradcheck():
    model = ContractiveAutoencoder(hidden=4, contraction=0.3)
    params = model.init(jax.random.key(3), (5, 5), 1, Xavier(), "float64")
    flat = X.reshape(6, 25)

    def code(x):
        return model.code(params, x[None])[0]

    J = jax.vmap(jax.jacfwd(code))(flat)
    rebuilt = model.code(params, flat) @ params["code"]["W"] + params["rebuilt"]["b"]
    want = 0.5 * jnp.sum((rebuilt - flat) ** 2, 1) + 0.3 * jnp.sum(J * J, (1, 2))
    np.testing.assert_allclose(model.apply(params, X)[:, 0], want, rtol=1e-12)
    check_grads(lambda p: jnp.sum(model.apply(p, X)), (params,), order=2, modes=["rev"])
