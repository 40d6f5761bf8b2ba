import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from sklearn.metrics import hinge_loss, log_loss
from tests.reference import losses as hand

from steepest.losses.margin import Hinge
from steepest.losses.sigmoid import OneVsRest, SquaredSigmoid
from steepest.losses.softmax import CrossEntropy
from steepest.losses.squared import Squared

CASES = [  # loss, reference, number of scores
    (CrossEntropy(), hand.cross_entropy, 2),
    (CrossEntropy(), hand.cross_entropy, 5),
    (OneVsRest(), hand.one_vs_rest, 1),
    (OneVsRest(), hand.one_vs_rest, 4),
    (SquaredSigmoid(half=False), hand.squared_sigmoid, 1),
    (SquaredSigmoid(half=False), hand.squared_sigmoid, 3),
    (Hinge(), hand.hinge, 2),
    (Hinge(), hand.hinge, 5),
    (Squared(half=False), hand.squared, 1),
]
each = pytest.mark.parametrize(("loss", "reference", "width"), CASES)


def some(width, scale, rows=30):
    rng = np.random.default_rng(width)
    return scale * rng.normal(size=(rows, width)), rng.integers(0, max(width, 2), size=rows)


@each
@pytest.mark.parametrize("scale", [1e-6, 1.0, 30.0, 1e4])
def test_rows_are_the_textbooks(loss, reference, width, scale):
    scores, y = some(width, scale)
    np.testing.assert_allclose(
        loss.rows(jnp.asarray(scores), jnp.asarray(y)), reference(scores, y), rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize(("loss", "width"), [(loss, width) for loss, _, width in CASES])
def test_gradients_pass_gradcheck(loss, width):
    # truth 15; first and second derivative, forwards and backwards
    scores, y = some(width, 2.0, rows=8)
    check_grads(lambda s: loss.rows(s, jnp.asarray(y)), (jnp.asarray(scores),), order=2, atol=1e-6, rtol=1e-6)


@each
@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_gradients_of_far_scores_are_their_limits(loss, reference, width, far):
    y = jnp.asarray([0, 1])
    scores = np.zeros((2, width))
    scores[:, 0] = far
    up, down = scores + 0.5 * np.eye(1, width), scores - 0.5 * np.eye(1, width)
    # so far out every loss is a straight line or flat (squared error, a parabola, has exact central differences)
    want = np.array(reference(up, y)) - np.array(reference(down, y))
    got = jax.grad(lambda s: loss.rows(s, y).sum())(jnp.asarray(scores))
    np.testing.assert_allclose(got[:, 0], want, rtol=1e-9, atol=1e-9)


def test_against_scikit_learn():
    rng = np.random.default_rng(0)
    scores, y = rng.normal(size=(50, 4)), rng.integers(0, 4, size=50)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert float(CrossEntropy().rows(scores, y).mean()) == pytest.approx(log_loss(y, p), rel=1e-12)
    binary = (y > 1).astype(int)
    own = OneVsRest().rows(scores[:, :1], binary).mean()
    assert float(own) == pytest.approx(log_loss(binary, 1 / (1 + np.exp(-scores[:, 0]))), rel=1e-12)
    # scikit-learn's is the binary hinge on one score s; two scores (0, s) have the same margin
    two = np.stack([np.zeros(50), scores[:, 0]], axis=1)
    assert float(Hinge().rows(two, binary).mean()) == pytest.approx(hinge_loss(binary, scores[:, 0]), rel=1e-12)
