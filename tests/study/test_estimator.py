"""The classifier as scikit-learn's users meet it."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import steepest as st
from steepest.core.errors import SettingError
from steepest.data.standard import Standard
from steepest.study import single
from steepest.study.estimator import Classifier

X, y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y]

# Weights of rows count within their batch, so a weight of 2 is not the same as the row twice in two batches
NOT_SO = {
    "check_sample_weight_equivalence_on_dense_data": "a row's weight counts within its batch, as in SGDClassifier",
}


@parametrize_with_checks([Classifier()], expected_failed_checks=lambda _: NOT_SO)
def test_scikit_learn_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # tiny, extreme and random data
        check(estimator)


@pytest.mark.parametrize("labels", [y, NAMES, y.astype(float), y * 10 - 7, NAMES.astype(object)])
def test_labels_come_back_in_their_kind(labels):
    model = Classifier(epochs=60).fit(X, labels)
    assert model.classes_.tolist() == np.unique(labels).tolist()
    assert model.predict(X).dtype == labels.dtype
    assert model.score(X, labels) > 0.85
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-12)
    assert (model.classes_[model.predict_proba(X).argmax(axis=1)] == model.predict(X)).all()


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("loss", ["cross-entropy", "one-vs-rest", "hinge", "squared-sigmoid"])
@pytest.mark.parametrize("classes", [2, 3])
def test_coefficients_give_the_scores_on_rows_as_they_are_given(classes, loss, standardize):
    rows, labels = X[y < classes], NAMES[y < classes]
    model = Classifier(loss=loss, standardize=standardize).fit(rows, labels)
    outputs = 1 if classes == 2 else 3
    assert model.coef_.shape == (outputs, 4)
    assert model.intercept_.shape == (outputs,)
    by_hand = rows @ model.coef_.T + model.intercept_
    scores = model.decision_function(rows)
    np.testing.assert_allclose(scores, by_hand[:, 0] if classes == 2 else by_hand, rtol=1e-5, atol=1e-5)
    chosen = (scores > 0).astype(int) if classes == 2 else scores.argmax(axis=1)
    assert (model.predict(rows) == np.unique(labels)[chosen]).all()


def test_exact_is_bit_for_bit_a_sweep_of_the_same_rows():
    recipe = st.Recipe(method=st.Adam(rate=0.02), penalty=st.L1(1e-3))
    sweep = st.sweep(recipe, X, y, replicates=1, seed=3, epochs=5, test=0, validation=0, standardize=True)
    exact = Classifier(st.Adam(rate=0.02), st.L1(1e-3), epochs=5, random_state=3, exact=True).fit(X, y)
    quick = Classifier(st.Adam(rate=0.02), st.L1(1e-3), epochs=5, random_state=3).fit(X, y)
    np.testing.assert_array_equal(exact.fitted_.params["W"], sweep.params(0, 0)["W"])
    np.testing.assert_array_equal(exact.loss_curve_, sweep.curves["train_loss"][0, 0])
    np.testing.assert_allclose(quick.fitted_.params["W"], exact.fitted_.params["W"], atol=1e-5)


def test_random_state_decides_the_result():
    def weights(random_state):
        return Classifier(random_state=random_state, epochs=1).fit(X, y).coef_.tolist()

    assert weights(1) == weights(1) != weights(2)
    assert weights(np.int64(1)) == weights(1)
    assert weights(np.random.RandomState(0)) == weights(np.random.RandomState(0))
    assert weights(None) != weights(None)


def test_row_weights_reach_the_optimum_of_the_weighted_rows():
    """All rows a step: the batch is the whole, so a weight counts as so many rows."""
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    rows = Standard.fit(X).transform(X).astype(np.float64)
    settings = {"standardize": False, "epochs": 2000, "batch_size": None}
    model = Classifier(st.Nesterov(rate=0.1), st.L2(0.01), **settings).fit(rows, y, sample_weight=weight)
    theirs = LogisticRegression(C=1 / (0.01 * weight.sum()), tol=1e-8, max_iter=5000)
    theirs.fit(rows, y, sample_weight=weight)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-3)
    np.testing.assert_allclose(model.intercept_, theirs.intercept_ - theirs.intercept_.mean(), atol=1e-3)


def test_a_row_without_weight_may_as_well_be_left_out():
    weight = np.where(np.arange(len(X)) % 3 == 0, 0.0, 1.0)
    one = Classifier(exact=True).fit(X, y, sample_weight=weight)
    two = Classifier(exact=True).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_one_number_weighs_all_rows_alike():
    np.testing.assert_allclose(
        Classifier().fit(X, y, sample_weight=3.0).coef_, Classifier().fit(X, y).coef_, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("weight", [np.ones(3), -np.ones(150), np.full(150, np.nan), np.ones((150, 2))])
def test_weights_that_are_none_are_refused(weight):
    with pytest.raises(ValueError, match="sample_weight has shape"):
        Classifier().fit(X, y, sample_weight=weight)


def test_folds_of_nearly_one_length_share_a_program(monkeypatch):
    seen = []
    train = single.train

    def spy(recipes, replicate, *rest):
        seen.append(replicate.train.X.shape)
        return train(recipes, replicate, *rest)

    monkeypatch.setattr(single, "train", spy)
    for rows in (100, 117, 128):
        Classifier(epochs=1).fit(X[-rows:], y[-rows:])
    assert seen == [(128, 4)] * 3


def test_rows_that_fill_a_batch_change_nothing():
    """117 rows, filled up to 128, against the exact program, which has no filling."""
    quick, exact = (Classifier(exact=exact).fit(X[-117:], y[-117:]) for exact in (False, True))
    np.testing.assert_allclose(quick.coef_, exact.coef_, atol=1e-5)
    assert quick.fitted_.step == exact.fitted_.step == 20 * 4


def test_a_stopping_rule_looks_at_rows_kept_from_training():
    stop = st.NoGain(patience=2)
    model = Classifier(st.SGD(rate=5.0), stop=stop, validation_fraction=0.3, epochs=100).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) < 100
    assert np.isfinite(model.fitted_.curves["validation_loss"][: model.n_iter_]).all()
    with pytest.raises(SettingError, match=r"NoGain looks at validation rows; give validation_fraction"):
        Classifier(stop="no-gain").fit(X, y)
    assert Classifier(stop=st.Reached(target=1.0)).fit(X, y).loss_curve_[-1] <= 1.0


def test_techniques_are_text_or_instances():
    by_text = Classifier(model="mlp:8", techniques="dropout:rate=0.2+max-norm", epochs=3)
    parts = (st.Dropout(rate=0.2), st.MaxNorm())
    assert by_text.recipe().techniques == parts == Classifier(techniques=list(parts)).recipe().techniques
    assert Classifier(techniques=parts[1]).recipe().techniques == parts[1:]
    assert Classifier(techniques="none").recipe() == Classifier().recipe()
    text = "early-stopping:patience=2,least=100"  # a gain that no epoch brings
    stopped = Classifier(techniques=text, validation_fraction=0.3, epochs=9)
    assert stopped.recipe().stop == st.NoGain(patience=2, least=100)
    assert stopped.fit(X, y).n_iter_ == 3
    curves = [model.fit(X, y).loss_curve_ for model in (by_text, clone(by_text), Classifier(model="mlp:8", epochs=3))]
    assert curves[0] == curves[1] != curves[2]


def test_an_ensemble_of_linear_models_has_no_coefficients():
    model = Classifier(techniques="bagging:bags=3", epochs=2).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-6)
    with pytest.raises(AttributeError, match="3 linear models vote"):
        _ = model.coef_


def test_techniques_that_cannot_act_are_refused():
    for techniques, said in (
        ("augment", "needs images"),
        ("dropout", "acts on hidden units"),
        ("dropuot", "'dropout'"),
    ):
        with pytest.raises(SettingError, match=said):
            Classifier(techniques=techniques).fit(X, y)
    with pytest.raises(SettingError, match="give validation_fraction"):
        Classifier(techniques="early-stopping").fit(X, y)


def test_standardisation_is_learnt_from_training_rows_alone():
    model = Classifier(stop="no-gain", validation_fraction=0.5).fit(X, y)
    assert not np.allclose(model.fitted_.standard.center, Standard.fit(X).center)


def test_searches_pipelines_clones_and_pickles():
    pipeline = make_pipeline(MinMaxScaler(), Classifier(epochs=5))
    grid = {"classifier__method": [st.Adam(rate=0.1), "sgd"], "classifier__penalty": ["none", st.L2(1e-2)]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, NAMES)
    assert search.best_params_["classifier__method"] == st.Adam(rate=0.1)
    best = search.best_estimator_.named_steps["classifier"]
    again = pickle.loads(pickle.dumps(best))
    np.testing.assert_array_equal(again.predict_proba(X), best.predict_proba(X))
    copy = clone(best)
    assert copy.get_params() == best.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert not hasattr(copy, "coef_")


def test_a_network_has_layers_and_no_coefficients():
    model = Classifier("adam", model="mlp:16:tanh", epochs=60).fit(X, y)
    assert model.score(X, y) > 0.85
    assert model.fitted_.params["layer1"]["W"].shape == (16, 4)
    with pytest.raises(AttributeError, match="'mlp:16:tanh' is not linear, so it has no coef_"):
        _ = model.coef_


def test_a_loss_without_probabilities_says_so():
    model = Classifier(loss="hinge").fit(X, y)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        model.predict_proba(X)


def test_divergence_is_warned_of_and_leaves_finite_weights():
    with pytest.warns(ConvergenceWarning, match=r"diverged at step \d+, in epoch 1 of 20: .*lower the rate"):
        model = Classifier(st.Momentum(rate=1e37), st.L2(1.0)).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert model.fitted_.status == "diverged"
    assert model.n_iter_ == 0


def test_coordinate_descent_solves_a_lasso():
    weight = np.arange(150) % 3 + 1.0
    model = Classifier("coordinate", st.L1(0.01), loss="one-vs-rest", standardize=False).fit(X, y, weight)
    path = st.Coordinate().solve(X, y, l1=0.01, loss="logistic", row_weights=weight)
    np.testing.assert_allclose(model.coef_, path.weights[0].T, rtol=1e-5, atol=1e-6)
    assert (model.coef_ == 0).any()
    odds = np.log1p(np.exp(-np.where(np.eye(3)[y] > 0, 1, -1) * model.decision_function(X))).sum(axis=1)
    assert model.loss_curve_ == pytest.approx([np.average(odds, weights=weight)], rel=1e-5)
    with pytest.raises(SettingError, match="CrossEntropy with 3 classes; use loss one-vs-rest"):
        Classifier("coordinate", "l1").fit(X, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "adamm"}, "unknown method 'adamm'; did you mean 'adam'"),
        ({"penalty": st.L2}, r"Recipe.penalty = L2; it must be an instance such as L2\(strength=1e-4\)"),
        ({"epochs": 0}, "epochs = 0"),
        ({"epochs": 2.5}, "epochs = 2.5"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"loss": "squared"}, "Squared is for numbers, and y holds classes"),
        ({"validation_fraction": 1}, r"validation_fraction = 1; it must be a share in \[0, 1\)"),
        ({"validation_fraction": "half"}, "validation_fraction = 'half'"),
        ({"random_state": -1}, "random_state = -1"),
        ({"model": "cmn"}, "unknown model 'cmn'; did you mean 'cnn'"),
        ({"model": "cnn"}, "CNN: reads images, and a row is 4 numbers"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        Classifier(**settings).fit(X, y)


def test_numbers_too_large_for_the_precision_are_refused():
    with pytest.raises(ValueError, match=r"X holds numbers beyond 3\.4e\+38, the largest of float32"):
        Classifier(standardize=False).fit(X * 1e39, y)
    assert Classifier(epochs=50).fit(X * 1e39, y).score(X * 1e39, y) > 0.8


def test_digits_are_learnt():
    digits, numbers = load_digits(return_X_y=True)
    model = Classifier(penalty="l2").fit(digits[:1300], numbers[:1300])
    theirs = LogisticRegression(C=0.1, max_iter=500).fit(digits[:1300] / 16, numbers[:1300])
    assert model.score(digits[1300:], numbers[1300:]) > theirs.score(digits[1300:] / 16, numbers[1300:]) - 0.03
