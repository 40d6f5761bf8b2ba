import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.penalties.decay import WeightDecay
from steepest.penalties.norms import L1, L2, ElasticNet, NoPenalty, SubgradientL1, soft_threshold

PARAMS = {
    "layer1": {"W": jnp.array([[1.0, -2.0], [0.5, 0.0]]), "b": jnp.array([3.0, -4.0])},
    "output": {"W": jnp.array([[2.0, 1.0]])},
}


def test_values_count_weights_and_spare_biases():
    assert float(L1(0.1).value(PARAMS)) == pytest.approx(0.1 * 6.5)
    assert float(L2(0.1).value(PARAMS)) == pytest.approx(0.05 * 10.25)
    assert float(L2(0.1, factor="one").value(PARAMS)) == pytest.approx(0.1 * 10.25)
    assert float(ElasticNet(l1=0.1, l2=0.2).value(PARAMS)) == pytest.approx(0.65 + 1.025)
    assert float(NoPenalty().value(PARAMS)) == 0.0


def test_on_all_takes_the_biases_too():
    assert float(L1(0.1, on="all").value(PARAMS)) == pytest.approx(0.1 * 13.5)
    assert float(L2(0.1, on="all").value(PARAMS)) == pytest.approx(0.05 * 35.25)
    shrunk = L1(1.0, on="all").prox(PARAMS, [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(shrunk["layer1"]["b"], [2.5, -3.5])


def test_source_a_elastic_net_by_its_settings():
    strength, beta = 0.3, 2.0  # A 9.16: strength·(βΣW² + Σ|W|)
    want = strength * (beta * 10.25 + 6.5)
    assert float(ElasticNet(strength, strength * beta, factor="one").value(PARAMS)) == pytest.approx(want)
    assert float(ElasticNet(strength, 2 * strength * beta).value(PARAMS)) == pytest.approx(want)


def test_l2_gradient_is_strength_times_weight():
    gradient = jax.grad(L2(0.25).smooth)(PARAMS)
    np.testing.assert_array_equal(gradient["layer1"]["W"], 0.25 * PARAMS["layer1"]["W"])
    np.testing.assert_array_equal(gradient["layer1"]["b"], [0.0, 0.0])


def test_subgradient_is_the_sign_and_zero_at_zero():
    for penalty in (L1(0.25, subgradient=True), SubgradientL1(0.25), ElasticNet(0.25, 0.0, subgradient=True)):
        gradient = jax.grad(penalty.smooth)(PARAMS)
        np.testing.assert_array_equal(gradient["layer1"]["W"], [[0.25, -0.25], [0.25, 0.0]])
        assert not penalty.proximal


def test_proximal_l1_is_not_counted_in_the_gradient():
    for penalty in (L1(0.25), ElasticNet(0.25, 0.0)):
        assert penalty.proximal
        assert all(not leaf.any() for leaf in jax.tree.leaves(jax.grad(penalty.smooth)(PARAMS)))


def test_prox_soft_thresholds_each_array_by_its_own_stride():
    per_weight = jnp.array([[1.0, 2.0], [10.0, 1.0]])
    new = L1(0.5).prox(PARAMS, [per_weight, 1.0, 4.0])
    np.testing.assert_array_equal(new["layer1"]["W"], [[0.5, -1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(new["layer1"]["b"], PARAMS["layer1"]["b"])
    np.testing.assert_array_equal(new["output"]["W"], [[0.0, 0.0]])


def test_prox_of_strength_zero_changes_no_bit_even_with_an_infinite_stride():
    w = jnp.array([1e-40, -0.0, 3.4e38, -1e-8, jnp.inf], jnp.float32)
    for strides in ([1.0], [jnp.inf], [jnp.full(5, 1e30)]):
        new = ElasticNet(0.0, 0.1).prox({"W": w}, strides)["W"]
        np.testing.assert_array_equal(np.asarray(new).view(np.uint32), np.asarray(w).view(np.uint32))


def test_nan_passes_through():
    new = soft_threshold(jnp.array([jnp.nan, 1.0]), jnp.array(0.5))
    assert np.isnan(new[0])
    assert new[1] == 0.5
    assert np.isnan(L1(0.1).prox({"W": jnp.array([1.0])}, [jnp.nan])["W"]).all()


def test_strength_zero_stays_zero_where_the_square_overflows():
    huge = {"W": jnp.full(3, 1e30, jnp.float32)}
    assert float(L2(0.0).value(huge)) == 0.0
    assert not jax.grad(L2(0.0).smooth)(huge)["W"].any()


def test_weight_decay_shrinks_by_rate_times_strength_and_is_no_term_of_the_objective():
    penalty = WeightDecay(0.1)
    new = penalty.shrink(PARAMS, 0.5)
    np.testing.assert_allclose(new["layer1"]["W"], 0.95 * PARAMS["layer1"]["W"], rtol=1e-7)
    np.testing.assert_array_equal(new["layer1"]["b"], PARAMS["layer1"]["b"])
    assert float(penalty.value(PARAMS)) == float(penalty.smooth(PARAMS)) == 0.0
    assert L2(0.1).shrink(PARAMS, 0.5) is PARAMS


def test_weight_decay_is_l2_with_plain_gradient_steps():
    # D: W ← (1 − εα)W − ε∇
    gradient, rate = jnp.array([[0.3, -0.1], [0.2, 0.7]]), 0.1
    w = PARAMS["layer1"]["W"]
    decoupled = WeightDecay(0.4).shrink({"W": w}, rate)["W"] - rate * gradient
    through_gradient = w - rate * (gradient + jax.grad(L2(0.4).smooth)({"W": w})["W"])
    np.testing.assert_allclose(decoupled, through_gradient, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L1(-1.0), "L1.strength = -1; it must be a finite number of at least 0"),
        (lambda: L2(float("nan")), "L2.strength = nan"),
        (lambda: ElasticNet(l2=float("inf")), "ElasticNet.l2 = inf"),
        (lambda: L2(factor="third"), "unknown L2.factor 'third'; known: half, one"),
        (lambda: ElasticNet(factor="two"), "unknown ElasticNet.factor 'two'; known: half, one"),
        (lambda: L1(on="biases"), "unknown L1.on 'biases'; known: weights, all"),
        (lambda: WeightDecay(on="W"), "unknown WeightDecay.on 'W'; known: weights, all"),
        (lambda: SubgradientL1(subgradient=False), "use L1 for the proximal form"),
    ],
)
def test_bad_settings_are_refused_by_name(make, message):
    with pytest.raises(SettingError) as error:
        make()
    assert message in str(error.value)
