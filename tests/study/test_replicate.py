"""Replicates made ready: rows, weights, standardisation and order, all from (seed, number)."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from steepest import Hinge, Recipe
from steepest.core.keys import generator
from steepest.data.opening import open as open_data
from steepest.study import source as sources
from steepest.study.replicate import draw_of, draw_replicate
from steepest.study.split import split
from steepest.techniques.adversarial import Adversarial
from steepest.techniques.dropout import InputDropout
from steepest.techniques.smoothing import Smoothing
from steepest.techniques.tangent import TangentProp
from steepest.train.population import train

RNG = np.random.default_rng(41)
N = 90
Y = np.arange(N) % 3
X = (RNG.normal(size=(N, 4)) * [1, 10, 0, 3] + [0, 5, 7, -2]).astype("f4")
GROUPS = np.sort(np.random.default_rng(2).geometric(0.15, size=N))  # of 1 to 14 rows: parts vary and are filled up
SOURCE = sources.from_arrays(X, Y, regression=False)


def drawn(number=0, seed=0, standardize=False, source=SOURCE, dtype="float32", test=0.25):
    return draw_replicate(source, draw_of(source, seed, test, 0.2, standardize, dtype), number)


def test_parts_hold_the_rows_of_the_split():
    parts, made = split(Y, SOURCE.groups, 3, 2, classes=SOURCE.classes), drawn(2, seed=3)
    for name in ("train", "validation", "test"):
        part, rows = getattr(parts, name), getattr(made, name)
        real = np.asarray(rows.weight) > 0
        np.testing.assert_array_equal(np.asarray(rows.X)[real], X[part.rows])
        np.testing.assert_array_equal(np.asarray(rows.y)[real], Y[part.rows])
        assert rows.X.dtype == rows.weight.dtype == np.float32
        assert rows.y.dtype == np.int32


def test_standardisation_is_learnt_from_the_training_rows_alone():
    parts, made = split(Y, SOURCE.groups, 0, 1, classes=SOURCE.classes), drawn(1, standardize=True)
    mean, deviation = X[parts.train.rows].mean(axis=0), X[parts.train.rows].std(axis=0)
    deviation[2] = 1  # the constant column
    for name in ("train", "test"):
        rows, part = getattr(made, name), getattr(parts, name)
        want = (X[part.rows] - mean) / deviation
        np.testing.assert_allclose(np.asarray(rows.X)[np.asarray(rows.weight) > 0], want, atol=2e-5)
    assert abs(np.asarray(made.test.X)[:, 1].mean()) > 1e-3, "test rows are not centred on themselves"


def test_every_replicate_has_parts_of_one_length():
    source = sources.from_arrays(X, Y, regression=False, groups=GROUPS)
    made = [drawn(number, source=source) for number in range(12)]
    assert len({tuple(len(part.y) for part in (m.train, m.validation, m.test)) for m in made}) == 1
    for m in made:
        weight = np.asarray(m.train.weight)
        assert m.rows == weight.sum() == (weight > 0).sum()
        assert (np.diff(weight) <= 0).all(), "the filling is at the end"
        assert sorted(m.order(0)) == list(range(m.rows))
    assert len({m.rows for m in made}) > 1, "nothing was filled up"


def test_the_order_is_drawn_for_seed_replicate_and_epoch():
    made = drawn(4, seed=7)
    for epoch in (0, 1, 9):
        np.testing.assert_array_equal(made.order(epoch), generator(7, 4, "order", epoch).permutation(made.rows))
    orders = {tuple(drawn(number, seed).order(epoch)) for number in (0, 1) for seed in (0, 1) for epoch in (0, 1)}
    assert len(orders) == 8


def test_the_key_is_the_replicates():
    keys = {tuple(jax.random.key_data(drawn(number, seed).key).tolist()) for number in (0, 1) for seed in (0, 1)}
    assert len(keys) == 4
    again = jax.random.key_data(drawn(1, 1).key).tolist()
    assert tuple(again) in keys


@pytest.mark.parametrize("size", [1, 7, 54, 1000])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_hold_every_row_once_and_keep_the_last_partial_one(size, shuffle):
    source = sources.from_arrays(X, Y, regression=False, groups=GROUPS)
    for number in range(3):
        made = drawn(number, source=source)
        size = min(size, len(made.train.y))
        order, weight = (np.asarray(part) for part in made.batches(2, size, shuffle))
        assert order.shape == weight.shape == (-(-len(made.train.y) // size), size)
        taken = order.ravel()[weight.ravel() > 0]
        np.testing.assert_array_equal(taken, made.order(2) if shuffle else np.arange(made.rows))
        filled = (weight > 0).sum(axis=1)
        full, last = divmod(made.rows, size)
        assert list(filled) == [size] * full + [last] * (last > 0) + [0] * (len(filled) - full - (last > 0))


def test_no_test_part_is_none_and_outputs_follow_loss():
    assert drawn(test=0.0).test is None
    assert drawn().outputs_of(Recipe()) == 3
    assert drawn().outputs_of(Recipe(loss=Hinge())) == Hinge().outputs(3)


def test_double_precision_stays_double():
    rows = RNG.normal(size=(N, 3))
    made = drawn(source=sources.from_arrays(rows, Y, regression=False), dtype="float64")
    assert made.train.X.dtype == made.train.weight.dtype == np.float64
    parts = split(Y, None, classes=SOURCE.classes)
    np.testing.assert_array_equal(np.asarray(made.train.X), rows[parts.train.index])


def test_the_rows_range_is_looked_for_only_where_a_technique_asks():
    asked = []
    real = drawn(standardize=True)
    made = replace(real, limits=lambda: asked.append(1) or real.limits())
    assert made.facts_for(()) is None
    plain = made.facts_for((InputDropout(), TangentProp()))
    assert (plain.low, plain.high, plain.classes, asked) == (None, None, 3, [])
    for _ in range(2):
        facts = made.facts_for((InputDropout(), Adversarial()))
    assert asked == [1], "once for all blocks"
    heavy = np.asarray(made.train.X)[np.asarray(made.train.weight) > 0]
    np.testing.assert_array_equal(facts.low, heavy.min(axis=0))
    np.testing.assert_array_equal(facts.high, heavy.max(axis=0))
    for name in ("center", "scale"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(facts, name))
        np.testing.assert_array_equal(getattr(plain, name), getattr(made.standard, name).astype("f4"))
        assert getattr(plain, name).dtype == np.float32


def test_a_training_whose_techniques_do_not_ask_reads_no_range():
    def refuse():
        raise AssertionError("the range was looked for")

    recipe = Recipe(techniques=(InputDropout(rate=0.2), Smoothing()))
    one, other = (train([recipe], made, 2) for made in (drawn(), replace(drawn(), limits=refuse)))
    for mine, theirs in zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params)):
        assert mine.tobytes() == theirs.tobytes()
    with pytest.raises(AssertionError, match="was looked for"):
        train([Recipe(techniques=(Adversarial(),))], replace(drawn(), limits=refuse), 1)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_limits_are_those_of_the_rows_as_the_model_sees_them(monkeypatch, standardize, dtype):
    """Though they are read some at a time; missing cells are filled, filled-up rows do not count."""
    monkeypatch.setattr(sources, "block_rows", lambda _: 7)
    holes = X.copy()
    holes[::7, 1] = np.nan
    for source in (SOURCE, sources.Source("holes", holes, Y, SOURCE.classes, GROUPS, None, missing=True)):
        made = drawn(2, standardize=standardize, source=source, dtype=dtype)
        low, high = made.limits()
        heavy = np.asarray(made.train.X)[np.asarray(made.train.weight) > 0]
        np.testing.assert_array_equal(low, heavy.min(axis=0))
        np.testing.assert_array_equal(high, heavy.max(axis=0))
        assert low.dtype == high.dtype == dtype


def test_the_limits_of_pixels_need_no_rows():
    class Unread(sources.OnDisk):
        def __getitem__(self, index):
            raise AssertionError("rows were read")

    data = open_data("digits")
    source = replace(sources.from_dataset(data), X=Unread(data))
    low, high = source.limits(np.arange(100), None)
    assert (low == 0).all()
    assert (high == 1).all()
    assert low.shape == high.shape == (8, 8, 1)
    with pytest.raises(AssertionError, match="rows were read"):
        replace(source, pixels=None).limits(np.arange(100), None)
