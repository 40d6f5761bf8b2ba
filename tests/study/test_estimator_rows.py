"""Images, class weights and settings inside settings of `Classifier`."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.class_weight import compute_class_weight

from steepest import CNN, MLP, SGD, Adam, Augment, Chain, DataError, Dropout, Functions, Momentum, SettingError
from steepest.schedules.decay import Exponential, Step
from steepest.study.estimator import Classifier
from steepest.study.nested import replaced, settings_of

DIGITS = load_digits()
IMAGES, Y = DIGITS.images[:300], DIGITS.target[:300]
SMALL = CNN(channels=(2,), dense=8)


# --- images -----------------------------------------------------------------------------------------------------------


def test_images_go_to_networks_of_images_in_their_own_shape():
    model = Classifier("adam", model=SMALL, epochs=1).fit(IMAGES, Y)
    assert model.image_shape_ == (8, 8)
    assert model.n_features_in_ == 64
    assert model.fitted_.shape == (8, 8)
    assert model.predict(IMAGES[:5]).shape == (5,)
    np.testing.assert_array_equal(model.predict(IMAGES[:5].tolist()), model.predict(IMAGES[:5]))


def test_a_model_that_flattens_learns_the_same_from_images_as_from_rows():
    flat = Classifier("adam", epochs=2).fit(IMAGES.reshape(300, 64), Y)
    model = Classifier("adam", epochs=2).fit(IMAGES, Y)
    np.testing.assert_array_equal(model.coef_, flat.coef_)
    np.testing.assert_array_equal(model.predict_proba(IMAGES), flat.predict_proba(IMAGES.reshape(300, 64)))
    colour = np.stack([IMAGES, IMAGES[:, ::-1]], axis=-1)
    assert Classifier(epochs=1).fit(colour, Y).fitted_.shape == (8, 8, 2)


def test_pixels_in_bytes_are_the_same_numbers():
    taken = Classifier("adam", epochs=1).fit(IMAGES.astype(np.uint8), Y)
    np.testing.assert_allclose(taken.coef_, Classifier("adam", epochs=1).fit(IMAGES, Y).coef_, rtol=1e-4, atol=1e-6)


def test_augmentation_moves_images_and_is_refused_for_rows():
    still = Classifier("adam", epochs=2).fit(IMAGES, Y)
    moved = Classifier("adam", epochs=2, techniques=Augment(shift=0.2)).fit(IMAGES, Y)
    assert np.abs(moved.coef_ - still.coef_).max() > 1e-3
    with pytest.raises(SettingError, match=r"[Aa]ugment"):
        Classifier(techniques=Augment()).fit(IMAGES.reshape(300, 64), Y)


def test_a_users_own_model_gets_images():
    seen = []

    def scores(params, rows):
        seen.append(rows.shape[1:])
        return rows.mean(axis=2) @ params["W"].T

    def init(_, shape, outputs):
        return {"W": np.zeros((outputs, shape[0]), np.float32)}

    Classifier(model=Functions(init, scores), epochs=1).fit(IMAGES, Y)
    assert set(seen) == {(8, 8)}


def test_a_network_of_images_says_what_rows_it_lacks():
    with pytest.raises(SettingError, match=r"CNN.*image"):
        Classifier(model=SMALL).fit(IMAGES.reshape(300, 64), Y)


@pytest.mark.parametrize(
    ("fitted", "given", "message"),
    [
        (IMAGES, IMAGES[:, :7], r"images of \(7, 8\).*images of \(8, 8\)"),
        (IMAGES, IMAGES.reshape(300, 64), r"rows of features.*images of \(8, 8\)"),
        (IMAGES, IMAGES[..., None], r"images of \(8, 8, 1\).*images of \(8, 8\)"),
        (IMAGES.reshape(300, 64), IMAGES, r"images of \(8, 8\).*rows of features"),
    ],
)
@pytest.mark.parametrize("asked", ["predict", "predict_proba", "decision_function", "score"])
def test_rows_of_another_shape_are_refused_in_one_line(fitted, given, message, asked):
    model = Classifier(epochs=1).fit(fitted, Y)
    with pytest.raises(DataError, match=message) as refused:
        getattr(model, asked)(given, Y) if asked == "score" else getattr(model, asked)(given)
    assert "\n" not in str(refused.value)


def test_images_with_holes_are_refused_by_scikit_learn():
    holes = IMAGES.copy()
    holes[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        Classifier(epochs=1).fit(holes, Y)
    with pytest.raises(ValueError, match="dim"):
        Classifier(epochs=1).fit(IMAGES.reshape(300, 2, 2, 4, 4), Y)


# --- class weights ----------------------------------------------------------------------------------------------------

RARE = np.flatnonzero((Y > 0) | (np.arange(300) % 5 == 0))
ROWS, LABELS = IMAGES[RARE].reshape(-1, 64), np.where(Y[RARE] == 0, "zero", np.where(Y[RARE] < 5, "few", "many"))
OWN = {"zero": 3.0, "few": 0.5, "many": 1.0}


@pytest.mark.parametrize("given", ["balanced", OWN, {"zero": 4.0}])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights_are_scikit_learns_and_weigh_rows(given, weighted):
    base = np.random.default_rng(0).uniform(0.5, 2, len(LABELS)) if weighted else None
    classes = np.unique(LABELS)
    of_class = compute_class_weight(given, classes=classes, y=LABELS, sample_weight=base)
    weight = of_class[np.searchsorted(classes, LABELS)] * (1 if base is None else base)
    model = Classifier("adam", epochs=2, class_weight=given).fit(ROWS, LABELS, base)
    wanted = Classifier("adam", epochs=2).fit(ROWS, LABELS, weight)
    np.testing.assert_array_equal(model.coef_, wanted.coef_)
    plain = Classifier("adam", epochs=2).fit(ROWS, LABELS, base)
    assert np.abs(model.coef_ - plain.coef_).max() > 1e-4


def test_balanced_counts_only_rows_that_have_weight():
    weight = np.where(LABELS == "zero", 0.0, 1.0)
    model = Classifier("adam", epochs=1, class_weight="balanced").fit(ROWS, LABELS, weight)
    assert np.isfinite(model.coef_).all()
    assert model.predict_proba(ROWS).shape == (len(ROWS), 3)


def test_a_solver_takes_class_weights_too():
    two = LABELS != "few"
    weights = np.where(LABELS[two] == "zero", 3.0, 1.0)
    solved = Classifier("coordinate", "l2", loss="one-vs-rest", class_weight=OWN).fit(ROWS[two], LABELS[two])
    wanted = Classifier("coordinate", "l2", loss="one-vs-rest").fit(ROWS[two], LABELS[two], weights)
    np.testing.assert_array_equal(solved.coef_, wanted.coef_)


@pytest.mark.parametrize("given", ["even", {"zero": -1.0}, {"zero": float("nan")}, {"nought": 1.0}, 3, [1, 2, 3]])
def test_class_weights_that_are_none_are_refused(given):
    with pytest.raises(SettingError, match="class_weight") as refused:
        Classifier(class_weight=given).fit(ROWS, LABELS)
    assert "\n" not in str(refused.value)


def test_weights_that_leave_one_class_are_refused():
    with pytest.raises(DataError, match="class_weight times sample_weight is zero"):
        Classifier(class_weight={"zero": 0.0, "few": 0.0, "many": 1.0}).fit(ROWS, LABELS)


# --- settings inside settings -----------------------------------------------------------------------------------------


def test_a_search_reaches_into_a_method():
    grid = {"method__rate": [1e-6, 0.01], "penalty__strength": [1e-4]}
    found = GridSearchCV(Classifier("adam", "l2", epochs=3), grid, cv=2).fit(IMAGES.reshape(300, 64), Y)
    assert found.best_params_["method__rate"] == 0.01
    assert found.best_estimator_.method == Adam(rate=0.01)
    assert found.best_estimator_.fitted_.recipe.method.rate == 0.01
    scores = found.cv_results_["mean_test_score"]
    assert scores[1] > scores[0]


def test_a_part_is_replaced_and_the_clones_is_another():
    model = Classifier(Momentum(rate=0.1), model=MLP(widths=(4,)))
    other = clone(model).set_params(method__rate=0.2, model__widths=(8, 4), epochs=3)
    assert model.method == Momentum(rate=0.1)
    assert other.method == Momentum(rate=0.2)
    assert other.model == MLP(widths=(8, 4))
    assert (model.epochs, other.epochs) == (20, 3)
    assert clone(other).get_params()["method__rate"] == 0.2


def test_text_becomes_the_part_it_names():
    model = Classifier("adam", model="mlp:16", techniques="dropout:rate=0.2+smoothing")
    deep = model.get_params()
    assert deep["method"] == "adam"
    assert deep["method__rate"] == Adam().rate
    assert deep["model__widths"] == (16,)
    assert deep["techniques__dropout__rate"] == 0.2
    assert set(model.get_params(deep=False)) == {name for name in deep if "__" not in name}
    model.set_params(techniques__dropout__rate=0.4, method__decay1=0.8)
    assert model.method == Adam(decay1=0.8)
    assert model.techniques[0] == Dropout(rate=0.4)
    assert len(model.recipe().techniques) == 2


def test_a_part_named_in_the_same_call_comes_first():
    model = Classifier("adam").set_params(method__rate=0.3, method=SGD())
    assert model.method == SGD(rate=0.3)


def test_schedules_of_schedules_and_techniques_of_one_kind():
    schedule = Chain(Step(), Exponential())
    changed = replaced(schedule, {"first__by": 0.3, "second__every": 3, "second": Step(by=0.2)}, "schedule")
    assert changed.first == Step(by=0.3)
    assert changed.second == Step(by=0.2, every=3)
    two = (Dropout(rate=0.1, layers=(1,)), Dropout(rate=0.2, layers=(2,)))
    assert settings_of(two)["dropout2__rate"] == 0.2
    assert replaced(two, {"dropout2__rate": 0.5}, "techniques")[1].rate == 0.5


def test_a_pipeline_reaches_through():
    pipeline = make_pipeline(MinMaxScaler(), Classifier("adam"))
    pipeline.set_params(classifier__method__rate=0.05)
    assert pipeline[-1].method == Adam(rate=0.05)


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        (Classifier("adam"), {"method__speed": 1}, "method.*speed.*rate"),
        (Classifier("adam"), {"method__rate": -1.0}, "Adam.rate = -1"),
        (Classifier(), {"stop__patience": 3}, "stop = None has no settings"),
        (Classifier(), {"epochs__more": 3}, "epochs = 20 has no settings"),
        (Classifier(), {"speed__more": 3}, "Invalid parameter"),
        (Classifier("adma"), {"method__rate": 0.1}, "method"),
    ],
)
def test_names_and_values_that_do_not_fit_are_refused(model, change, message):
    with pytest.raises(ValueError, match=message):
        model.set_params(**change)


def test_a_users_file_is_not_run_to_list_settings(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("raise SystemExit('run')")
    deep = Classifier(model=f"{file}:net").get_params()
    assert not any(name.startswith("model__") for name in deep)


def test_only_ratios_of_row_weights_matter_to_a_batch_norm():
    base = 1 + np.arange(300) % 3
    for size in (None, 1 / 1797, 2.0):
        model = Classifier("adam", model=MLP(widths=(8,), norm=True), epochs=2, exact=True)
        model.fit(IMAGES, Y, sample_weight=base if size is None else base * size)
        variance = np.asarray(model.fitted_.params["running"]["norm1"]["var"])
        if size is None:
            want = variance
        np.testing.assert_allclose(variance, want, rtol=1e-3)
    assert want.min() > 0.3  # of standardised pixels through He's weights: about 2
