"""`sweep`: what it gives back, and what it refuses."""

import dataclasses
import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from steepest import (
    L2,
    SGD,
    Adam,
    CrossEntropy,
    DataError,
    Hinge,
    NoGain,
    Recipe,
    SettingError,
    Squared,
    from_arrays,
    sweep,
)
from steepest.losses import LOSSES
from steepest.metrics import METRICS, confusion

RNG = np.random.default_rng(31)
Y = np.arange(120) % 3
X = (RNG.normal(size=(120, 4)) + 1.2 * np.eye(3, 4)[Y]).astype("f4")
RATES = (0.01, 0.1)


@pytest.fixture(scope="module")
def found():
    return sweep([Recipe(method=SGD(rate=rate)) for rate in RATES], X, Y, replicates=3, epochs=5, seed=9)


def test_arrays_are_replicates_by_recipes(found):
    assert found.accuracy.shape == found.status.shape == found.step.shape == found.epochs.shape == (3, 2)
    assert {name: curve.shape for name, curve in found.curves.items()} == dict.fromkeys(
        ("train_loss", "validation_loss", "validation_accuracy"), (3, 2, 5)
    )
    assert found.classes == ("0", "1", "2")
    assert [recipe.method.rate for recipe in found.recipes] == list(RATES)
    assert repr(found) == "<Sweep: 2 recipes × 3 replicates, 0 diverged>"
    assert (found.step == 5 * -(-len(found.rows(0).train.rows) // 32)).all()
    assert found.notes == ()


def test_scores_are_those_of_the_reported_weights_on_the_parts(found):
    for r in range(3):
        parts = found.rows(r)
        everything = np.concatenate([parts.train.rows, parts.validation.rows, parts.test.rows])
        assert sorted(everything) == list(range(120))
        for i in range(2):
            params = found.params(r, i)
            for part in ("test", "validation"):
                rows = getattr(parts, part).rows
                said = (X[rows] @ params["W"].T + params["b"]).argmax(axis=1)
                matrix = confusion(Y[rows], said, 3)
                for metric in METRICS:
                    assert found.score(metric, part)[r, i] == pytest.approx(METRICS[metric](matrix))
            assert found.accuracy[r, i] == found.score()[r, i] == np.mean(said_right(params, parts.test.rows))
            assert found.curves["validation_accuracy"][r, i, -1] == pytest.approx(
                found.score("accuracy", "validation")[r, i]
            )
            assert found.curves["validation_loss"][r, i, -1] == pytest.approx(
                found.score("loss", "validation")[r, i], rel=1e-5
            )


def said_right(params, rows):
    return (X[rows] @ params["W"].T + params["b"]).argmax(axis=1) == Y[rows]


def test_which_rows_of_a_given_test_set_were_named_right(found):
    given = np.arange(120) % 7 < 2  # 35 rows: the last byte of eight is not full
    data = dataclasses.replace(from_arrays(X, Y), given_test=given)
    swept = sweep([Recipe(method=SGD(rate=rate)) for rate in RATES], data, replicates=2, epochs=5, test="given")
    rows = swept.rows(0).test.rows
    assert sorted(rows) == list(np.flatnonzero(given))
    for r in range(2):
        for i in range(2):
            params = swept.params(r, i)
            said = (X[rows] @ params["W"].T + params["b"]).argmax(axis=1)
            np.testing.assert_array_equal(swept.right[r, i], said == Y[rows])
    with pytest.raises(SettingError, match="only of test='given'"):
        found.right  # noqa: B018


def test_it_reaches_the_optimum_of_its_objective():
    strength = 0.05
    recipe = Recipe(method=SGD(rate=0.5), penalty=L2(strength), batch_size=None)
    got = sweep(recipe, X, Y, replicates=1, epochs=600)
    rows = got.rows(0).train.rows
    want = LogisticRegression(C=1 / (strength * len(rows)), tol=1e-8).fit(X[rows], Y[rows])
    np.testing.assert_allclose(got.params(0, 0)["W"], want.coef_, atol=2e-4)


def test_labels_of_any_kind_and_a_dataset(found):
    names = np.array(["ox", "ant", "bee"])[Y]
    named = sweep(Recipe(method=SGD(rate=0.1)), X, names, replicates=1, epochs=5, seed=9)
    assert named.classes == ("ant", "bee", "ox")
    data = sweep(Recipe(method=SGD(rate=0.1)), from_arrays(X, Y), replicates=3, epochs=5, seed=9)
    np.testing.assert_array_equal(data.accuracy[:, 0], found.accuracy[:, 1])


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("squared", "multi-task")])
def test_every_loss_trains_classifiers(name):
    recipe = Recipe(loss=LOSSES[name](), method=Adam(rate=0.05))
    apart = X + 6 * np.eye(3, 4)[Y]
    assert (sweep(recipe, apart, Y, replicates=2, epochs=15).accuracy > 0.9).all()


def test_a_regression_has_losses_and_no_accuracy():
    target = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 3.0
    recipe = Recipe(loss=Squared(), method=SGD(rate=0.1))
    got = sweep(recipe, X, target, replicates=2, epochs=200)
    assert (got.score("loss") < 1e-4).all()
    np.testing.assert_allclose(got.params(0, 0)["W"], [[1.0, -2.0, 0.5, 0.0]], atol=0.02)
    with pytest.raises(SettingError, match="'accuracy' was not measured on the test part; measured: loss"):
        _ = got.accuracy


def test_no_test_or_no_validation_rows():
    got = sweep(Recipe(), X, Y, replicates=1, epochs=2, test=0.0, validation=0.0)
    assert len(got.rows(0).train.rows) == 120
    assert np.isnan(got.curves["validation_loss"]).all()
    assert np.isfinite(got.curves["train_loss"]).all()
    with pytest.raises(SettingError, match=r"measured: nothing \(there are no test rows\)"):
        _ = got.accuracy


def test_rows_alike_and_groups_stay_on_one_side():
    doubled, labels = np.concatenate([X, X[:30]]), np.concatenate([Y, Y[:30]])
    parts = sweep(Recipe(), doubled, labels, replicates=1, epochs=1).rows(0)
    for part in (parts.train, parts.validation, parts.test):
        rows = set(part.rows)
        assert all((row in rows) == (row + 120 in rows) for row in range(30))
    groups = np.arange(120) // 4
    parts = sweep(Recipe(), X, Y, replicates=1, epochs=1, groups=groups).rows(0)
    sides = [set(groups[part.rows]) for part in (parts.train, parts.validation, parts.test)]
    assert len(set().union(*sides)) == sum(map(len, sides))


def test_float64_is_float64_and_says_nothing_of_it():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = sweep(Recipe(dtype="float64", method=SGD(rate=0.1)), X, Y, replicates=1, epochs=3)
    assert got.params(0, 0)["W"].dtype == np.float64
    single = sweep(Recipe(method=SGD(rate=0.1)), X, Y, replicates=1, epochs=3)
    assert np.abs(got.params(0, 0)["b"] - single.params(0, 0)["b"]).max() > 0


@pytest.mark.parametrize(
    ("recipes", "settings", "says"),
    [
        ([], {}, "no recipes; give at least one"),
        ([Recipe(), "sgd"], {}, r"recipe 2 of 2 is a str; it must be a steepest\.Recipe"),
        ([Recipe()], {"epochs": 0}, "epochs = 0; it must be a whole number of at least 1"),
        ([Recipe()], {"replicates": 1.5}, "replicates = 1.5; it must be a whole number"),
        ([Recipe()], {"seed": -1}, "seed = -1; it must be a whole number of at least 0"),
        ([Recipe()], {"seed": "0"}, "seed = '0'; it must be a whole number of at least 0"),
        ([Recipe()], {"threads": -2}, "threads = -2; it must be a whole number of at least 0"),
        ([Recipe()], {"memory": 0}, r"memory = 0; it must be a share in \(0, 1\]"),
        ([Recipe()], {"test": 1.0}, r"test = 1\.0; a share must lie in \[0, 1\)"),
        ([Recipe(), Recipe(dtype="float64")], {}, "float32 and float64 do not share replicates"),
        ([Recipe(loss=Squared()), Recipe(loss=CrossEntropy())], {}, "recipe 1 of 2: loss squared is for numbers"),
        ([Recipe(stop=NoGain())], {"validation": 0.0}, "a stopping rule looks at validation rows, and validation = 0"),
        ([Recipe(loss=Hinge()), Recipe()], {"params": 3}, "params"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_one_line(recipes, settings, says):
    with pytest.raises((SettingError, TypeError), match=says) as caught:
        sweep(recipes, X, Y, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "labels", "says"),
    [
        (X[:, 0], Y, r"X has shape \(120,\) and type float32; it must be \[rows, features\]"),
        (np.where(X[3, 2] == X, np.nan, X), Y, "X has NaN or infinity in row 3, column 2"),
        (X.astype(object), Y, "type object"),
        (X, Y[:-1], "X has 120 rows, but y 119 labels"),
        (X, np.r_[Y[:-1], 7], "class '7' has only 1 row"),
        (X, np.zeros(120), "class"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_in_one_line(rows, labels, says):
    with pytest.raises((DataError, SettingError), match=says) as caught:
        sweep(Recipe(), rows, labels)
    assert "\n" not in str(caught.value)


def test_a_training_that_is_not_there_is_named(found):
    with pytest.raises(
        SettingError, match=r"no training \(3, 0\); there are 3 replicates × 2 recipes, numbered from 0"
    ):
        found.params(3, 0)
    with pytest.raises(SettingError, match="part = 'train'; it must be 'test' or 'validation'"):
        found.score("accuracy", "train")
