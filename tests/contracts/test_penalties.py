"""What every penalty must hold, whichever the registry has."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.spec import hyperparameters, search_space
from steepest.core.stack import stack
from steepest.penalties import PENALTIES

rng = np.random.default_rng(5)
PARAMS = {"W": jnp.asarray(rng.normal(size=(3, 4)), jnp.float32), "b": jnp.asarray(rng.normal(size=3), jnp.float32)}
STRIDES = [jnp.asarray(rng.uniform(0.1, 2.0, size=(3, 4)), jnp.float32), jnp.float32(0.7)]
pytestmark = pytest.mark.parametrize("name", PENALTIES.names())


def everything(penalty, params):
    return {
        "value": penalty.value(params),
        "gradient": jax.grad(lambda p: jnp.sum(p["W"]) + penalty.smooth(p))(params),
        "prox": penalty.prox(params, STRIDES),
        "shrink": penalty.shrink(params, 0.1),
    }


def strong(name, factor=1.0):
    made = PENALTIES[name]()
    return type(made)(**dict.fromkeys(hyperparameters(made), 0.3 * factor))


def test_the_default_is_inside_its_search_space(name):
    made = PENALTIES[name]()
    for field, space in search_space(made).items():
        assert space.low < getattr(made, field) < space.high


def test_a_member_among_others_is_as_alone(name):
    members = [strong(name, factor) for factor in (1.0, 0.0, 2.5)]
    together = jax.vmap(everything, in_axes=(0, None), axis_size=3)(stack(members), PARAMS)
    for i, member in enumerate(members):
        alone = everything(member, PARAMS)
        jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[i], b, rtol=2e-6), together, alone)


def test_value_is_smooth_plus_what_the_prox_minimises(name):
    penalty = strong(name)
    hidden = 0.3 * float(jnp.abs(PARAMS["W"]).sum()) if penalty.proximal else 0.0
    assert float(penalty.value(PARAMS)) == pytest.approx(float(penalty.smooth(PARAMS)) + hidden, rel=1e-6)


def test_the_prox_minimises_its_objective(name):
    penalty = strong(name)

    def objective(w):
        rest = penalty.value({**PARAMS, "W": w}) - penalty.smooth({**PARAMS, "W": w})
        return float(jnp.sum((w - PARAMS["W"]) ** 2 / (2 * STRIDES[0])) + rest)

    best = penalty.prox(PARAMS, STRIDES)["W"]
    lowest = objective(best)
    for scale in (1.0, 1e-1, 1e-2):
        for _ in range(20):
            assert objective(best + scale * jnp.asarray(rng.normal(size=best.shape), jnp.float32)) > lowest - 1e-6
    assert bool(jnp.any(best != PARAMS["W"])) == penalty.proximal


def test_biases_are_spared(name):
    done = everything(strong(name), PARAMS)
    for part in ("prox", "shrink"):
        np.testing.assert_array_equal(done[part]["b"], PARAMS["b"])
    assert not done["gradient"]["b"].any()


def test_nan_stays_in_its_own_weight(name):
    broken = {**PARAMS, "W": PARAMS["W"].at[1, 2].set(jnp.nan)}
    for new in (strong(name).prox(broken, STRIDES), strong(name).shrink(broken, 0.1)):
        assert np.isnan(new["W"][1, 2])
        assert np.isnan(np.asarray(new["W"])).sum() == 1


@pytest.mark.parametrize("bad", [-1e-9, float("nan"), float("inf")])
def test_strengths_out_of_range_are_refused_by_name(name, bad):
    cls = PENALTIES[name]
    for field in hyperparameters(cls):
        with pytest.raises(SettingError, match=rf"{cls.__name__}\.{field} = .* at least 0"):
            cls(**{field: bad})


def test_the_trip_through_leaves_keeps_it(name):
    penalty = strong(name)
    leaves, treedef = jax.tree.flatten(penalty)
    again = jax.tree.unflatten(treedef, leaves)
    assert again == penalty
    assert len(leaves) == len(hyperparameters(penalty))
    assert [f.name for f in dataclasses.fields(again)] == [f.name for f in dataclasses.fields(penalty)]


def test_it_says_what_it_is(name):
    assert PENALTIES[name].equation
    assert PENALTIES.name_of(PENALTIES[name]()) == name
