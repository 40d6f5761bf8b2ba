import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import structure
from steepest.penalties.decay import WeightDecay
from steepest.penalties.general import general
from steepest.penalties.norms import L1, L2, ElasticNet, NoPenalty, SubgradientL1

FAMILY = [NoPenalty(), L1(0.3), L2(0.3), L2(0.3, factor="one"), ElasticNet(0.1, 0.2), ElasticNet(0.1, 0.2, "one")]
PARAMS = {"W": jnp.array([[0.7, -0.1, 0.0], [2.0, -3.0, 1e-3]]), "b": jnp.array([1.0, -1.0])}


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def test_the_family_has_one_structure_with_a_stride():
    assert len({structure(general(penalty, True)) for penalty in FAMILY}) == 1


def test_none_and_l2_have_one_structure_without_a_stride():
    smooth = [p for p in FAMILY if not p.proximal]
    assert len(smooth) == 3
    assert len({structure(general(penalty, False)) for penalty in smooth}) == 1


@pytest.mark.parametrize("penalty", [*FAMILY, SubgradientL1(0.3), L1(0.3, subgradient=True)])
def test_the_general_form_acts_bit_for_bit_alike(penalty):
    same = general(penalty, True)
    assert float(same.value(PARAMS)) == float(penalty.value(PARAMS))
    assert bits(jax.grad(lambda p: jnp.sum(p["W"] ** 2) + same.smooth(p))(PARAMS)) == bits(
        jax.grad(lambda p: jnp.sum(p["W"] ** 2) + penalty.smooth(p))(PARAMS)
    )
    assert bits(same.prox(PARAMS, [0.5, 0.5])) == bits(penalty.prox(PARAMS, [0.5, 0.5]))


@pytest.mark.parametrize("penalty", [L1(0.3), ElasticNet()])
def test_a_proximal_penalty_without_a_stride_is_refused_by_both_names(penalty):
    with pytest.raises(SettingError) as error:
        general(penalty, False, "DeltaBarDelta")
    name = type(penalty).__name__
    assert str(error.value).startswith(
        f"{name}: needs a method with a stride, and DeltaBarDelta has none; use {name}(sub"
    )


def test_without_a_stride_the_subgradient_is_taken_as_it_is():
    assert general(SubgradientL1(0.3), False) == ElasticNet(0.3, 0.0, subgradient=True)


def test_weight_decay_keeps_its_own_structure():
    assert general(WeightDecay(0.3), False) == WeightDecay(0.3)


def test_where_it_acts_is_kept():
    assert general(L1(0.3, on="all"), True).on == general(L2(0.3, on="all"), False).on == "all"
