import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.losses.margin import Hinge
from steepest.losses.sigmoid import OneVsRest, SquaredSigmoid
from steepest.losses.softmax import CrossEntropy
from steepest.losses.squared import Squared


def test_number_of_scores_for_each_number_of_classes():
    assert [CrossEntropy().outputs(c) for c in (2, 3, 10)] == [2, 3, 10]
    assert [Hinge().outputs(c) for c in (2, 3)] == [2, 3]
    assert [OneVsRest().outputs(c) for c in (2, 3)] == [1, 3]
    assert [SquaredSigmoid().outputs(c) for c in (2, 3)] == [1, 3]
    assert Squared().outputs(1) == 1
    assert Squared.regression
    assert not CrossEntropy.regression


def test_labels_of_one_score_and_of_many():
    assert OneVsRest().labels(jnp.array([[-1.0], [0.0], [0.1]])).tolist() == [0, 0, 1]
    assert SquaredSigmoid().labels(jnp.array([[0.1, 0.3, 0.2]])).tolist() == [1]
    assert CrossEntropy().labels(jnp.array([[1.0, 1.0], [0.0, 2.0]])).tolist() == [0, 1]
    assert Squared().labels(jnp.array([[1.5], [-2.0]])).tolist() == [1.5, -2.0]


def test_probabilities_of_far_scores_are_finite_and_sum_to_one():
    far = jnp.array([[-1e4, -1e4, -1e4], [1e4, 1e4, -1e4], [-500.0, -501.0, -1e4]])
    for loss in (CrossEntropy(), OneVsRest(), SquaredSigmoid()):
        p = np.asarray(loss.probabilities(far))
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(p[0], [1 / 3] * 3, rtol=1e-6)
        np.testing.assert_allclose(p[2, 1] / p[2, 0], np.exp(-1), rtol=1e-5)


def test_one_vs_rest_probabilities_are_sigmoids_divided_by_their_sum():
    scores = jnp.array([[0.3, -1.2, 2.0]])
    sigmoid = 1 / (1 + np.exp(-np.array([0.3, -1.2, 2.0])))
    np.testing.assert_allclose(OneVsRest().probabilities(scores)[0], sigmoid / sigmoid.sum(), rtol=1e-6)
    np.testing.assert_allclose(OneVsRest().probabilities(scores[:, :1])[0], [1 - sigmoid[0], sigmoid[0]], rtol=1e-6)


def test_hinge_and_squared_give_no_probabilities():
    for loss in (Hinge(), Squared()):
        assert not loss.probabilistic
        with pytest.raises(SettingError, match=f"{type(loss).__name__}: gives scores, not probabilities; train with"):
            loss.probabilities(jnp.zeros((1, 2)))


def test_a_single_class_is_refused():
    for loss in (CrossEntropy(), OneVsRest(), SquaredSigmoid(), Hinge()):
        with pytest.raises(SettingError, match=f"{type(loss).__name__}: 1 class; a classifier needs at least 2"):
            loss.outputs(1)


def test_source_a_worked_losses():
    # A 9.6/9.11's kinds by hand: hinge max(0, 2.5−3+1) + max(0, −1−3+1); cross-entropy −log softmax
    scores, y = jnp.array([[3.0, 2.5, -1.0]]), jnp.array([0])
    assert float(Hinge().rows(scores, y)[0]) == pytest.approx(0.5)
    assert float(Hinge(margin=5.0).rows(scores, y)[0]) == pytest.approx(4.5 + 1.0)
    want = -np.log(np.exp(3) / (np.exp(3) + np.exp(2.5) + np.exp(-1)))
    assert float(CrossEntropy().rows(scores, y)[0]) == pytest.approx(want, rel=1e-6)


def test_hinge_takes_the_subgradient_zero_at_its_kink():
    at_kink = jnp.array([[2.0, 1.0, -5.0]])  # s₁ − s₀ + 1 = 0
    assert not jax.grad(lambda s: Hinge().rows(s, jnp.array([0])).sum())(at_kink).any()


def test_half_is_half():
    scores, y = jnp.array([[0.7], [-1.0]]), jnp.array([1, 1])
    for cls in (Squared, SquaredSigmoid):
        np.testing.assert_allclose(cls(half=False).rows(scores, y), 2 * cls(half=True).rows(scores, y), rtol=1e-7)


def test_nan_scores_give_nan():
    for loss, width in ((CrossEntropy(), 3), (OneVsRest(), 1), (SquaredSigmoid(), 3), (Hinge(), 3), (Squared(), 1)):
        scores = jnp.zeros((2, width)).at[1, 0].set(jnp.nan)
        rows = np.asarray(loss.rows(scores, jnp.array([0, 0])))
        assert np.isfinite(rows[0])
        assert np.isnan(rows[1])
