"""What every technique of the registry must keep, on small images and an MLP; each is picked up by its name alone.

All members that a test needs train in one population, so that each technique is compiled once.
"""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.spec import hyperparameters, search_space
from steepest.inits.scaled import He
from steepest.methods.sgd import SGD
from steepest.models.mlp import MLP
from steepest.study.sweep import sweep
from steepest.techniques import TECHNIQUES
from steepest.techniques.contract import Facts, Technique
from steepest.train.objective import objective
from steepest.train.recipe import Recipe
from steepest.train.recipe_json import recipe_from_json, recipe_to_json
from steepest.train.state import Rows

STEPS = [name for name in TECHNIQUES if issubclass(TECHNIQUES[name], Technique)]  # early stopping is a stopping rule
ALL = [name for name in STEPS if not TECHNIQUES[name].needs_tasks]  # multi-task is a loss
NAMES = [name for name in ALL if search_space(TECHNIQUES[name])]  # bagging acts between steps, and has no strength
DRAWN = [name for name in NAMES if "noise" in name or "dropout" in name or name == "augment"]
CLASSES, SIDE, RANDOM = 3, 6, 4
HOW = {"model": MLP(widths=(12,)), "batch_size": 9}


@functools.cache
def rows():
    """101 images for 60-odd training rows, which batches of 9 do not divide."""
    rng = np.random.default_rng(3)
    y = np.arange(101) % CLASSES
    means = rng.random((CLASSES, SIDE, SIDE))
    return np.clip(means[y] + 0.3 * rng.normal(size=(101, SIDE, SIDE)), 0, 1).astype("f4"), y


def settings(cls):
    """Evenly from the lower half of the declared search spaces, where a max-norm is strict."""
    spaces = search_space(cls).items()
    return [cls(**{n: s.at((i + 0.5) / RANDOM / 2) for n, s in spaces}) for i in range(RANDOM)]


def off(cls):
    """The technique with every strength at 0 that may be 0; None where none may."""
    zeros = {n: 0.0 for n, f in hyperparameters(cls).items() if 0.0 in f.metadata["domain"]}
    return cls(**zeros) if zeros else None


def members(name):
    """By what they are for: drawn settings, the first once more, one switched off, one whose weights stand still."""
    cls = TECHNIQUES[name]
    drawn = [Recipe(method=SGD(rate=0.1), techniques=one, **HOW) for one in settings(cls)]
    silent = Recipe(method=SGD(rate=0.1), techniques=off(cls) or cls(), **HOW)
    still = Recipe(method=SGD(rate=1e-30), techniques=cls(), **HOW)
    return [*drawn, drawn[0], silent, still]


@functools.cache
def crowd(name):
    return sweep(members(name), *rows(), replicates=2, epochs=2, threads=1, validation=0)


@functools.cache
def without():
    return sweep(Recipe(method=SGD(rate=0.1), **HOW), *rows(), replicates=2, epochs=2, threads=1, validation=0)


def bits(found, replicate, place):
    """Everything that came out of one training, to the bit."""
    at = (replicate, place)
    facts = [found.status[at]] + [leaf.tobytes() for leaf in jax.tree.leaves(found.params(*at))]
    facts += [found.curves[name][at].tobytes() for name in sorted(found.curves)]
    return facts + [found.score(m)[at].tobytes() for m in ("accuracy", "loss")]


@pytest.mark.parametrize("name", NAMES)
def test_a_member_is_bitwise_the_same_in_any_company(name):
    recipes, found = members(name), crowd(name)
    assert len({tuple(bits(found, 1, i)) for i in range(RANDOM)}) == RANDOM, "members that are alike prove nothing"
    turned = sweep(recipes[::-1], *rows(), replicates=1, epochs=2, threads=1, validation=0)
    alone = sweep(recipes[2], *rows(), replicates=2, epochs=2, threads=1, validation=0)
    for i in range(len(recipes)):
        assert bits(turned, 0, len(recipes) - 1 - i) == bits(found, 0, i)
    assert [bits(alone, r, 0) for r in (0, 1)] == [bits(found, r, 2) for r in (0, 1)]


@pytest.mark.parametrize("name", NAMES)
def test_members_of_a_replicate_draw_alike(name):
    assert bits(crowd(name), 0, 0) == bits(crowd(name), 0, RANDOM)
    assert bits(crowd(name), 0, 0) != bits(crowd(name), 1, 0)


@pytest.mark.parametrize("name", [name for name in NAMES if off(TECHNIQUES[name])])
def test_a_strength_of_zero_is_no_technique(name):
    for r in (0, 1):
        for got, want in zip(
            *(jax.tree.leaves(found.params(r, i)) for found, i in ((crowd(name), RANDOM + 1), (without(), 0)))
        ):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_it_does_something(name):
    want = without().params(0, 0)["layer1"]["W"]
    drawn = [crowd(name).params(0, i)["layer1"]["W"] for i in range(RANDOM)]
    assert not all(np.allclose(got, want, rtol=1e-4, atol=1e-5) for got in drawn)


@pytest.mark.parametrize("name", DRAWN)
def test_each_step_draws_anew(name):
    """The last member's weights stand still, so that only the draws can move its loss from epoch to epoch."""
    first, second = crowd(name).curves["train_loss"][0, -1]
    assert abs(first - second) > 1e-4 * first


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_weight_count_for_nothing_and_values_compile_nothing(name):
    X, y = (jnp.asarray(part[:12]) for part in rows())
    weight = jnp.asarray([1.0, 0, 1, 1, 0, 2, 1, 1, 1, 1, 0, 1])
    facts = Facts(X.min(axis=0), X.max(axis=0), CLASSES)
    params = HOW["model"].init(jax.random.key(0), (SIDE, SIDE), CLASSES, He(), jnp.float32)
    params["layer1"]["W"] *= 2  # so that a max-norm has something to do
    traced = []

    @jax.jit
    def gradient(recipe, X, y):
        traced.append(1)
        grads = jax.grad(lambda p: objective(p, recipe, {}, Rows(X, y, weight), jax.random.key(1), facts)[0])(params)
        for technique in recipe.techniques:
            grads = technique.after(grads)
        return grads

    for technique in settings(TECHNIQUES[name]):
        recipe = Recipe(techniques=technique, **HOW)
        other = jnp.where((weight > 0)[:, None, None], X, 7 * X[::-1]), jnp.where(weight > 0, y, (y + 1) % CLASSES)
        got, want = gradient(recipe, *other), gradient(recipe, X, y)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(want))
        assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want)))
    assert len(traced) == 1


@pytest.mark.parametrize("name", ALL)
def test_a_recipe_with_it_survives_json(name):
    for technique in (TECHNIQUES[name](), *settings(TECHNIQUES[name])):
        recipe = Recipe(techniques=(technique,), **HOW)
        assert recipe_from_json(json.loads(json.dumps(recipe_to_json(recipe)))) == recipe


OWNERS = [
    pytest.param(TECHNIQUES[name], field, id=f"{name}.{field}")
    for name in ALL
    for field in hyperparameters(TECHNIQUES[name])
]


@pytest.mark.parametrize(("cls", "field"), OWNERS)
def test_out_of_range_is_refused_by_name(cls, field):
    for value in (float("nan"), float("inf"), -1.0):
        if value in hyperparameters(cls)[field].metadata["domain"]:
            continue
        with pytest.raises(ValueError, match=rf"{cls.__name__}\.{field} = .*; it must be"):
            cls(**{field: value})


@pytest.mark.parametrize(("cls", "field"), OWNERS)
def test_the_search_space_lies_in_the_domain(cls, field):
    declared = hyperparameters(cls)[field]
    assert declared.default in declared.metadata["domain"]
    if space := declared.metadata["space"]:
        assert space.low in declared.metadata["domain"]
        assert space.high in declared.metadata["domain"]
        assert 0.0 <= space.position(declared.default) <= 1.0


@pytest.mark.parametrize("name", ALL)
def test_says_what_it_is(name):
    cls = TECHNIQUES[name]
    assert cls.equation
    assert "\n" not in cls.equation
    assert cls.paper
    assert TECHNIQUES.name_of(cls()) == name
    assert repr(cls()) == f"{cls.__name__}()"
