"""`compare` on several label columns: scores are of the first, and the technique `multi-task` lets the others help."""
# source: R6

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss

import steepest as st
from steepest.core.errors import SettingError
from steepest.data.arrays import from_arrays
from steepest.data.labels import Task
from steepest.losses.multitask import MultiTask
from steepest.study.compare import compare
from steepest.study.fit import fit
from steepest.study.recommended import Recommended
from steepest.study.settings import Settings
from steepest.study.study import plan
from steepest.study.sweep import sweep
from steepest.study.tasks import with_tasks
from steepest.techniques.further import FurtherTasks

SMALL = {
    "methods": "adam", "penalties": "none", "model": "mlp:8", "trials": 2, "replicates": 2, "epochs": 3,
}  # fmt: skip
HELPED = st.Recipe(model=st.MLP(widths=(8,)), method=st.Adam(rate=0.02), techniques=FurtherTasks(weight=0.5))


@pytest.fixture(scope="module")
def data(wine):
    return st.open(wine, label="cultivar,strength", drop=("alcohol",))


@pytest.fixture(scope="module")
def alone(wine):
    return st.open(wine, label="cultivar", drop=("alcohol", "strength"))


def test_without_the_technique_a_candidate_is_that_of_the_first_label_alone(data, alone):
    """Smoothing and label noise, which are for one task's classes, too."""
    names = "none,smoothing:amount=0.1+label-noise:rate=0.1"
    several = compare(data, **SMALL, techniques=f"{names},multi-task", attack="fgsm:size=0.3")
    one = compare(alone, **SMALL, techniques=names, attack="fgsm:size=0.3")
    for theirs in one.cells:
        (ours,) = [cell for cell in several.cells if cell["technique"] == theirs["technique"]]
        assert {**ours, "rank": 0} == {**theirs, "rank": 0}
    (helped,) = [cell for cell in several.cells if cell["technique"] == "multi-task"]
    (unhelped,) = [cell for cell in several.cells if cell["technique"] == "none"]
    assert helped != unhelped
    assert any("all scores are of cultivar; strength can help it" in note for note in several.notes)


def test_scores_are_of_the_first_task(data):
    found = sweep(HELPED, data, replicates=1, epochs=6, standardize=True)
    fitted = fit(data, HELPED, epochs=6)
    rows = found.rows(0).test.rows
    shares = fitted.probabilities(data.features(rows))[:, :3]
    assert found.accuracy[0, 0] == np.mean(shares.argmax(axis=1) == data.y[rows])
    assert found.score("loss")[0, 0] == pytest.approx(log_loss(data.y[rows], shares), rel=1e-5)
    validation = found.rows(0).validation.rows
    shares = fitted.probabilities(data.features(validation))[:, :3]
    assert found.curves["validation_loss"][0, 0, -1] == pytest.approx(log_loss(data.y[validation], shares), rel=1e-5)
    said = shares.argmax(axis=1)
    assert found.curves["validation_accuracy"][0, 0, -1] == pytest.approx(np.mean(said == data.y[validation]))


def test_it_is_the_loss_with_these_weights(data):
    recipe = with_tasks(HELPED, (3, 2))
    assert recipe.loss == MultiTask((3, 2), (1.0, 0.5), judge="first")
    assert recipe.techniques == ()
    ours, theirs = fit(data, HELPED, epochs=4), fit(
        data, st.Recipe(model=HELPED.model, method=HELPED.method, loss=MultiTask(weights=(1, 0.5))), epochs=4
    )  # fmt: skip
    for mine, other in zip(_leaves(ours.params), _leaves(theirs.params)):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(ours.curves["train_loss"], theirs.curves["train_loss"])
    assert not np.array_equal(ours.curves["validation_loss"], theirs.curves["validation_loss"])


def _leaves(params):
    return [params[layer][name] for layer in sorted(params) for name in sorted(params[layer])]


def test_a_stopping_rule_hears_the_first_task_alone():
    """Only the first task's validation loss is listened to, where the others are there to help it."""
    rng = np.random.default_rng(0)
    y = np.arange(160) % 2
    X = (rng.normal(size=(160, 20)) + 0.6 * y[:, None]).astype("f4")
    found = from_arrays(X, y)
    tossed = Task("tossed", rng.permutation(y).astype(np.int32), ("heads", "tails"))
    found = replace(found, further=(tossed,), schema=replace(found.schema, label="label", further=("tossed",)))
    how = {"model": st.MLP(widths=(32,)), "method": st.Adam(rate=0.01), "batch_size": 16}
    how["stop"] = st.NoGain(patience=3)
    first = fit(found, st.Recipe(**how, techniques=FurtherTasks(weight=3.0)), epochs=60)
    every = fit(found, st.Recipe(**how, loss=MultiTask(weights=(1.0, 3.0))), epochs=60)
    assert first.epochs != every.epochs
    both = min(first.epochs, every.epochs)
    np.testing.assert_array_equal(first.curves["train_loss"][:both], every.curves["train_loss"][:both])
    for one in (first, every):
        assert one.epochs == 1 + np.nanargmin(one.curves["validation_loss"]) + 3


def test_recommended_without_it_the_other_labels_are_left_out(data, alone):
    base = Recommended(st.Recipe(), Settings(), "wine", data.fingerprint, 1, "", None)
    one = base.rows_for(base.recipe, data, {})
    assert (one.further, one.schema.labels) == ((), ("cultivar",))
    assert one.schema == alone.schema
    np.testing.assert_array_equal(one.features(), alone.features())
    assert base.rows_for(base.recipe, data, {"label": "cultivar,strength"}) is data
    assert base.rows_for(st.Recipe(loss=MultiTask()), data, {}) is data
    assert base.rows_for(HELPED, data, {}) is data


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "label = cultivar, strength: a comparison is of the first label, and the others help it by the technique"),
        ({"techniques": "multi-task+smoothing"}, r"adam\+none, multi-task\+smoothing: Smoothing: is for one task's"),
        ({"techniques": "multi-task+bagging:combine=vote"}, "has no votes for several tasks at once"),
        ({"techniques": "none,multi-task", "loss": "hinge"}, "each task's loss is CrossEntropy, and the recipe's is"),
        ({"techniques": "multi-task", "loss": "multi-task"}, "let the others help it by techniques = none,multi-task"),
        ({"techniques": "multi-task+multi-task"}, "multi-task is there twice"),
        ({"techniques": "multi-task:weight=0"}, "weight = 0; it must be a finite number above 0"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(data, change, said):
    with pytest.raises(SettingError, match=said):
        plan(data, Settings(**SMALL, **change))


def test_the_technique_beside_the_loss_is_refused(data):
    with pytest.raises(SettingError, match="multi-task is both technique and loss"):
        fit(data, st.Recipe(loss=MultiTask(weights=(1.0, 0.5)), techniques=FurtherTasks()))


def test_with_one_label_column_it_is_refused_everywhere(alone):
    said = "FurtherTasks: needs several label columns, as --label a,b; leave it out"
    for call in (
        lambda: plan(alone, Settings(**SMALL, techniques="none,multi-task")),
        lambda: fit(alone, HELPED),
        lambda: sweep(HELPED, alone),
        lambda: st.Classifier(model="mlp:8", techniques="multi-task").fit(alone.features(), alone.y),
    ):
        with pytest.raises(SettingError, match=said):
            call()


def test_bags_and_attacks_go_with_it(data):
    found = compare(data, **SMALL, techniques="none,multi-task+bagging:bags=3", attack="fgsm:size=0.2")
    for cell in found.cells:
        assert 0 < cell["attacked"]["mean"] < cell["test"]["mean"] <= 1
