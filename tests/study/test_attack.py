"""Scores under attack: of a saved model and of a population, and that training on attacked rows raises them."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import DataError, SettingError
from steepest.core.stack import stack
from steepest.data.opening import open as open_data
from steepest.methods.adam import Adam
from steepest.models.mlp import MLP
from steepest.study.attack import accuracy_under, attack_from_text, attack_text, labels_of_attacked, under_attack
from steepest.study.evaluate import evaluate
from steepest.study.fit import fit
from steepest.study.plan import Plan
from steepest.study.replicate import draw_of, draw_replicate, parts_of
from steepest.study.run import run
from steepest.study.source import from_dataset
from steepest.study.split import TEST_SHARE, VALIDATION_SHARE
from steepest.techniques.adversarial import Adversarial, Attack
from steepest.techniques.bagging import Bagging
from steepest.train.attack import score_under
from steepest.train.cache import precision
from steepest.train.model_file import load, save
from steepest.train.population import train
from steepest.train.recipe import Recipe
from steepest.train.scoring import score

DATA = open_data("digits")
RECIPES = [
    Recipe(model=MLP(widths=(32,)), method=Adam(rate=3e-3), techniques=Adversarial(size)) for size in (0.0, 0.15)
]


@pytest.fixture(scope="module")
def fitted():
    return fit(DATA, Recipe(method=Adam(rate=3e-3)), epochs=5)


@pytest.fixture(scope="module")
def population():
    """Both recipes after ten epochs, on three replicates: with the rows they were trained and are tested on."""
    source = from_dataset(DATA)
    draw = draw_of(source, 0, 0.25, 0.0, True)
    replicates = [draw_replicate(source, draw, number) for number in range(3)]
    return [(replicate, train(RECIPES, replicate, 10)) for replicate in replicates]


def hits(replicate, found, attack):
    stacked = stack([recipe.general() for recipe in RECIPES])
    labels = np.asarray(score_under(stacked, found.params, replicate.test, attack, replicate.facts))
    return labels, (labels == np.asarray(replicate.test.y)).mean(1)


def test_training_on_attacked_rows_raises_the_accuracy_under_attack(population):
    """By paired replicates: better under attack in each, by FGSM and by the stronger PGD."""
    for attack in (Attack(0.3), Attack(0.3, kind="pgd")):
        gains = [np.diff(hits(*one, attack)[1])[0] for one in population]
        assert min(gains) > 0.05


def test_no_size_is_no_attack_and_more_is_worse(population):
    replicate, found = population[0]
    plain = np.asarray(score(stack([recipe.general() for recipe in RECIPES]), found.params, replicate.test)[0])
    np.testing.assert_array_equal(hits(replicate, found, Attack(0.0))[0], plain)
    under = [hits(replicate, found, Attack(size))[1] for size in (0.0, 0.1, 0.3, 1.0)]
    assert (np.diff(under, axis=0) < 0).all()
    assert (hits(replicate, found, Attack(0.3, kind="pgd"))[1] <= under[2]).all()


def test_each_member_is_attacked_by_its_own_gradient(population):
    replicate, found = population[0]
    together = hits(replicate, found, Attack(0.3))[0]
    for place in range(2):
        alone = {name: {k: v[place : place + 1] for k, v in layer.items()} for name, layer in found.params.items()}
        one = stack([RECIPES[place].general()])
        labels = score_under(one, alone, replicate.test, Attack(0.3), replicate.facts)
        assert (np.asarray(labels)[0] == together[place]).mean() > 0.995  # other company, other rounding


@pytest.mark.parametrize("attack", [Attack(0.2), Attack(0.2, kind="pgd"), Attack(0.5, kind="pgd", norm="2")])
def test_many_rows_are_attacked_some_at_a_time(monkeypatch, population, attack):
    """PGD's starts are drawn by a row's number, so that parts change nothing."""
    replicate, found = population[0]
    want = hits(replicate, found, attack)[0]
    monkeypatch.setattr("steepest.train.attack.rows_at_once", lambda *_: 8 * 128)
    from steepest.train.attack import labels_under

    params = {name: {k: jnp.asarray(v[0]) for k, v in layer.items()} for name, layer in found.params.items()}
    limits = (replicate.facts.low, replicate.facts.high)
    with precision("float64"):
        got = labels_under(RECIPES[0].general(), params, replicate.test.X, replicate.test.y, attack, limits)
    np.testing.assert_array_equal(got, want[0])


def test_a_linear_models_attack_is_what_its_weights_say(fitted):
    """FGSM on softmax scores: x + ε·sign(Wᵀ(p − y)), within black and white. By NumPy."""
    X, y = DATA.features(), DATA.y
    rows = fitted.prepared(X).reshape(len(X), -1).astype(float)
    W, b = (np.asarray(fitted.params[name], float) for name in ("W", "b"))
    shares = np.exp(rows @ W.T + b)
    shares /= shares.sum(1, keepdims=True)
    way = np.sign((shares - np.eye(10)[y]) @ W)
    standard = fitted.standard
    low, high = (0 - standard.center) / standard.scale, (1 - standard.center) / standard.scale
    moved = np.clip(rows + 0.2 * way, low, high)
    want = (moved @ W.T + b).argmax(1)
    got = labels_of_attacked(fitted, X, y, Attack(0.2))
    assert (got == want).mean() > 0.999
    assert accuracy_under(fitted, X, y, Attack(0.2)) == (got == y).mean()
    assert (want == y).mean() < (fitted.predict(X) == y).mean() - 0.05


def test_a_tables_range_is_that_of_the_training_rows():
    iris = open_data("iris")
    found = fit(iris, Recipe(), epochs=5)
    train = parts_of(
        from_dataset(iris), draw_of(from_dataset(iris), 0, TEST_SHARE, VALIDATION_SHARE, True), 0
    ).train.rows
    seen = found.prepared(iris.features()[train])
    np.testing.assert_array_equal(found.limits, (seen.min(axis=0), seen.max(axis=0)))
    far = under_attack(found, iris.features(), iris.y, Attack(1e6))
    assert (far.units, far.within) == ("standardised", "the range of the training rows")
    assert far.report.accuracy < 0.5
    assert under_attack(found, iris.features(), iris.y, Attack(0.0)).report.accuracy > 0.8


def test_pixels_go_from_black_to_white():
    for data, white in ((DATA, 1.0), (open_data("digits", raw=True), 16.0)):
        source = from_dataset(data)
        replicate = draw_replicate(source, draw_of(source, 0, 0.25, 0.0, True), 0)
        standard, facts = replicate.standard, replicate.facts
        for limit, value in ((facts.low, 0.0), (facts.high, white)):
            want = (value - standard.center) / standard.scale
            np.testing.assert_allclose(np.asarray(limit).ravel(), want, rtol=1e-6)


SAME = {
    "pixels": ("digits", Recipe(model=MLP((16,)), method=Adam(rate=0.01)), Attack(0.1, kind="pgd")),
    "a table": ("iris", Recipe(method=Adam(rate=0.1)), Attack(1.0)),
    "float64": ("wine", Recipe(method=Adam(rate=0.1), dtype="float64"), Attack(2.0, kind="pgd", norm="2", steps=3)),
    "bags": ("iris", Recipe(method=Adam(rate=0.1), techniques=(Bagging(3),)), Attack(0.5)),
}


@pytest.mark.parametrize(("name", "recipe", "attack"), SAME.values(), ids=SAME)
def test_a_saved_model_is_attacked_as_its_training_was_in_the_comparison(tmp_path, name, recipe, attack):
    """Same weights, same test rows, same limits, same start: the same scores under attack, to the last row."""
    data = open_data(name)
    source = from_dataset(data)
    draw = draw_of(source, 3, TEST_SHARE, VALIDATION_SHARE, True, recipe.dtype)
    found = []
    run(Plan(source, lambda _: [recipe], draw, 1, 4, threads=1, attack=attack), found.extend)
    compared = found[0].test
    fitted = load(save(fit(data, recipe, epochs=4, seed=3), tmp_path / "m"))
    rows = parts_of(source, draw, 0).test.rows
    got = under_attack(fitted, data.features()[rows], data.y[rows], attack).report
    assert got.accuracy == pytest.approx(compared["attacked accuracy"], abs=1e-12)
    assert got.macro.f1 == pytest.approx(compared["attacked f1"], abs=1e-12)
    assert got.accuracy < compared["accuracy"], "the attack does something"


def test_a_row_is_attacked_alike_whatever_rows_come_with_it():
    """By FGSM; PGD starts at a place that hangs on the row's number."""
    iris = open_data("iris")
    found = fit(iris, Recipe(method=Adam(rate=0.1)), epochs=5)
    X, y = iris.features()[::15], iris.y[::15]
    together = labels_of_attacked(found, X, y, Attack(1.0))
    assert (together != found.predict(X)).sum() > 3
    alone = [labels_of_attacked(found, X[i : i + 1], y[i : i + 1], Attack(1.0))[0] for i in range(len(X))]
    np.testing.assert_array_equal(alone, together)


def test_a_model_from_before_files_held_limits_says_that_it_does_not_know_them():
    iris = open_data("iris")
    older = replace(fit(iris, Recipe(), epochs=5), limits=None)
    found = evaluate(older, "iris", attack=Attack(0.5))
    assert found.attacked.within == "the range of the rows given"
    assert "attacked rows stay within the range of the rows here" in " ".join(found.notes)
    rows = older.prepared(iris.features())
    known = replace(older, limits=(rows.min(axis=0), rows.max(axis=0)))
    want = labels_of_attacked(known, iris.features(), iris.y, Attack(0.5))
    np.testing.assert_array_equal(labels_of_attacked(older, iris.features(), iris.y, Attack(0.5)), want)
    assert not any("attacked" in note for note in evaluate(known, "iris", attack=Attack(0.5)).notes)


def test_no_rows_are_attacked_to_no_labels(fitted):
    assert labels_of_attacked(fitted, DATA.features()[:0], DATA.y[:0], Attack(0.1)).shape == (0,)


@pytest.mark.parametrize("text", ["fgsm:size=0.1", "pgd:size=0.25,norm=2,steps=20", "fgsm:size=3.0,norm=2"])
def test_texts_are_read_back(text):
    assert attack_text(attack_from_text(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fgms:size=1", "unknown attack 'fgms'; did you mean 'fgsm'"),
        ("fgsm:steps=3", "unknown setting of attack fgsm 'steps'; known: size, norm"),
        ("pgd:kind=fgsm", "unknown setting of attack pgd 'kind'"),
        ("pgd:size=-1", "attack pgd: size = -1; it must be a finite number of at least 0"),
        ("pgd:steps=0", "steps = 0; it must be a whole number of at least 1"),
    ],
)
def test_texts_that_say_no_attack(text, said):
    with pytest.raises(SettingError) as caught:
        attack_from_text(text)
    assert said in str(caught.value)


def test_labels_that_do_not_fit_the_rows_are_refused(fitted):
    X = np.zeros((4, 64), np.float32)
    for y in (np.zeros(3, int), np.zeros(5, int), 0):
        with pytest.raises(DataError, match=r"4 rows, and labels of shape \(.*\); there must be one for each row"):
            accuracy_under(fitted, X, y, Attack(0.2))
    with pytest.raises(SettingError, match=r"object is no fitted model; of a Classifier give its \.fitted_"):
        accuracy_under(object(), X, np.zeros(4, int), Attack(0.2))
