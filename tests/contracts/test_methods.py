"""What every method and schedule of the registries must keep, in float32, as a population trains them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.spec import hyperparameters, search_space
from steepest.core.stack import member, stack
from steepest.methods import AVERAGES, CLIPS, METHODS
from steepest.methods.contract import Method
from steepest.methods.optax_bridge import Optax
from steepest.schedules import SCHEDULES
from steepest.schedules.contract import Moment

NAMES = [name for name in METHODS if name != "coordinate"]  # a solver, not a method
RNG = np.random.default_rng(0)
PARAMS = {"W": RNG.normal(size=(3, 4)).astype("f4"), "b": RNG.normal(size=3).astype("f4")}
GRADS = {"W": RNG.normal(size=(12, 3, 4)).astype("f4"), "b": RNG.normal(size=(12, 3)).astype("f4")}
MEMBERS = 5


def draws(cls, size=MEMBERS):
    """Members of a population: the defaults, then settings from the declared search space."""
    rng = np.random.default_rng(1)
    spaces = search_space(cls)
    return [cls()] + [cls(**{n: s.at(rng.random()) for n, s in spaces.items()}) for _ in range(size - 1)]


def train(method, grads):
    """Weights and memory after the steps, and every weight on the way."""

    def step(carry, now):
        params, memory = carry
        g, t = now
        point = method.look(params, memory)
        pulled = jax.tree.map(lambda a, b: a + 0.1 * b, g, point)  # so that it matters where the gradient is taken
        params, memory = method.step(pulled, memory, params, t)
        memory = method.settle(memory, jax.tree.map(lambda p: 0.01 * p, params))
        return (params, memory), params

    params = jax.tree.map(jnp.asarray, PARAMS)
    return jax.lax.scan(step, (params, method.start(params)), (grads, jnp.arange(1, 13)))


together = jax.jit(jax.vmap(train, in_axes=(0, None)))
each_own = jax.jit(jax.vmap(train))


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def close(a, b):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=2e-5, atol=1e-6), a, b)


ANY = [*NAMES, "optax"]


def population(name):
    if name == "optax":
        return [Optax("adan", learning_rate=0.1 / i, b1=0.9 + 0.02 * i) for i in range(1, MEMBERS + 1)]
    return draws(METHODS[name])


@pytest.mark.parametrize("name", ANY)
def test_a_member_trains_as_it_does_alone(name):
    members = population(name)
    got = together(stack(members), GRADS)
    for i in (0, MEMBERS - 1):
        close(member(got, i), train(members[i], GRADS))


@pytest.mark.parametrize("name", ANY)
def test_permuting_members_permutes_results_bit_for_bit(name):
    members, order = population(name), [3, 0, 4, 1, 2]
    got = together(stack(members), GRADS)
    permuted = together(stack([members[i] for i in order]), GRADS)
    for place, i in enumerate(order):
        assert bits(member(permuted, place)) == bits(member(got, i))


@pytest.mark.parametrize("name", ANY)
def test_nan_in_one_member_changes_no_other_bit(name):
    members = stack(population(name))
    grads = jax.tree.map(lambda g: np.repeat(g[None], MEMBERS, axis=0), GRADS)
    want = each_own(members, grads)
    grads["W"][2, 4, 1, 1] = np.nan
    got = each_own(members, grads)
    for i in range(MEMBERS):
        if i != 2:
            assert bits(member(got, i)) == bits(member(want, i))
    assert np.isnan(np.asarray(member(got, 2)[1]["W"])[4:, 1, 1]).all()


@pytest.mark.parametrize("name", ANY)
def test_state_survives_a_round_trip_and_keeps_its_types(name):
    method = population(name)[1]
    (params, memory), _ = train(method, GRADS)
    leaves, treedef = jax.tree.flatten(memory)
    again = jax.tree.unflatten(treedef, [jnp.asarray(np.asarray(leaf)) for leaf in leaves])
    g = jax.tree.map(lambda g: g[0], GRADS)
    assert bits(method.step(g, memory, params, 13)) == bits(method.step(g, again, params, 13))
    first = method.start(params)
    assert jax.tree.structure(first) == treedef
    assert [(x.shape, x.dtype) for x in jax.tree.leaves(first)] == [(x.shape, x.dtype) for x in leaves]
    assert all(x.dtype == jnp.float32 for x in jax.tree.leaves(params))


@pytest.mark.parametrize("name", NAMES)
def test_changing_a_hyperparameter_compiles_nothing(name):
    traced = []

    @jax.jit
    def once(method):
        traced.append(1)
        return method.step(PARAMS, method.start(PARAMS), PARAMS, 1)[0]

    for method in draws(METHODS[name]):
        once(method)
    assert len(traced) == 1


BAD = (float("nan"), float("inf"), -1.0)


def owners():
    for registry in (METHODS, SCHEDULES, AVERAGES, CLIPS):
        for name in registry:
            if name != "coordinate":
                for field in hyperparameters(registry[name]):
                    yield pytest.param(registry[name], field, id=f"{name}.{field}")


OWNERS = list(owners())


@pytest.mark.parametrize(("cls", "field"), OWNERS)
def test_out_of_range_is_refused_by_name(cls, field):
    for value in BAD:
        with pytest.raises(ValueError, match=rf"{cls.__name__}\.{field} = .*; it must be"):
            cls(**{field: value})


@pytest.mark.parametrize(("cls", "field"), OWNERS)
def test_the_search_space_lies_in_the_domain(cls, field):
    declared = hyperparameters(cls)[field].metadata
    assert declared["domain"].__contains__(hyperparameters(cls)[field].default)
    if declared["space"]:
        assert declared["space"].low in declared["domain"]
        assert declared["space"].high in declared["domain"]
        assert 0.0 <= declared["space"].position(hyperparameters(cls)[field].default) <= 1.0


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name):
    cls = METHODS[name]
    assert issubclass(cls, Method)
    assert "←" in cls.equation
    assert "\n" not in cls.equation
    assert cls.paper
    assert set(cls.contains) <= set(NAMES) - {name}
    assert "rate" in search_space(cls)
    assert METHODS.name_of(cls()) == name
    assert repr(cls()) == f"{cls.__name__}()"


@pytest.mark.parametrize("name", NAMES)
def test_a_method_without_a_stride_says_so(name):
    method = METHODS[name]()
    memory = method.start(PARAMS)
    if method.has_stride:
        strides = method.stride(memory, 1)
        assert len(strides) == 2
        for stride, p in zip(strides, jax.tree.leaves(PARAMS)):
            assert np.broadcast_shapes(np.shape(stride), p.shape) == p.shape
    else:
        with pytest.raises(ValueError, match=f"{type(method).__name__} has no stride"):
            method.stride(memory, 1)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_a_schedule_acts_on_each_member_alone(name):
    schedule, momentum = SCHEDULES[name](), METHODS["momentum"]
    members = draws(momentum)

    def play(method, schedule):
        def step(memory, t):
            moment = Moment(t, (t - 1) // 10, 40, 10)
            now = schedule.apply(method, moment, memory)
            return schedule.observe(memory, 1.0 / t), (now.rate, now.momentum)

        return jax.lax.scan(step, schedule.start(), jnp.arange(1, 41))[1]

    schedules = stack([schedule] * MEMBERS)
    got = jax.jit(jax.vmap(play))(stack(members), schedules)
    for i in range(MEMBERS):
        close(member(got, i), play(members[i], schedule))
    assert np.isfinite(np.asarray(got)).all()
    assert (np.asarray(got[0]) > 0).all()


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_a_schedule_says_what_it_is(name):
    cls = SCHEDULES[name]
    assert cls.equation
    assert cls.__doc__
    assert dataclasses.is_dataclass(cls)
    assert SCHEDULES.name_of(cls()) == name
