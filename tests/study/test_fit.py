"""One training: the numbers of a sweep, scores on three parts, divergence said, solvers solved."""

import numpy as np
import pytest

import steepest as st
from steepest.core.errors import SettingError
from steepest.study.fit import fit
from steepest.study.source import from_dataset
from steepest.study.split import split
from steepest.train.model_file import load, save

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def iris():
    return st.open("iris")


@pytest.fixture(scope="module")
def holes():
    """A table of which a tenth of the cells is missing."""
    y = np.arange(120) % 3
    X = RNG.normal(size=(120, 4)) + y[:, None]
    X[RNG.random(X.shape) < 0.1] = np.nan
    return st.from_arrays(X, y, missing="mean")


@pytest.mark.parametrize("standardize", [True, False])
def test_the_numbers_are_those_of_a_sweep(iris, standardize):
    recipe = st.Recipe(method=st.Adam(rate=0.01), penalty=st.L1(1e-3), model=st.MLP((8,)))
    others = [recipe, st.Recipe(method=st.Adam(rate=0.3), model=st.MLP((8,)))]
    sweep = st.sweep(others, iris, replicates=3, epochs=4, seed=5, standardize=standardize)
    one = fit(iris, recipe, replicate=2, epochs=4, seed=5, standardize=standardize)
    for layer, arrays in sweep.params(2, 0).items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(one.params[layer][name], values)
    for name, curve in sweep.curves.items():
        np.testing.assert_array_equal(one.curves[name], curve[2, 0])
    for part in ("validation", "test"):
        for metric in ("accuracy", "balanced", "f1", "loss"):
            assert one.scores[part][metric] == sweep.score(metric, part)[2, 0]
    assert (one.status, one.step, one.epochs) == ("finished", sweep.step[2, 0], 4)


@pytest.mark.parametrize("data", ["iris", "holes"])
def test_what_is_saved_predicts_what_was_scored(tmp_path, request, data):
    data = request.getfixturevalue(data)
    one = load(save(fit(data, st.Recipe(method=st.Adam(rate=0.05)), seed=1), tmp_path / "m"))
    source = from_dataset(data)
    parts = split(source.y, source.groups, 1, 0, classes=source.classes)
    for name in ("train", "validation", "test"):
        rows = getattr(parts, name).rows
        found = one.predict(data.features()[rows])
        assert np.mean(found == data.y[rows]) == pytest.approx(one.scores[name]["accuracy"], abs=1e-12)
        odds = one.probabilities(data.features()[rows])
        np.testing.assert_allclose(odds.sum(axis=1), 1, rtol=1e-12)
        loss = -np.mean(np.log(odds[np.arange(len(rows)), data.y[rows]]))
        assert loss == pytest.approx(one.scores[name]["loss"], rel=1e-5)
    assert one.data["fingerprint"] == data.fingerprint
    assert one.scores["test"]["accuracy"] > 0.5


def test_images_keep_their_shape():
    digits = st.open("digits")
    one = fit(digits, st.Recipe(method=st.SGD(rate=0.05)), epochs=3)
    assert one.shape == digits.shape
    assert one.scores["test"]["accuracy"] > 0.85


def test_no_rows_no_scores(iris):
    one = fit(iris, st.Recipe(), epochs=1, test=0, validation=0)
    assert one.scores["validation"] == one.scores["test"] == {}
    assert one.scores["train"].keys() == {"loss", "accuracy", "balanced", "f1"}
    assert np.isnan(one.curves["validation_loss"]).all()


def test_divergence_is_said_and_the_last_finite_weights_are_kept(iris):
    one = fit(iris, st.Recipe(method=st.Momentum(rate=1e37), penalty=st.L2(1.0)), epochs=3)
    assert one.status == "diverged"
    assert np.isfinite(one.params["W"]).all()
    assert f"diverged at step {one.step}, in epoch 1 of 3" in one.notes[-1]
    assert "lower the rate (1e+37)" in one.notes[-1]
    assert "\n" not in one.notes[-1]


def test_a_stopping_rule_needs_validation_rows(iris):
    recipe = st.Recipe(stop=st.NoGain(patience=1))
    with pytest.raises(SettingError, match="validation = 0; give a share above 0"):
        fit(iris, recipe, validation=0)
    stopped = fit(iris, st.Recipe(method=st.SGD(rate=30.0), stop=st.NoGain(patience=1)), epochs=50)
    assert stopped.status == "stopped"
    assert stopped.epochs < 50
    assert np.isnan(stopped.curves["train_loss"][stopped.epochs :]).all()


def test_progress_tells_of_the_rows_seen(iris):
    seen = []
    fit(iris, st.Recipe(), epochs=2, progress=seen.append)
    assert 2 * 90 <= seen[-1].examples == seen[-1].all_examples  # the rows that fill up a split are counted, too
    assert seen[-1].trainings == seen[-1].all_trainings == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs = 0"),
        ({"replicate": -1}, "replicate = -1"),
        ({"test": 1.0}, "test = 1.0"),
        ({"recipe": "adam"}, "must be a steepest.Recipe"),
        ({"recipe": st.Recipe(loss=st.Squared())}, "squared is for numbers"),
    ],
)
def test_settings_that_do_not_fit_are_refused(iris, settings, message):
    with pytest.raises(SettingError, match=message):
        fit(iris, **{"recipe": st.Recipe(), **settings})


# --- coordinate descent -----------------------------------------------------------------------------------------------


def solved(data, **parts):
    return fit(data, st.Recipe(method=st.Coordinate(), **parts))


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.05), (0.02, 0.1)])
def test_a_solver_reaches_the_optimum_that_scikit_learn_finds(iris, l1, l2):
    from sklearn.linear_model import LogisticRegression

    one = solved(iris, loss=st.OneVsRest(), penalty=st.ElasticNet(l1=l1, l2=l2))
    source = from_dataset(iris)
    rows = split(source.y, source.groups, 0, 0, classes=source.classes).train.rows
    X, n = one.prepared(iris.features()[rows]).astype(float), len(rows)
    for k in range(3):
        theirs = LogisticRegression(
            C=1 / (n * (l1 + l2)), l1_ratio=l1 / (l1 + l2), solver="saga", tol=1e-8, max_iter=100_000
        ).fit(X, iris.y[rows] == k)
        np.testing.assert_allclose(one.params["W"][k], theirs.coef_[0], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(one.params["b"][k], theirs.intercept_[0], rtol=1e-3, atol=1e-4)
    assert one.params["W"].dtype == np.float32
    assert "solved to a duality gap of" in one.notes[-1]
    assert len(one.curves["train_loss"]) == one.epochs == 1


@pytest.fixture(scope="module")
def two_classes(iris):
    keep = iris.y != 0
    return st.from_arrays(iris.features()[keep], iris.y[keep])


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("l1", "l2"), [(0.02, 0.0), (0.0, 0.1), (0.02, 0.1)])
def test_two_classes_of_cross_entropy_are_solved_too(two_classes, l1, l2, reduction):
    """No small change of the weights lowers the objective as a recipe has it, subgradients included."""
    one = solved(two_classes, penalty=st.ElasticNet(l1=l1, l2=l2), reduction=reduction)
    source = from_dataset(two_classes)
    rows = split(source.y, source.groups, 0, 0, classes=source.classes).train.rows
    X, hot = one.prepared(two_classes.features()[rows]).astype(float), np.eye(2)[two_classes.y[rows]]
    W, b = one.params["W"].astype(float), one.params["b"].astype(float)
    odds = np.exp(X @ W.T + b)
    error = odds / odds.sum(axis=1, keepdims=True) - hot
    share = len(rows) if reduction == "mean" else 1
    pull = error.T @ X / share + l2 * W
    tolerance = 2e-6 * len(rows) / share
    np.testing.assert_allclose(error.sum(axis=0) / share, 0, atol=tolerance)
    np.testing.assert_allclose(pull[W != 0], -l1 * np.sign(W[W != 0]), atol=tolerance)
    assert (np.abs(pull[W == 0]) <= l1 + tolerance).all()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"penalty": st.L2()}, "Coordinate: cannot solve CrossEntropy with 3 classes; use loss one-vs-rest"),
        ({"loss": st.Hinge(), "penalty": st.L2()}, "cannot solve Hinge; use loss one-vs-rest"),
        ({"loss": st.OneVsRest()}, "needs a penalty to have an optimum"),
        ({"loss": st.OneVsRest(), "penalty": st.L1(0.0)}, "needs a penalty to have an optimum"),
        ({"loss": st.OneVsRest(), "penalty": st.L1(subgradient=True)}, "on the weights, not with L1"),
        ({"loss": st.OneVsRest(), "penalty": st.L2(on="all")}, "on the weights, not with L2"),
        ({"loss": st.OneVsRest(), "penalty": st.WeightDecay()}, "not with WeightDecay"),
        ({"loss": st.OneVsRest(), "penalty": st.L2(), "model": st.MLP()}, "solves linear models"),
        ({"loss": st.OneVsRest(), "penalty": st.L2(), "clip": st.ClipNorm()}, "takes no steps, so clip"),
        ({"loss": st.OneVsRest(), "penalty": st.L2(), "schedule": st.Cosine()}, "takes no steps, so schedule"),
        ({"loss": st.Squared(), "penalty": st.L2()}, "squared is for numbers"),
    ],
)
def test_what_a_solver_cannot_solve_is_refused_by_name(iris, parts, message):
    with pytest.raises(SettingError, match=message):
        solved(iris, **parts)
