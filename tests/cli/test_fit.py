"""One training from the command line, and what can be done with the model it saves."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from steepest.cli.fit import _other_data
from steepest.train.model_file import load

BLOBS = "fit blobs --samples 80 --batch-size 16 --epochs 8"


@pytest.fixture
def model(steepest):
    done = steepest(f"{BLOBS} --method adam:rate=0.1 -q")
    assert done.code == 0, done.err
    return "model.safetensors"


def test_fit_saves_a_model_and_a_picture_and_says_the_scores(steepest, tmp_path):
    done = steepest(f"{BLOBS} --method momentum:rate=0.05,momentum=0.8 --penalty l2:strength=1e-3")
    assert done.code == 0, done.err
    assert (tmp_path / "model.safetensors").stat().st_size > 0
    assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")
    assert "blobs: momentum:rate=0.05,momentum=0.8 + l2:strength=0.001, linear" in done.out
    for part in ("train", "validation", "test"):
        assert re.search(rf"^{part} +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$", done.out, re.MULTILINE)


def test_json_holds_scores_curves_and_files(steepest):
    done = steepest(f"{BLOBS} --json --out other --picture curve.svg --method adam:rate=0.1 --schedule cosine")
    found = done.json
    assert found["schema"] == "steepest.fit/1"
    assert (found["model"], found["picture"]) == ("other.safetensors", "curve.svg")
    assert found["recipe"] == "adam:rate=0.1 + none, linear, schedule cosine"
    assert len(found["curves"]["train_loss"]) == found["epochs"] == 8
    assert found["scores"]["test"]["accuracy"] > 0.8


def test_every_part_can_be_given(steepest):
    parts = "--model mlp:4:tanh --loss hinge --init normal:scale=0.1 --clip norm:limit=2 --average ema:decay=0.9"
    chain = "chain:first=(step:every=3),second=warm-up"
    done = steepest(f"{BLOBS} --json {parts} --stop no-gain:patience=2", "--schedule", chain)
    assert done.code == 0, done.err
    said = done.json["recipe"]
    for part in ("mlp:4:tanh", "loss hinge", "init normal:scale=0.1", "clip norm:limit=2.0", "average ema:decay=0.9",
                 "stop no-gain:patience=2", "schedule chain:first=(step:every=3),second=warm-up"):  # fmt: skip
        assert part in said


def test_techniques_are_trained_with_and_saved_with_the_model(steepest):
    from steepest.train.model_file import load

    words = "augment:rotate=1e+1,shift=0.1+dropout:rate=0.3,layers=1+early-stopping:patience=1"
    small = "fit digits --model mlp:8 --batch-size 256 --epochs 2 --json --validation 0.2"
    done = steepest(f"{small} --techniques {words} --out with")
    assert done.code == 0, done.err
    said = "stop no-gain:patience=1, augment:shift=0.1+dropout:rate=0.3,layers=1"
    assert done.json["recipe"] == f"momentum + none, mlp:8, {said}"
    kept = load("with.safetensors").recipe
    assert repr(kept.techniques) == "(Augment(shift=0.1), Dropout(rate=0.3, layers=(1,)))"
    assert kept.stop.patience == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("blobs --techniques augmet", "unknown technique 'augmet'; did you mean 'augment'?"),
        ("blobs --techniques augment", "Augment: needs images"),
        ("blobs --techniques dropout", "Dropout: acts on hidden units, and Linear() has none; use a model such as mlp"),
        ("blobs --model mlp:8 --techniques dropout:layers=2", "acts on hidden layer 2"),
        ("blobs --techniques input-noise:scale=-1", "technique input-noise: scale = -1; it must be"),
        ("blobs --techniques smoothing+smoothing", "smoothing is there twice"),
        ("blobs --techniques early-stopping --stop no-gain", "use one of the two"),
    ],
)
def test_techniques_that_make_no_sense_are_refused_in_one_line(steepest, arguments, said):
    done = steepest(f"fit {arguments} --epochs 1")
    assert done.code == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_from_takes_the_recommended_setting_on_the_same_split(steepest):
    small = "blobs --samples 80 --methods sgd,adam --penalties l2 --trials 2 --replicates 2 --epochs 3 --seed 5"
    compared = steepest(f"compare {small} --json").json
    best = compared["recommended"]
    fitted = steepest("fit blobs --samples 80 --from 1 --json").json
    values = best["hyperparameters"]
    assert fitted["recipe"].startswith(f"{best['method']}:rate={values['rate']!r} + l2:strength={values['strength']!r}")
    assert (fitted["epochs"], fitted["seed"]) == (3, 5)
    longer = steepest("fit blobs --samples 80 --from latest --epochs 4 --json").json
    assert (longer["epochs"], longer["recipe"]) == (4, fitted["recipe"])


QUICK = "--methods sgd --penalties none --trials 1 --replicates 2 --epochs 1"


def table(path, columns=("id", "a", "b", "kind"), rows=60):
    """Two classes apart in a; some cells of b are empty."""
    chance = np.random.default_rng(len(columns))
    lines = [",".join(columns)]
    for k in range(rows):
        a, b = chance.normal() + 2 * (k % 2), "" if k % 9 == 0 else f"{chance.normal():.3f}"
        cells = {"id": k, "a": f"{a:.3f}", "b": b, "kind": "xy"[k % 2], "sort": "xy"[k % 2]}
        lines.append(",".join(str(cells[name]) for name in columns))
    path.write_text("\n".join(lines) + "\n")


def test_from_reads_the_data_as_the_run_did(steepest, tmp_path):
    table(tmp_path / "my rows.csv")
    assert steepest(f"compare 'my rows.csv' --label kind --drop id --missing mean --raw {QUICK}").code == 0
    done = steepest("fit 'my rows.csv' --from 1 --json")
    assert done.code == 0, done.err
    assert "is not the data" not in done.err
    assert done.json["data"]["classes"] == ["x", "y"]
    kept = load("model.safetensors")
    assert [column.name for column in kept.schema.columns] == ["a", "b"]
    assert (kept.schema.label, kept.schema.missing, kept.schema.raw) == ("kind", "mean", True)
    assert steepest("fit 'my rows.csv' --label kind --drop id --missing mean --raw --from 1").code == 0
    refused = steepest("fit 'my rows.csv' --label kind --drop id,b --from 1")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("steepest: --drop id,b: run 1 read my rows.csv with --drop id, and its setting")
    assert refused.err.count("\n") == 1


def test_from_takes_the_points_and_the_test_rows_of_the_run(steepest):
    assert steepest(f"compare blobs --samples 80 {QUICK}").code == 0
    done = steepest("fit --from 1 --json")
    assert (done.json["data"]["rows"], "is not the data" in done.err) == (80, False)
    assert steepest("fit blobs --samples 90 --from 1").err.startswith("steepest: --samples 90: run 1 read blobs with")


def test_from_a_name_takes_its_newest_finished_comparison(steepest):
    for seed in (1, 2):
        assert steepest(f"compare blobs --samples 80 {QUICK} --seed {seed}").code == 0
    done = steepest("fit --from blobs --json")
    assert (done.code, done.json["seed"]) == (0, 2), done.err
    assert "run 2 is taken, the newest finished comparison of blobs; older: 1\n" in done.err
    part = steepest("fit --from blob")
    assert (part.code, part.err.count("\n")) == (1, 1)
    assert part.err.startswith("steepest: run 'blob' may be 1, 2; give the number, or 'latest'")


def test_from_says_when_the_data_is_another(steepest, tmp_path):
    table(tmp_path / "old.csv", ("a", "kind"))
    table(tmp_path / "new.csv", ("a", "sort"), rows=70)
    steepest(f"compare old.csv --label kind {QUICK}")
    done = steepest("fit new.csv --label sort --from 1")
    assert done.code == 0, done.err
    assert "new.csv is not the data that run 1 compared on" in done.err


def test_a_training_that_diverges_says_so(steepest, tmp_path):
    done = steepest(f"{BLOBS} --method sgd:rate=1e30 --penalty l2:strength=0.1")
    assert done.code == 0
    assert "diverged at step" in done.err
    assert "diverged after" in done.out
    assert (tmp_path / "model.safetensors").exists()


def test_evaluate_counts_as_scikit_learn_does(steepest, model):
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    import steepest as st
    from steepest.train.model_file import load

    found = steepest(f"evaluate {model} blobs --json").json
    data = st.open("blobs")
    said = load(model).predict(data.features())
    assert found["schema"] == "steepest.evaluate/1"
    assert found["confusion"] == confusion_matrix(data.y, said).tolist()
    for k, values in enumerate(zip(*precision_recall_fscore_support(data.y, said))):
        one = found["classes"][k]
        assert [one["precision"], one["recall"], one["f1"], one["support"]] == pytest.approx(list(values))
    shown = steepest(f"evaluate {model} blobs").out
    assert f"accuracy {100 * found['accuracy']:.1f} %" in shown
    assert "precision" in shown


def test_predict_gives_csv_and_json_lines_and_one_object(steepest, model, tmp_path):
    rows = np.random.default_rng(0).normal(size=(5, 2)) * 8
    (tmp_path / "new.csv").write_text("x,y\n" + "\n".join(f"{a!r},{b!r}" for a, b in rows.tolist()) + "\n")
    table = list(csv.DictReader(io.StringIO(steepest(f"predict {model} new.csv --probabilities").out)))
    assert [row["name"] for row in table] == ["1", "2", "3", "4", "5"]
    for row in table:
        shares = {c: float(row[f"p({c})"]) for c in ("0", "1")}
        assert sum(shares.values()) == pytest.approx(1)
        assert row["label"] == max(shares, key=lambda c: shares[c])
    lines = [json.loads(line) for line in steepest(f"predict {model} new.csv --format jsonl").out.splitlines()]
    assert lines == [{"name": row["name"], "label": row["label"]} for row in table]
    assert steepest(f"predict {model} new.csv --json").json["predictions"] == lines


def test_predict_reads_images_by_name(steepest, tmp_path):
    from PIL import Image

    chance = np.random.default_rng(1)
    for label, low in (("dark, very", 0), ("bright", 150)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for k in range(12):
            pixels = chance.integers(low, low + 100, (9, 9, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{k}.png")
    assert steepest("fit photos --size 4 --epochs 10 -q").code == 0
    one, other = "photos/bright/0.png", "photos/dark, very/3.png"
    found = list(csv.DictReader(io.StringIO(steepest("predict model.safetensors", one, other).out)))
    assert [(row["name"], row["label"]) for row in found] == [(one, "bright"), (other, "dark, very")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("evaluate MODEL new.csv", "no labels"),
        ("evaluate MODEL new.csv --label X", "new.csv: no column 'X'; did you mean"),
        ("evaluate MODEL iris", "shape"),
        ("predict MODEL nowhere.csv", "nowhere.csv"),
        ("predict new.csv new.csv", "new.csv"),
    ],
)
def test_what_does_not_fit_the_model_is_one_line(steepest, model, tmp_path, arguments, said):
    (tmp_path / "new.csv").write_text("x,y\n1,2\n3,4\n")
    done = steepest(arguments.replace("MODEL", model))
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_an_unwritable_model_is_one_line(steepest, tmp_path):
    (tmp_path / "file").write_text("")
    done = steepest(f"{BLOBS} --out file/model.safetensors -q")
    assert done.code == 1
    assert "file/model.safetensors" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", ["fit parts --epochs 2", "compare parts --dry-run"])
def test_the_note_on_pooled_parts_says_which_rows_are_tested_on(steepest, tmp_path, command):
    from PIL import Image

    rng = np.random.default_rng(0)
    for part, rows in (("train", 20), ("test", 8)):
        for kind in ("cat", "dog"):
            folder = tmp_path / "parts" / part / kind
            folder.mkdir(parents=True)
            for i in range(rows):
                Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).save(folder / f"{i}.png")
    pooled = "parts: the folders test, train are pooled; splits are drawn anew (16 rows were given"
    tested = "parts: the folders test, train: the 16 rows that came as the test set are tested on; the rest are pooled"
    drawn = steepest(f"{command} --size 4")
    assert (drawn.code, pooled in drawn.err, tested in drawn.err) == (0, True, False), drawn.err
    given = steepest(f"{command} --size 4 --test given")
    assert (given.code, "drawn anew" in given.err, tested in given.err) == (0, False, True), given.err


@pytest.mark.parametrize(
    ("places", "code", "said"),
    [
        ("--out file/model", 1, "file/model.safetensors: cannot be written (Not a directory)"),
        ("--out folder", 1, "folder.safetensors: cannot be written (Is a directory)"),
        ("--out .", 1, ".: is a folder; name the model's file in it, such as model.safetensors"),
        ("--out m --picture file/deeper/m.svg", 1, "file/deeper/m.svg: cannot be written (Not a directory)"),
        ("--picture folder.png", 1, "folder.png: cannot be written (Is a directory)"),
        ("--picture m.xyz", 2, "unknown kind of picture '.xyz'; known: .png, .svg, .pdf"),
    ],
)
def test_places_are_refused_before_the_training(steepest, tmp_path, monkeypatch, places, code, said):
    (tmp_path / "file").write_text("")
    for folder in ("folder.safetensors", "folder.png"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr("steepest.study.fit.fit", lambda *_, **__: pytest.fail("it trained"))
    before = sorted(tmp_path.rglob("*"))
    done = steepest(f"{BLOBS} {places} -q")
    assert (done.code, done.err.count("\n")) == (code, 1)
    assert said in done.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_picture_that_fails_after_the_training_says_that_the_model_is_saved(steepest, tmp_path, monkeypatch):
    from steepest.core.atomic import write_atomically
    from steepest.core.errors import SteepestError

    def full(path, content):
        if path.suffix == ".png":
            raise SteepestError(f"{path}: cannot be written (No space left on device); free space")
        return write_atomically(path, content)

    monkeypatch.setattr("steepest.draw.canvas.write_atomically", full)
    done = steepest(f"{BLOBS} --out kept -q")
    assert done.code == 1
    assert done.err.endswith("(No space left on device); free space; the model is saved: kept.safetensors\n")
    assert load(tmp_path / "kept.safetensors").status == "finished"


def test_the_command_runs_as_a_module_too(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "steepest", "methods", "sgd", "--json"], capture_output=True, text=True, cwd=tmp_path
    )
    assert json.loads(done.stdout)["entries"][0]["equation"] == "θ ← θ − εg"


def test_the_picture_lies_beside_the_model_and_another_name_is_said(steepest, tmp_path):
    (tmp_path / "sub").mkdir()
    done = steepest(f"{BLOBS} --out sub/m.txt --json")
    assert (done.json["model"], done.json["picture"]) == ("sub/m.txt.safetensors", "sub/m.txt.png")
    assert "the model is in sub/m.txt.safetensors: a model file's name ends in .safetensors" in done.err
    assert not (tmp_path / "loss.png").exists()


def test_rows_of_another_shape_are_told_apart():
    said = _other_data("photos", (32, 32, 3), "5", (16, 16, 3))
    assert said.endswith("run 5 compared on: that run's rows are 16×16×3, these are 32×32×3; add --size 16")
    assert _other_data("blobs", (2,), "5", (2,)).endswith("compared on: its setting may not suit it")
