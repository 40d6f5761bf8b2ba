"""Several trained models as one: what it predicts, its file, and what it refuses."""  # source: R5

import dataclasses
import re

import numpy as np
import pytest

import steepest as st
from steepest.core.errors import SettingError
from steepest.core.keys import key
from steepest.data.arrays import from_arrays
from steepest.data.dataset import Dataset
from steepest.metrics import confusion
from steepest.study.attack import under_attack
from steepest.study.evaluate import evaluate
from steepest.study.fit import fit
from steepest.study.source import from_dataset
from steepest.study.split import split
from steepest.techniques.adversarial import Attack
from steepest.train.ensemble import bootstrap
from steepest.train.model_file import load, save


@pytest.fixture(scope="module")
def iris():
    return st.open("iris")


@pytest.fixture(scope="module")
def members(iris):
    """Of different replicates, so each standardises in its own way."""
    return [fit(iris, st.Recipe(method=st.Momentum(rate=0.3)), epochs=3, replicate=r) for r in range(3)]


def test_it_averages_what_its_members_say_of_rows_standardised_by_each(iris, members):
    X = iris.features()
    made = st.ensemble(members)
    assert np.abs(members[0].standard.center - members[1].standard.center).max() > 0.01
    want = np.mean([one.probabilities(X) for one in members], axis=0)
    np.testing.assert_allclose(made.probabilities(X), want, rtol=1e-9)
    assert (made.predict(X) == want.argmax(axis=1)).all()
    np.testing.assert_allclose(made.losses(X, iris.y), -np.log(want[np.arange(len(X)), iris.y]), rtol=1e-9)


def test_it_is_saved_and_used_as_one_model(iris, members, tmp_path):
    made = st.ensemble(members, combine="vote")
    again = load(save(made, tmp_path / "three"))
    X = iris.features()
    votes = np.array([np.bincount(column, minlength=3) for column in np.stack([m.predict(X) for m in members]).T])
    clear = votes.max(axis=1) > 1
    assert clear.sum() > 100
    assert (again.predict(X)[clear] == votes.argmax(axis=1)[clear]).all()
    assert again.probabilities(X).tobytes() == made.probabilities(X).tobytes()
    assert again.recipe == made.recipe
    assert (
        again.notes == made.notes == ("3 models trained one by one that vote together; the recipe is the first one's",)
    )
    assert evaluate(again, iris).report.accuracy == np.mean(made.predict(X) == iris.y)


def test_its_limits_are_what_any_members_training_rows_reach(iris, members):
    raw = [fit(iris, st.Recipe(), epochs=1, replicate=r, standardize=False) for r in range(3)]
    low, high = st.ensemble(raw).limits
    np.testing.assert_array_equal(low, np.min([one.limits[0] for one in raw], axis=0))
    np.testing.assert_array_equal(high, np.max([one.limits[1] for one in raw], axis=0))
    assert len({tuple(one.limits[1]) for one in raw}) > 1
    assert st.ensemble([raw[0], dataclasses.replace(raw[1], limits=None)]).limits is None
    assert st.ensemble(members).limits is None, "in units of their own"


def test_members_that_are_not_alike_are_refused(members):
    other = dataclasses.replace(members[1], classes=("a", "b", "c"))
    with pytest.raises(SettingError, match=r"model 2 of 2 has classes \('a', 'b', 'c'\), and the first has"):
        st.ensemble([members[0], other])
    wider = dataclasses.replace(members[1], recipe=st.Recipe(model=st.MLP(widths=(3,))))
    with pytest.raises(SettingError, match="model 2 of 2 has model MLP"):
        st.ensemble([members[0], wider])
    raw = dataclasses.replace(members[1], standard=None)
    with pytest.raises(SettingError, match="model 3 of 3 has standardisation 'none'"):
        st.ensemble([members[0], members[2], raw])
    with pytest.raises(SettingError, match="an ensemble of 1; give at least two models"):
        st.ensemble(members[:1])
    with pytest.raises(SettingError, match="model 2 of 2 is an ensemble already"):
        st.ensemble([members[0], st.ensemble(members)])
    with pytest.raises(SettingError, match="model 1 of 2 is a str"):
        st.ensemble("ab")


def test_an_attack_on_members_of_different_units_is_refused(iris, members):
    with pytest.raises(SettingError, match="an attack has no size"):
        under_attack(st.ensemble(members), iris.features(), iris.y, Attack(0.1))
    alike = [dataclasses.replace(one, standard=members[0].standard) for one in members]
    assert st.ensemble(alike).standard is members[0].standard
    found = under_attack(st.ensemble(alike), iris.features(), iris.y, Attack(0.5))
    plain = np.mean(st.ensemble(alike).predict(iris.features()) == iris.y)
    assert found.report.accuracy < plain


def test_a_bagged_model_tells_its_out_of_bag_scores_and_is_saved(iris, tmp_path):
    found = fit(iris, st.Recipe(method=st.Momentum(rate=0.3), techniques=st.Bagging(bags=4)), epochs=3, seed=7)
    assert found.params["W"].shape == (4, 3, 4)
    rows = np.sort(_training_rows(iris, found))
    counts = bootstrap(_noise(7), iris.groups[rows], 4)
    Z = found.prepared(iris.features()[rows]).astype("f8")
    scores = np.einsum("kod,nd->kno", found.params["W"].astype("f8"), Z) + found.params["b"][:, None].astype("f8")
    shares = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    absent = counts == 0
    here = absent.any(axis=0)
    mean = (absent[..., None] * shares).sum(axis=0)[here] / absent.sum(axis=0)[here, None]
    y = iris.y[rows][here]
    told = found.scores["out-of-bag"]
    np.testing.assert_allclose(told["accuracy"], np.mean(mean.argmax(axis=1) == y))
    np.testing.assert_allclose(told["loss"], -np.mean(np.log(mean[np.arange(len(y)), y])), rtol=1e-6)
    matrix = confusion(y, mean.argmax(axis=1), 3)
    np.testing.assert_allclose(told["balanced"], np.mean(np.diag(matrix) / matrix.sum(axis=1)))
    assert found.notes[-1] == (
        f"out-of-bag: {here.sum()} of {len(rows)} training rows, each predicted by the bags that did not draw it"
    )
    again = load(save(found, tmp_path / "bagged"))
    assert again.scores["out-of-bag"] == told
    assert again.probabilities(iris.features()).tobytes() == found.probabilities(iris.features()).tobytes()


def test_out_of_bag_scores_do_not_see_a_rows_duplicates():
    """Labels are coin tosses, each row is there six times: whoever has not seen it is right half the time."""
    rng = np.random.default_rng(1)
    X, y = np.repeat(rng.normal(size=(60, 100)), 6, axis=0), np.repeat(rng.integers(0, 2, 60), 6)
    data = from_arrays(X, y)
    found = fit(data, st.Recipe(method=st.Momentum(rate=0.1), techniques=(st.Bagging(bags=6),)), epochs=10)
    assert found.scores["train"]["accuracy"] > 0.9
    assert abs(found.scores["out-of-bag"]["accuracy"] - 0.5) < 4 * np.sqrt(0.25 / 36)  # 36 groups to train on
    seen = int(re.search(r"out-of-bag: (\d+) of", found.notes[-1]).group(1))
    assert seen % 6 == 0
    assert seen > 150


def test_out_of_bag_scores_read_few_rows_at_a_time(iris, monkeypatch):
    recipe = st.Recipe(method=st.Momentum(rate=0.3), techniques=(st.Bagging(bags=4),))
    whole = fit(iris, recipe, epochs=3, seed=7)
    asked = []
    plain = Dataset.features

    def features(self, rows=None):
        asked.append(len(self) if rows is None else len(rows))
        return plain(self, rows)

    monkeypatch.setattr(Dataset, "features", features)
    monkeypatch.setattr("steepest.study.fit.ROWS_BYTES", 4 * 4 * 16)  # 16 rows of 4 numbers
    few = fit(iris, recipe, epochs=3, seed=7)
    assert few.scores == whole.scores
    assert [count for count in asked if count > 16] == [len(iris)], "once, to train on"
    assert len(asked) > 15


def _training_rows(data, found):
    source = from_dataset(data)
    return split(source.y, source.groups, found.seed, 0, classes=source.classes).train.rows


def _noise(seed):
    return key(seed, 0, "noise")


def test_bagging_helps_a_small_network_on_digits_and_compare_says_so():
    """By 1.4 ± 0.7 points in the run that this one repeats."""
    digits = st.open("digits")
    how = {"methods": ["adam"], "penalties": ["none"], "model": "mlp:16", "trials": 10, "epochs": 10, "seed": 0}
    found = st.compare(digits, techniques=["none", "bagging"], replicates=6, **how)
    assert re.match(r"on your data, bagging helps by \d\.\d ± \d\.\d points \(6 paired replicates", found.verdict)
    means = {cell["technique"]: cell["test"]["mean"] for cell in found.cells}
    assert 0.003 < means["bagging"] - means["none"] < 0.04
