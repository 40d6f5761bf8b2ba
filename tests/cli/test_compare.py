"""`steepest compare` as a new user meets it: in a terminal, a pipe, a narrow window, interrupted, and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.cells import cell_len

SMALL = "compare blobs --samples 60 --methods sgd,adam --penalties none,l2 --trials 2 --replicates 2 --epochs 2"
FIELDS = {
    "schema",
    "data",
    "settings",
    "cells",
    "pairs",
    "verdict",
    "trainings",
    "seconds",
    "run",
    "warnings",
    "recommended",
    "notes",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A home with the small comparison finished in it; module-wide, for training takes a second."""
    from steepest.cli import main

    home = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEEPEST_HOME", str(home))
        assert main([*SMALL.split(), "-q"]) == 0
    return home


@pytest.fixture
def again(steepest, finished, monkeypatch):
    """`steepest`, in the home where the small comparison has finished."""
    monkeypatch.setenv("STEEPEST_HOME", str(finished))
    return steepest


def test_json_is_one_object_with_all_that_is_promised(again):
    done = again(SMALL, "--json")
    assert (done.code, done.out.count("\n")) == (0, 1)
    found = done.json
    assert found["schema"] == "steepest.compare/1"
    assert set(found) >= FIELDS
    assert found["data"]["rows"] == 60
    assert {"name", "rows", "classes", "fingerprint"} <= set(found["data"])
    assert found["trainings"] == 4 * 3 * 2
    assert [(cell["method"], cell["penalty"]) for cell in found["cells"]] == [
        ("sgd", "none"), ("sgd", "l2"), ("adam", "none"), ("adam", "l2"),
    ]  # fmt: skip
    for cell in found["cells"]:
        assert set(cell) == {
            "method", "penalty", "technique", "model", "default", "tuned", "test", "expected_best", "diverged",
            "warnings",
        }  # fmt: skip
        assert (cell["technique"], cell["model"]) == ("none", "linear")
        assert len(cell["test"]["values"]) == len(cell["default"]["values"]) == 2
        assert cell["test"]["mean"] == pytest.approx(sum(cell["test"]["values"]) / 2)
        assert len(cell["expected_best"]) == 2
    assert {pair["factor"] for pair in found["pairs"]} == {"method", "penalty", "cell"}
    assert {"a", "b", "difference", "low", "high", "p", "verdict"} < set(found["pairs"][0])


def test_the_finished_command_shows_the_stored_result_and_says_so(again, finished):
    first, second = again(SMALL), again(SMALL)
    assert first == second
    assert "stored result of run 1" in first.err
    assert "--fresh" in first.err
    assert f"Saved as run 1 in {finished}/runs.sqlite" in first.out
    assert "Train with it: steepest fit blobs --from 1\n" in first.out


def test_fresh_trains_again_to_the_same_numbers(steepest):
    first = steepest(SMALL, "--json")
    second = steepest(SMALL, "--json", "--fresh")
    assert (first.json["run"], second.json["run"]) == (1, 2)
    assert "24 trainings, about" in second.err
    for name in ("cells", "pairs", "verdict", "recommended"):
        assert first.json[name] == second.json[name]


def test_results_on_standard_output_and_the_rest_on_standard_error(again):
    done = again(SMALL)
    assert "estimates only, no verdict" in " ".join(done.out.replace("│", "").split())
    assert "sgd + l2" in done.out
    assert "stored" not in done.out
    quiet = again(SMALL, "-q")
    assert (quiet.out, quiet.err) == (done.out, "")


def test_verbose_says_spaces_first_and_shows_pairs(again):
    done = again(SMALL, "-v")
    assert "adam+l2 searches rate log-uniform" in done.err
    assert "sgd − adam" in done.out
    assert "sgd − adam" not in again(SMALL).out


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_tables_keep_to_the_terminal(again, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    done = again(SMALL)
    drawn = done.out.partition("Train with it")[0]  # what is to be copied is not folded
    assert max(cell_len(line) for line in drawn.splitlines()) <= width
    assert "…" not in drawn.replace(" … ", "").replace("…\n", "")  # nothing is cut off
    for name in ("sgd + none", "sgd + l2", "adam + none", "adam + l2"):
        assert name in drawn


def test_a_file_gets_neither_colours_nor_trailing_blanks(again):
    lines = again(SMALL).out.splitlines()
    assert not any("\x1b" in line for line in lines)
    assert all(line == line.rstrip() for line in lines)


def test_dry_run_trains_nothing(steepest, tmp_path):
    done = steepest(SMALL, "--dry-run", "--json")
    assert done.json["schema"] == "steepest.plan/1"
    assert done.json["trainings"] == 24
    assert done.json["settings"]["search"]["sgd+l2"]["rate"] == "log-uniform 0.0001 … 1"
    said = steepest(SMALL, "--dry-run").out
    assert "24 trainings" in said
    assert "Candidates\nsgd + none, sgd + l2, adam + none, adam + l2\n" in said
    assert "attacked" not in said
    assert not (tmp_path / "home").exists()


def test_a_dry_run_says_the_attack_with_its_size_and_techniques_apart(steepest):
    said = steepest(f"compare blobs --dry-run {NETWORKS} --attack pgd").out
    assert "attacked by pgd:size=0.1\n" in said
    assert "adam + none, mlp:4,3; adam + none, mlp:4; adam + none," in said


def test_one_candidate_is_one(steepest):
    done = steepest("compare blobs --samples 60 --methods adam --penalties none --trials 1 --replicates 2 --epochs 1")
    assert "1 candidate, 4 trainings, about" in done.err


def test_a_space_of_ones_own(steepest):
    done = steepest(SMALL, "--dry-run", "--json", "--space", "sgd.rate=1e-2:10", "--space", "l2.strength=1e-3:1e-2")
    search = done.json["settings"]["search"]
    assert search["sgd+l2"] == {"rate": "log-uniform 0.01 … 10", "strength": "log-uniform 0.001 … 0.01"}
    assert search["adam+none"] == {"rate": "log-uniform 1e-05 … 0.1"}


NETWORKS = "--methods adam --penalties none --techniques none,dropout:rate=0.3+smoothing --model mlp:4,3,mlp:4"


def test_techniques_and_models_in_one_text_or_several(steepest):
    one = steepest(f"compare blobs --dry-run --json {NETWORKS} --space smoothing.amount=0.1:0.2").json
    assert one["settings"]["techniques"] == ["none", "dropout:rate=0.3+smoothing"]
    assert one["settings"]["model"] == ["mlp:4,3", "mlp:4"]
    assert one["candidates"] == list(one["settings"]["search"]) == [
        "adam+none, mlp:4,3", "adam+none, mlp:4", "adam+none, dropout:rate=0.3+smoothing, mlp:4,3",
        "adam+none, dropout:rate=0.3+smoothing, mlp:4",
    ]  # fmt: skip
    assert one["settings"]["search"]["adam+none, dropout:rate=0.3+smoothing, mlp:4"] == {
        "rate": "log-uniform 1e-05 … 0.1", "smoothing.amount": "uniform 0.1 … 0.2",
    }  # fmt: skip
    again = steepest(
        "compare blobs --dry-run --json --methods adam --penalties none --techniques none --model mlp:4,3 "
        "--model mlp:4 --techniques dropout:rate=0.3+smoothing --space smoothing.amount=0.1:0.2"
    ).json
    assert again["settings"] == one["settings"]


def test_a_technique_for_each_layer_and_a_search_among_whole_numbers(steepest):
    """J7 of the sources: dropout of 0.5 on the first hidden layer, of 0.3 on the second."""
    given = "compare blobs --dry-run --methods adam --penalties none --model mlp:4,3 --techniques"
    (name,) = steepest(f"{given} dropout:rate=0.5,layers=1+dropout:rate=0.3,layers=2 --json").json["candidates"]
    assert name == "adam+none, dropout:rate=0.5,layers=1+dropout:rate=0.3,layers=2"
    searched = "dropout:layers=1+dropout:layers=2+early-stopping"
    spaces = "--space dropout2.rate=0.1:0.4 --space early-stopping.patience=2:20"
    found = steepest(f"{given} {searched} {spaces} --json").json["settings"]["search"][f"adam+none, {searched}"]
    assert found == {
        "rate": "log-uniform 1e-05 … 0.1",
        "dropout.rate": "uniform 0.05 … 0.8",
        "dropout2.rate": "uniform 0.1 … 0.4",
        "early-stopping.patience": "uniform 2 … 20, whole numbers",
    }
    twice = steepest(f"{given} dropout:rate=0.5,dropout:rate=.5")
    assert twice.code == 2
    assert "techniques dropout:rate=0.5 and dropout:rate=.5 are the same; name one of them" in twice.err


def test_techniques_from_the_settings_file_and_the_environment(steepest, monkeypatch):
    Path("steepest.toml").write_text('[compare]\ntechniques = ["none", "dropout"]\nmodel = "mlp:4,3,mlp:5"\n')
    found = steepest("compare blobs --dry-run --json").json["settings"]
    assert (found["techniques"], found["model"]) == (["none", "dropout"], ["mlp:4,3", "mlp:5"])
    monkeypatch.setenv("STEEPEST_TECHNIQUES", "none,max-norm")
    assert steepest("compare blobs --dry-run --json").json["settings"]["techniques"] == ["none", "max-norm"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            "--techniques none,dropout",
            "dropout: Dropout: acts on hidden units, and Linear() has none; use a model such",
        ),
        ("--techniques dropout --model linear,mlp:4", "dropout, linear: Dropout: acts on hidden units"),
        (
            "--techniques dropout+dropout --model mlp:4",
            "techniques: dropout is there twice, acting on the same; keep one, or give each its own layers",
        ),
        ("--techniques augment", "augment: Augment: needs images, and a row has 2 numbers"),
        ("--techniques drop-out", "unknown technique 'drop-out'; did you mean 'dropout'?"),
        ("--test given", "test = 'given', but blobs comes without a test set; give a share such as 0.25"),
        ("--test half", "test = half; it must be a share in (0, 1), or 'given'"),
        ("--model cnn", "CNN: reads images, and a row is 2 numbers without an order; use a model such as linear"),
        ("--attack pgd:sise=1", "unknown setting of attack pgd 'sise'; did you mean 'size'?"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_2(steepest, options, says):
    done = steepest(f"compare blobs --samples 60 --methods sgd --penalties none {options}")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert says in done.err


def test_a_comparison_of_techniques_is_shown_again_and_fitted(steepest):
    small = "--samples 60 --trials 2 --replicates 2 --epochs 2 --attack fgsm:size=0.1"
    done = steepest(f"compare blobs {small} {NETWORKS}")
    assert done.code == 0, done.err
    drawn = done.out.partition("Train with it")[0]
    assert "adam + none, dropout:rate=0.3+smoothing, mlp:4,3" in drawn
    assert "attacked by fgsm:size=0.1" in drawn
    assert "Techniques and models, each searching all else along" in drawn
    assert drawn.strip() in steepest("runs show latest").out
    best = next(line for line in drawn.splitlines() if line.startswith("Recommended"))
    fitted = steepest("fit blobs --samples 60 --from latest --json")
    assert fitted.code == 0, fitted.err
    assert ("dropout:rate=0.3" in fitted.json["recipe"]) == ("dropout" in best)


def test_hostile_names_neither_colour_nor_move_the_terminal(steepest, tmp_path):
    table = tmp_path / "a[red]b\x1b[31m.csv"
    labels = ("[bold]x[/bold]", "y\x1b[2J")
    rows = [f"{k % 7},{k % 5},{labels[k % 2]}" for k in range(40)]
    table.write_text("\n".join(["one,two,label", *rows, ""]))
    done = steepest(SMALL.replace("blobs --samples 60", "--label label"), str(table))
    assert done.code == 0, done.err
    drawn = done.out.partition("Train with it")[0]
    assert "\x1b" not in drawn + done.err
    assert "a[red]b\\x1b[31m.csv: 40 rows" in drawn


# --- in processes of their own ---------------------------------------------------------------------------------------

LONG = "compare blobs --methods sgd --penalties none --trials 40 --replicates 12 --epochs 60 --batch-size 4"


def begin(tmp_path, words: str) -> subprocess.Popen[str]:
    """The command in a process that can be interrupted, as from a shell."""
    return subprocess.Popen(
        [sys.executable, "-m", "steepest", *words.split()], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "STEEPEST_HOME": str(tmp_path / "home")},
    )  # fmt: skip


def wait_for_trainings(tmp_path, process: subprocess.Popen[str]) -> int:
    """Until some are committed, or the process has ended."""
    from steepest.study.store import Store

    while process.poll() is None:
        with Store.open(tmp_path / "home", create=False) as store:
            rows = store.runs()
        if rows and rows[0].trainings:
            return rows[0].trainings
        time.sleep(0.1)
    raise AssertionError(process.communicate())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_comparison_goes_on_where_it_was(tmp_path, number, code):
    process = begin(tmp_path, LONG)
    before = wait_for_trainings(tmp_path, process)
    asked = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - asked < 5
    assert (process.returncode, out) == (code, "")
    word = "interrupted" if number == signal.SIGINT else "terminated"
    last = err.splitlines()[-1]
    assert last.startswith(f"steepest: {word}: ")
    assert last.endswith(" of 492 trainings are saved; the same command goes on from there")
    saved = int(last.split()[2].replace(",", ""))
    assert before <= saved < 492
    assert "Traceback" not in err
    if number == signal.SIGTERM:
        return  # going on is the same, and takes seconds
    process = begin(tmp_path, f"{LONG} --json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"going on with run 1: {492 - saved:,} of 492 trainings are left" in err
    assert json.loads(out)["trainings"] == 492


def test_nothing_is_drawn_where_no_terminal_is(tmp_path):
    out, err = begin(tmp_path, SMALL).communicate(timeout=120)
    assert "estimates only" in out
    assert err.count("\n") == 1
    assert "4 candidates, 24 trainings, about" in err
    assert "\r" not in err
