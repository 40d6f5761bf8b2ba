"""What a population owes each of its members: the result it would have alone (truth 16), for every method.

Rows, classes and batches are chosen so that products have odd sizes, edge tiles and more than one width of block.
"""

import functools

import jax
import numpy as np
import pytest

from steepest import L2, MLP, SGD, ElasticNet, Linear, Momentum, Recipe, sweep
from steepest.core.keys import generator
from steepest.core.spec import search_space
from steepest.inits import INITS
from steepest.methods import METHODS
from steepest.methods.optax_bridge import Optax

NAMES = [name for name in METHODS if name != "coordinate"]
# features, classes, batch (None: all rows), model
SHAPES = {
    "digits": (64, 10, 32, Linear()),
    "photos": (3072, 3, 32, Linear()),
    "five": (3072, 5, 32, Linear()),
    "odd": (13, 2, 1, Linear()),
    "full": (7, 3, None, Linear()),
    "mlp": (13, 3, 9, MLP(widths=(17,))),
}
CASES = [(name, "full") for name in NAMES]  # each structure takes seconds to compile, so not all of all
CASES += [(name, "mlp") for name in ("nesterov", "adam", "adadelta", "rmsprop-nesterov")]
CASES += [(name, case) for name in ("nesterov", "adam") for case in ("digits", "photos", "five", "odd")]
CASES += [("optax", "full")]


@functools.cache
def rows_of(case):
    """101 rows for 60-odd training rows: no batch size but 1 divides them."""
    features, classes, _, _ = SHAPES[case]
    rng = np.random.default_rng(3)
    y = np.arange(101) % classes
    return (rng.normal(size=(101, features)) + y[:, None] * rng.normal(size=features) / 3).astype("f4"), y


def population(name, case, count):
    """Recipes whose every hyperparameter differs: drawn from the declared spaces, each with its own penalty."""
    _, _, batch, model = SHAPES[case]
    rng = np.random.default_rng(4)
    made = []
    for i in range(count):
        if name == "optax":
            method = Optax("adan", learning_rate=0.02 + 0.01 * rng.random(), b1=0.9 + 0.05 * rng.random())
        else:
            method = METHODS[name](**{n: s.at(rng.random()) for n, s in search_space(METHODS[name]).items()})
        ridge = 1e-2 * rng.random()
        penalty = ElasticNet(l1=1e-3 * (i % 3), l2=ridge) if method.has_stride else L2(ridge)
        made.append(Recipe(model=model, method=method, penalty=penalty, batch_size=batch))
    return made


def bits(found, replicate, place):
    """Everything that came out of one training, to the bit."""
    at = (replicate, place)
    facts = [found.status[at], int(found.step[at]), int(found.epochs[at])]
    facts += [leaf.tobytes() for leaf in jax.tree.leaves(found.params(*at))]
    facts += [found.curves[name][at].tobytes() for name in sorted(found.curves)]
    facts += [found.score(m, part)[at].tobytes() for m in ("accuracy", "loss") for part in ("test", "validation")]
    return facts


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_member_is_bitwise_the_same_in_any_company(name, case):
    recipes, rows = population(name, case, 20), rows_of(case)
    crowd = sweep(recipes, *rows, replicates=2, epochs=2, threads=2)
    assert len({tuple(bits(crowd, 1, i)) for i in range(20)}) == 20, "members that are alike prove nothing"
    turned = sweep(recipes[::-1], *rows, replicates=1, epochs=2, threads=1)
    for i in range(20):
        assert bits(turned, 0, 19 - i) == bits(crowd, 0, i)
    for i in (0, 7, 19):
        alone = sweep(recipes[i], *rows, replicates=2, epochs=2, threads=1)
        assert [bits(alone, r, 0) for r in (0, 1)] == [bits(crowd, r, i) for r in (0, 1)]


def test_methods_beside_one_another_change_nothing():
    rows = rows_of("full")
    names = ("sgd", "adam", "delta-bar-delta")
    recipes = [population(name, "full", 3)[2] for name in names]
    together = sweep(recipes, *rows, replicates=3, epochs=2, threads=2)
    backwards = sweep(recipes[::-1], *rows, replicates=1, epochs=2, threads=2)
    for i, recipe in enumerate(recipes):
        want = bits(together, 0, i)
        assert bits(backwards, 0, len(names) - 1 - i) == want
        assert bits(sweep(recipe, *rows, replicates=1, epochs=2), 0, 0) == want


@pytest.mark.parametrize("case", ["digits", "mlp"])
def test_inexact_is_the_same_to_rounding(case):
    _, _, batch, model = SHAPES[case]
    recipes = [Recipe(model=model, method=Momentum(rate=0.002 * i), batch_size=batch) for i in range(1, 7)]
    rows = rows_of(case)
    exact = sweep(recipes, *rows, replicates=1, epochs=3, threads=1)
    fast = sweep(recipes, *rows, replicates=1, epochs=3, threads=2, exact=False)
    for i in range(len(recipes)):
        for got, want in zip(jax.tree.leaves(fast.params(0, i)), jax.tree.leaves(exact.params(0, i))):
            np.testing.assert_allclose(got, want, atol=1e-5 * np.abs(want).max())
    np.testing.assert_allclose(fast.curves["validation_loss"], exact.curves["validation_loss"], rtol=1e-5)


def test_the_seed_decides_and_nothing_else():
    recipe, rows = population("adam", "full", 1)[0], rows_of("full")
    first = bits(sweep(recipe, *rows, replicates=1, epochs=2, seed=5), 0, 0)
    assert bits(sweep(recipe, *rows, replicates=2, epochs=2, seed=5), 0, 0) == first
    assert bits(sweep(recipe, *rows, replicates=1, epochs=2, seed=6), 0, 0) != first
    assert bits(sweep(recipe, *rows, replicates=2, epochs=2, seed=5), 1, 0) != first


def descent_by_hand(X, y, weights, orders, batch, rate, ridge):
    """Softmax regression by SGD in float32; the first step whose loss or weights are not finite, and the weights then.

    The gradient is that of log Σ exp s − s_y and ½λ‖W‖², the bias spared.
    """
    W, b = weights["W"].astype("f4"), weights["b"].astype("f4")
    t = 0
    for order in orders:
        for start in range(0, len(order), batch):
            t += 1
            rows, labels = X[order[start : start + batch]], y[order[start : start + batch]]
            with np.errstate(all="ignore"):
                scores = rows @ W.T + b
                below = scores - scores.max(axis=1, keepdims=True)
                shares = np.exp(below) / np.exp(below).sum(axis=1, keepdims=True)
                loss = np.mean(np.log(np.exp(below).sum(axis=1)) - below[np.arange(len(labels)), labels])
                error = (shares - np.eye(W.shape[0], dtype="f4")[labels]) / np.float32(len(labels))
                new_W = W - np.float32(rate) * (error.T @ rows + np.float32(ridge) * W)
                new_b = b - np.float32(rate) * error.sum(axis=0)
            if not (np.isfinite(loss) and np.isfinite(new_W).all() and np.isfinite(new_b).all()):
                return t, {"W": W, "b": b}
            W, b = new_W, new_b
    return 0, {"W": W, "b": b}


def test_a_member_that_diverges_is_frozen_at_its_step_and_its_neighbours_notice_nothing():
    X, y = rows_of("full")
    how = {"batch_size": 9, "init": INITS["he"]()}  # from zero the largest penalties would have nothing to act on
    calm = [Recipe(method=SGD(rate=0.01 * i), penalty=L2(0.01), **how) for i in range(1, 6)]
    wild = [Recipe(method=SGD(rate=0.5), penalty=L2(strength), **how) for strength in (3e3, 1e9, 1e30)]
    found = sweep([*calm[:2], wild[0], calm[2], *wild[1:], *calm[3:]], X, y, replicates=2, epochs=4)
    without = sweep(calm, X, y, replicates=2, epochs=4)
    given = sweep(Recipe(method=SGD(rate=1e-30), **how), X, y, replicates=2, epochs=1)  # the first weights
    for r in range(2):
        for place, i in zip((0, 1, 3, 6, 7), range(5)):
            assert bits(found, r, place) == bits(without, r, i)
        rows = found.rows(r).train.rows
        orders = [rows[generator(0, r, "order", epoch).permutation(len(rows))] for epoch in range(4)]
        for place, recipe in zip((2, 4, 5), wild):
            step, weights = descent_by_hand(X, y, given.params(r, 0), orders, 9, 0.5, recipe.penalty.strength)
            assert found.status[r, place] == "diverged"
            assert found.step[r, place] == step > 0
            assert found.epochs[r, place] == (step - 1) // -(-len(rows) // 9)
            for name, want in weights.items():
                np.testing.assert_allclose(found.params(r, place)[name], want, rtol=1e-3)
            assert np.isfinite(found.accuracy[r, place])
            assert np.isnan(found.curves["train_loss"][r, place, found.epochs[r, place] :]).all()
    assert len(set(found.step[0, [2, 4, 5]])) == 3


@pytest.mark.parametrize("name", ["adam", "adagrad", "rmsprop", "amsgrad", "adamw"])
def test_an_infinite_memory_is_a_divergence(name):
    """Rows of 3e21 overflow g² in float32: r = inf would make every later step 0, with finite weights and loss."""
    y = np.arange(40) % 2
    X = np.where(y[:, None] == 0, 3e21, -3e21).astype("f4") * np.ones((1, 2), "f4")
    recipe = Recipe(method=METHODS[name](), init=INITS["zeros"](), batch_size=None)
    found = sweep([recipe], X, y, replicates=1, epochs=3, groups=np.arange(40))
    assert found.status[0, 0] == "diverged"
    assert found.step[0, 0] == 1
