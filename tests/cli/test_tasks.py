"""`--label a,b`: one model of several label columns, from fit to evaluate and predict."""

import csv
import io
import json

import numpy as np
import pytest

import steepest as st
from steepest.train.model_file import load

FIT = "fit wine.csv --label cultivar,strength --drop alcohol --method adam:rate=0.05 --epochs 8 --quiet"


@pytest.fixture
def wine(tmp_path, wine_lines):
    """The table's lines; it lies in the folder."""
    (tmp_path / "wine.csv").write_text("\n".join(wine_lines))
    return wine_lines


def saved(tmp_path, lines, name):
    (tmp_path / name).write_text("\n".join(lines))


@pytest.mark.usefixtures("wine")
def test_fit_scores_each_task_and_saves_them(steepest, tmp_path):
    done = steepest(f"{FIT} --model mlp:12 --loss multi-task:weights=1/0.5 --json")
    assert done.code == 0, done.err
    cultivar, strength = done.json["tasks"]
    assert (cultivar["name"], cultivar["classes"]) == ("cultivar", ["kind 0", "kind 1", "kind 2"])
    assert cultivar["scores"]["test"]["accuracy"] > 0.8
    assert strength["scores"]["test"]["accuracy"] > 0.6
    for part, together in done.json["scores"].items():
        each = [task["scores"][part] for task in (cultivar, strength)]
        assert together["loss"] == pytest.approx(each[0]["loss"] + 0.5 * each[1]["loss"])
        assert together["accuracy"] == pytest.approx((each[0]["accuracy"] + each[1]["accuracy"]) / 2)
    model = load(tmp_path / "model.safetensors")
    assert [task.name for task in model.tasks] == ["cultivar", "strength"]
    assert model.recipe.loss.weights == (1.0, 0.5)
    assert model.params["layer1"]["W"].shape == (12, 12)
    assert model.params["output"]["W"].shape == (5, 12)
    shown = steepest(FIT).out.splitlines()
    test = next(i for i, line in enumerate(shown) if line.startswith("test "))
    assert [line[12:24].strip() for line in shown[test : test + 3]] == ["cultivar", "strength", "all together"]


@pytest.mark.usefixtures("wine")
def test_naming_the_option_twice_is_the_same(steepest, tmp_path, monkeypatch):
    one = steepest(FIT, "--json").json
    two = steepest(FIT.replace("cultivar,strength", "cultivar --label strength"), "--json").json
    assert two["scores"] == one["scores"]
    (tmp_path / "steepest.toml").write_text('[fit]\nlabel = ["cultivar", "strength"]\n')
    assert steepest(FIT.replace("--label cultivar,strength", ""), "--json").json["scores"] == one["scores"]
    (tmp_path / "steepest.toml").unlink()
    monkeypatch.setenv("STEEPEST_FIT_LABEL", "cultivar,strength")
    assert steepest(FIT.replace("--label cultivar,strength", ""), "--json").json["scores"] == one["scores"]


def test_a_column_with_blanks_can_be_named_in_the_environment(steepest, tmp_path, wine, monkeypatch):
    saved(tmp_path, [wine[0].replace("cultivar", "kind of wine"), *wine[1:]], "wine.csv")
    monkeypatch.setenv("STEEPEST_LABEL", "kind of wine")
    assert list(steepest("data check wine.csv --json").json["classes"]) == ["kind 0", "kind 1", "kind 2"]


def test_evaluate_reports_each_task(steepest, tmp_path, wine):
    steepest(FIT)
    model, data = load(tmp_path / "model.safetensors"), st.open(tmp_path / "wine.csv", label=("cultivar", "strength"))
    said = model.predict(st.open(data).features()[:, 1:])
    about = steepest("evaluate model.safetensors wine.csv --json").json
    for place, (task, one) in enumerate(zip(data.tasks, about["tasks"])):
        assert one["name"] == task.name
        assert one["accuracy"] == np.mean(said[:, place] == task.y)
        assert [found["name"] for found in one["classes"]] == list(task.classes)
        assert np.sum(one["confusion"]) == 178
        assert one["confusion"][0][0] == np.sum((task.y == 0) & (said[:, place] == 0))
    assert about["accuracy"] == pytest.approx(np.mean([one["accuracy"] for one in about["tasks"]]))
    text = steepest("evaluate model.safetensors wine.csv").out
    assert text.index("\ncultivar\n") < text.index("kind 2") < text.index("\nstrength\n") < text.index("light")
    assert text.splitlines()[-2].startswith("cultivar: 178 rows: accuracy")
    assert text.splitlines()[-1].startswith("strength: 178 rows: accuracy")
    saved(tmp_path, [wine[0].replace("cultivar", "kind").replace("strength", "power"), *wine[1:]], "other.csv")
    renamed = steepest("evaluate model.safetensors other.csv --label kind,power --json").json
    assert renamed["tasks"] == about["tasks"]


def test_predict_labels_each_task(steepest, tmp_path, wine):
    steepest(FIT)
    saved(tmp_path, [line.rsplit(",", 2)[0] for line in wine], "new.csv")
    model = load(tmp_path / "model.safetensors")
    X = st.open(tmp_path / "wine.csv", label=("cultivar", "strength")).features()[:, 1:]
    want, shares = model.labels(X).tolist(), model.probabilities(X)
    table = list(csv.DictReader(io.StringIO(steepest("predict model.safetensors new.csv --probabilities").out)))
    assert [[row["label(cultivar)"], row["label(strength)"]] for row in table] == want
    heads = [f"p(cultivar=kind {k})" for k in range(3)] + ["p(strength=light)", "p(strength=strong)"]
    assert list(table[0]) == ["name", "label(cultivar)", "label(strength)", *heads]
    np.testing.assert_array_equal([[float(row[head]) for head in heads] for row in table], shares)
    lines = steepest("predict model.safetensors new.csv --probabilities --format jsonl").out.splitlines()
    first = json.loads(lines[0])
    assert first["labels"] == {"cultivar": want[0][0], "strength": want[0][1]}
    assert first["probabilities"]["strength"] == {"light": shares[0, 3], "strong": shares[0, 4]}
    whole = steepest("predict model.safetensors new.csv --json").json
    assert whole["classes"] == {"cultivar": ["kind 0", "kind 1", "kind 2"], "strength": ["light", "strong"]}
    assert len(whole["predictions"]) == 178


COMPARE = "compare wine.csv --label cultivar,strength --drop alcohol --methods adam --penalties none --model mlp:8"
FEW = "--trials 2 --replicates 2 --epochs 3"


@pytest.mark.usefixtures("wine")
def test_compare_asks_whether_the_second_label_helps_the_first(steepest, tmp_path):
    done = steepest(f"{COMPARE} --techniques none,multi-task {FEW} --json")
    assert done.code == 0, done.err
    assert "all scores are of cultivar; strength can help it" in " ".join(done.json["notes"])
    assert "wine.csv: all scores are of cultivar; strength can help it" in done.err
    assert [cell["technique"] for cell in done.json["cells"]].count("multi-task") == 1
    assert "multi-task.weight" in done.json["settings"]["search"]["adam+none, multi-task"]
    assert {("none", "multi-task"), ("multi-task", "none")} & {(pair["a"], pair["b"]) for pair in done.json["pairs"]}
    fitted = steepest("fit wine.csv --from latest --json")
    assert fitted.code == 0, fitted.err
    helped = done.json["recommended"]["technique"] == "multi-task"
    assert len(load(tmp_path / "model.safetensors").tasks) == (2 if helped else 0)


@pytest.mark.usefixtures("wine")
@pytest.mark.parametrize(("names", "tasks"), [("none,multi-task+weight-noise:scale=99", 0), ("multi-task", 2)])
def test_a_recommended_setting_is_trained_as_it_was_compared(steepest, tmp_path, names, tasks):
    steepest(f"{COMPARE} --techniques {names} {FEW}")
    done = steepest("fit wine.csv --from latest --json")
    model = load(tmp_path / "model.safetensors")
    assert (done.code, len(model.tasks)) == (0, tasks)
    assert model.schema.labels == ("cultivar", "strength")[: tasks or 1]
    if tasks:
        assert (model.recipe.loss.judge, model.recipe.loss.weights[0]) == ("first", 1.0)
    assert steepest("evaluate model.safetensors wine.csv --json").json["accuracy"] > 0.5


@pytest.mark.usefixtures("wine")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("fit wine.csv --label cultivar,strenght", 1, "wine.csv: no column 'strenght'; did you mean 'strength'?"),
        ("fit wine.csv --label cultivar,cultivar", 2, "label: 'cultivar' is named twice"),
        ("fit wine.csv --label cultivar --label cultivar", 2, "label: 'cultivar' is named twice"),
        ("fit wine.csv --label cultivar,strength --loss hinge", 2, "each task's loss is CrossEntropy"),
        ("fit wine.csv --label cultivar,strength --loss multi-task:weights=1/2/3", 2, "3 weights for 2 tasks"),
        ("fit wine.csv --label cultivar,strength --loss multi-task:weights=1/x", 2, "weights = 'x'; it must be"),
        ("fit wine.csv --label cultivar --loss multi-task", 2, "is for several label columns, and there is one"),
        ("fit wine.csv --label cultivar,strength --techniques smoothing", 2, "and there are 2 tasks; leave it out"),
        ("fit iris --label a,b", 2, "label: iris is no table"),
        ("compare wine.csv --label cultivar,strength", 2, "add --techniques none,multi-task; or name one label"),
        ("compare wine.csv --label cultivar --techniques none,multi-task", 2, "needs several label columns"),
        ("fit wine.csv --label cultivar --techniques multi-task", 2, "needs several label columns"),
        ("compare wine.csv --label cultivar --loss multi-task", 2, "loss = multi-task is for several labels"),
    ],
)
def test_what_cannot_be_trained_is_one_line(steepest, words, code, said):
    done = steepest(words, "--quiet")
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_tables_that_cannot_be_trained_on_are_one_line(steepest, tmp_path, wine):
    gap = [*wine[:5], wine[5].rsplit(",", 1)[0] + ",", *wine[6:]]
    saved(tmp_path, gap, "gap.csv")
    saved(tmp_path, [line.replace("light", "strong") for line in wine], "one.csv")
    done = steepest("fit gap.csv --label cultivar,strength --quiet")
    assert (done.code, done.out) == (1, "")
    assert "gap.csv: column 'strength', line 6: no label (1 row); fill it in, or leave such rows out" in done.err
    assert steepest("fit gap.csv --label cultivar,strength --missing drop --epochs 1 --quiet").code == 0
    done = steepest("fit one.csv --label cultivar,strength --quiet")
    assert (done.code, done.out) == (1, "")
    assert done.err == "steepest: one.csv: column 'strength' holds one class, 'strong'; at least two are needed\n"
    done = steepest("data check one.csv --label cultivar,strength")
    assert done.code == 1
    assert "column 'strength' holds one class" in done.out.replace("\n   ", " ")
