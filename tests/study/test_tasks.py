"""One model of several label columns: split by the first, scored for each, stored whole."""

import json
import struct
from dataclasses import replace

import jax
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

import steepest as st
from steepest.core.errors import DataError, SettingError
from steepest.losses.multitask import MultiTask
from steepest.study.attack import attack_from_text, under_attack
from steepest.study.ensemble import ensemble
from steepest.study.evaluate import evaluate
from steepest.study.fit import fit, scores_on
from steepest.study.predict import predicted
from steepest.study.replicate import draw_of, parts_of
from steepest.study.source import from_dataset
from steepest.study.sweep import sweep
from steepest.study.tasks import scores_of_tasks, with_tasks
from steepest.train.model_file import load, save

ADAM = st.Recipe(model=st.MLP(widths=(12,)), method=st.Adam(rate=0.02))


@pytest.fixture(scope="module")
def data(wine):
    return st.open(wine, label="cultivar,strength", drop=("alcohol",))


@pytest.fixture(scope="module")
def fitted(data):
    return fit(data, ADAM, epochs=12)


def split_of(data, replicate=0):
    source = from_dataset(data)
    return parts_of(source, draw_of(source, 0, 0.25, 0.2, True), replicate)


def test_both_tasks_are_learnt_and_scored_as_scikit_learn_does(data, fitted):
    rows = split_of(data).test.rows
    shares = fitted.probabilities(data.features(rows))
    for task, own, truth in zip(fitted.tasks, (slice(0, 3), slice(3, 5)), data.tasks):
        said = shares[:, own].argmax(axis=1)
        assert task.scores["test"]["accuracy"] == accuracy_score(truth.y[rows], said)
        assert task.scores["test"]["f1"] == pytest.approx(f1_score(truth.y[rows], said, average="macro"))
        assert task.scores["test"]["loss"] == pytest.approx(log_loss(truth.y[rows], shares[:, own]), rel=1e-6)
    cultivar, strength = (task.scores["test"] for task in fitted.tasks)
    assert cultivar["accuracy"] > 0.85
    assert strength["accuracy"] > 0.7
    together = fitted.scores["test"]
    assert together["accuracy"] == pytest.approx((cultivar["accuracy"] + strength["accuracy"]) / 2)
    assert together["loss"] == pytest.approx(cultivar["loss"] + strength["loss"])
    assert fitted.classes == (
        "cultivar:kind 0",
        "cultivar:kind 1",
        "cultivar:kind 2",
        "strength:light",
        "strength:strong",
    )
    assert fitted.labels(data.features(rows)).tolist()[0][1] in ("light", "strong")


def test_rows_are_split_by_the_first_label(wine, data):
    alone = st.open(wine, label="cultivar", drop=("alcohol", "strength"))
    np.testing.assert_array_equal(split_of(data).test.rows, split_of(alone).test.rows)


def test_a_sweep_scores_the_first_task(data, fitted):
    found = sweep(ADAM, data, replicates=1, epochs=12, standardize=True)
    assert found.accuracy[0, 0] == pytest.approx(fitted.tasks[0].scores["test"]["accuracy"])


def test_weights_decide_what_is_learnt(data):
    light = fit(data, st.Recipe(model=st.Linear(), method=st.Adam(rate=0.02), loss=MultiTask(weights=(1, 0))), epochs=3)
    np.testing.assert_array_equal(light.params["W"][3:], 0)  # a linear model starts from zero, and nothing moves these
    assert np.abs(light.params["W"][:3]).min() > 0
    assert light.scores["test"]["loss"] == light.tasks[0].scores["test"]["loss"]


def test_a_file_holds_the_tasks(tmp_path, data, fitted):
    again = load(save(fitted, tmp_path / "wine"))
    assert again.tasks == fitted.tasks
    assert again.recipe == fitted.recipe
    assert again.classes == fitted.classes
    X = data.features()
    np.testing.assert_array_equal(again.probabilities(X), fitted.probabilities(X))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda h: h.pop("tasks"), "its tasks are not those of its loss"),
        (lambda h: h["tasks"].pop(), "its tasks are not those of its loss"),
        (lambda h: h["tasks"][0].update(classes=["a", "b"]), "its tasks are not those of its loss"),
        (lambda h: h["tasks"][0].update(classes=["a", "b", "b"]), "each named once"),
        (lambda h: h["tasks"][0].update(scores=3), "scores is no mapping"),
        (lambda h: h["tasks"][1].update(name="other"), "its tasks are not its label columns"),
        (lambda h: h["data_schema"].update(further=[]), "its tasks are not its label columns"),
        (lambda h: h.update(tasks={"cultivar": 3}), "its tasks are no list"),
        (lambda h: h["recipe"]["loss"]["settings"].update(classes=[3, 2**40]), "its tasks are not those of its loss"),
    ],
)
def test_a_file_whose_tasks_do_not_add_up_is_refused(tmp_path, fitted, change, said):
    path = save(fitted, tmp_path / "wine")
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    ours = json.loads(header["__metadata__"]["steepest"])
    change(ours)
    header["__metadata__"]["steepest"] = json.dumps(ours)
    made = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(made)) + made + content[8 + length :])
    with pytest.raises(DataError, match=said) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_evaluating_reports_each_task(wine, data, fitted):
    found = evaluate(fitted, wine)
    said = fitted.predict(data.features())
    for place, (task, one) in enumerate(zip(data.tasks, found.tasks.values())):
        assert one.accuracy == accuracy_score(task.y, said[:, place])
        assert one.confusion == tuple(
            tuple(int(((task.y == i) & (said[:, place] == j)).sum()) for j in range(len(task.classes)))
            for i in range(len(task.classes))
        )
    assert list(found.tasks) == ["cultivar", "strength"]
    assert found.report == found.tasks["cultivar"]


def test_evaluating_needs_all_labels(tmp_path, wine, data, fitted):
    lines = wine.read_text().splitlines()
    (tmp_path / "few.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in lines))
    with pytest.raises(DataError, match=r"few.csv: its rows lack labels .* predicts cultivar, strength: give"):
        evaluate(fitted, tmp_path / "few.csv")
    (tmp_path / "new.csv").write_text("\n".join([lines[0], lines[1].replace("strong", "mild")]))
    with pytest.raises(DataError, match="'strength': the model does not know class mild; it knows light, strong"):
        evaluate(fitted, tmp_path / "new.csv")
    with pytest.raises(SettingError, match=r"attack: the model has several tasks \(cultivar, strength\)"):
        evaluate(fitted, wine, attack=attack_from_text("fgsm:size=0.1"))
    rows = data.features()
    with pytest.raises(SettingError, match="attack: the model has several tasks"):
        under_attack(fitted, rows, data.y, attack_from_text("fgsm"))
    with pytest.raises(SettingError, match="scores_on: the model has 2 tasks"):
        scores_on(fitted, rows, data.y)


def test_predicting_labels_each_task(wine, data):
    fitted = fit(data, replace(ADAM, techniques=(st.Dropout(0.5),)), epochs=2)
    found = predicted(fitted, wine, probabilities=True, samples=20)
    mean = found.sampled.mean
    want = zip(
        np.array(data.classes)[mean[:, :3].argmax(axis=1)], np.array(["light", "strong"])[mean[:, 3:].argmax(axis=1)]
    )
    assert found.labels == [tuple(map(str, pair)) for pair in want]
    np.testing.assert_allclose(mean[:, 3:].sum(axis=1), 1)
    plain = predicted(fitted, wine)
    assert plain.labels == list(map(tuple, fitted.labels(data.features()).tolist()))


def test_bags_are_scored_out_of_bag_for_each_task(data):
    found = fit(data, st.Recipe(techniques=st.Bagging(bags=2)), epochs=4)
    for task in found.tasks:
        assert 0.5 < task.scores["out-of-bag"]["accuracy"] <= 1
    each = [task.scores["out-of-bag"]["loss"] for task in found.tasks]
    assert found.scores["out-of-bag"]["loss"] == pytest.approx(sum(each))
    assert any("each predicted by the bags that did not draw it" in note for note in found.notes)


def test_models_of_several_tasks_make_an_ensemble(data, fitted):
    other = replace(fitted, params=jax.tree.map(lambda leaf: leaf + 0.1, fitted.params))
    both = ensemble([fitted, other])
    X = data.features()
    mean = (fitted.probabilities(X) + other.probabilities(X)) / 2
    np.testing.assert_allclose(both.probabilities(X), mean, atol=1e-9)
    assert both.labels(X).shape == (178, 2)
    assert [task.scores for task in both.tasks] == [{}, {}]
    with pytest.raises(SettingError, match="Bagging: has no votes for several tasks"):
        ensemble([fitted, other], combine="vote")


def test_rows_on_disk_train_the_same_heads(tmp_path, data):
    data.X.tofile(tmp_path / "rows")
    far = replace(data, X=np.memmap(tmp_path / "rows", data.X.dtype, "r", shape=data.X.shape))
    assert far.on_disk
    one, two = (fit(rows, st.Recipe(method=st.Adam(rate=0.02)), epochs=2) for rows in (data, far))
    np.testing.assert_allclose(two.params["W"], one.params["W"], rtol=1e-4, atol=1e-6)
    assert [task.scores["test"]["accuracy"] for task in two.tasks] == [
        task.scores["test"]["accuracy"] for task in one.tasks
    ]


def test_a_class_of_a_further_task_without_training_rows_is_said(tmp_path, wine):
    lines = wine.read_text().splitlines()
    lines[1] = lines[1].replace("strong", "odd")
    (tmp_path / "rare.csv").write_text("\n".join(lines))
    data = st.open(tmp_path / "rare.csv", label="cultivar,strength")
    said = [fit(data, st.Recipe(), epochs=1, replicate=r).notes for r in range(6)]
    trained = [0 in split_of(data, r).train.rows for r in range(6)]
    assert [any("strength: class odd has no training rows" in note for note in notes) for notes in said] == [
        not there for there in trained
    ]
    assert len(set(trained)) == 2


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (st.Recipe(loss=st.Hinge()), "each task's loss is CrossEntropy, and the recipe's is Hinge"),
        (st.Recipe(loss=MultiTask(weights=(1, 2, 3))), "MultiTask: 3 weights for 2 tasks"),
        (st.Recipe(loss=MultiTask((3, 4))), r"MultiTask: classes = \(3, 4\), and the label columns have \(3, 2\)"),
        (st.Recipe(techniques=st.Smoothing()), "Smoothing: is for one task's classes, and there are 2 tasks"),
        (st.Recipe(techniques=st.Bagging(combine="vote")), "Bagging: has no votes for several tasks"),
        (st.Recipe(method=st.Coordinate()), "a training of several tasks cannot run it"),
    ],
)
def test_what_goes_with_one_task_only_is_refused(data, recipe, said):
    with pytest.raises(SettingError, match=said):
        fit(data, recipe)


def test_a_loss_of_several_tasks_is_refused_for_one_label(wine):
    with pytest.raises(SettingError, match="loss multi-task is for several label columns, and there is one"):
        fit(st.open(wine, label="cultivar"), st.Recipe(loss=MultiTask()))
    with pytest.raises(SettingError, match="loss multi-task is for several label columns, and there is one"):
        sweep(st.Recipe(loss=MultiTask((3, 2))), st.open(wine, label="cultivar"))


def test_scores_of_parts_without_rows_are_empty():
    loss = with_tasks(st.Recipe(), (3, 2)).loss
    assert scores_of_tasks(loss, np.zeros((0, 5)), np.zeros((0, 2), int)) == ({}, {}, {})
