"""Settings: the command line before STEEPEST_* before steepest.toml before the defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from steepest.cli.app import build
from steepest.cli.settings import NO_SETTINGS, variables

VARIABLE = re.compile(r"STEEPEST_([A-Z][A-Z_]*[A-Z])")


@pytest.fixture
def planned(steepest):
    """The settings that a comparison would have."""

    def call(*arguments: str) -> dict:
        done = steepest("compare blobs --samples 40 --dry-run --json", *arguments)
        assert done.code == 0, done.err
        return done.json["settings"]

    return call


def test_each_place_gives_way_to_the_one_before(planned, monkeypatch):
    assert planned()["trials"] == 20
    Path("steepest.toml").write_text("[compare]\ntrials = 5\nseed = 4\n")
    assert (planned()["trials"], planned()["seed"]) == (5, 4)
    monkeypatch.setenv("STEEPEST_TRIALS", "6")
    assert planned()["trials"] == 6
    monkeypatch.setenv("STEEPEST_COMPARE_TRIALS", "7")
    assert planned()["trials"] == 7
    found = planned("--trials", "8")
    assert (found["trials"], found["seed"]) == (8, 4)


def test_lists_are_written_in_each_place_as_it_is_usual_there(planned, monkeypatch):
    Path("steepest.toml").write_text('[compare]\nmethods = ["sgd", "adam"]\npenalties = "none,l2"\n')
    found = planned()
    assert (found["methods"], found["penalties"]) == (["sgd", "adam"], ["none", "l2"])
    monkeypatch.setenv("STEEPEST_METHODS", "adagrad,rmsprop")
    assert planned()["methods"] == ["adagrad", "rmsprop"]
    assert planned("--methods", "sgd", "--methods", "adam,adamw")["methods"] == ["sgd", "adam", "adamw"]


def test_a_flag_from_the_environment(planned, monkeypatch):
    assert planned()["standardize"] is True
    monkeypatch.setenv("STEEPEST_RAW", "1")
    assert planned()["standardize"] is False


def test_variables_that_are_no_settings_are_left_alone(planned, monkeypatch):
    for name in ("STEEPEST_CACHE", "STEEPEST_TEST_DATA", "STEEPEST_PYTHON", "STEEPEST_FIT_EPOCHS", "STEEPEST_KIND"):
        monkeypatch.setenv(name, "somewhere")
    assert planned()["test"] == 0.25


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("STEEPEST_TRAILS", "did you mean STEEPEST_TRIALS?"),
        ("STEEPEST_COMPARE_TRAILS", "did you mean STEEPEST_COMPARE_TRIALS?"),
        ("STEEPEST_RUNS_TRIALS", "did you mean"),
        ("STEEPEST_CACHES", "did you mean STEEPEST_CACHE?"),
        ("STEEPEST_XYZZY", "unset it; no command has such an option"),
    ],
)
def test_a_variable_that_nothing_reads_is_refused(steepest, monkeypatch, name, hint):
    monkeypatch.setenv(name, "30")
    done = steepest("compare blobs --dry-run")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"steepest: unknown environment variable {name}; {hint}")
    assert done.err.count("\n") == 1
    assert steepest("--version").code == steepest("compare --help").code == 0


def test_every_variable_that_is_read_here_is_known():
    root = Path(__file__).parents[2]
    files = [
        root / "Makefile",
        *(path for folder in ("src", "tests", "benchmarks", "docs") for path in (root / folder).rglob("*.py")),
    ]
    read = {name for path in files if path.name != "test_settings.py" for name in VARIABLE.findall(path.read_text())}
    assert {"CACHE", "HOME", "TEST_DATA", "TORTURE_SEED", "PYTHON", "COMPARE_TRIALS"} <= read
    assert read <= {*NO_SETTINGS, *variables(build())}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[compare]\ntrails = 5\n", "--trials"),
        ("[compar]\ntrials = 5\n", "did you mean 'compare'?"),
        ("[runs.lst]\njson = true\n", "did you mean 'list'?"),
        ("trials = 5\n", "trials = 5 stands in no table"),
        ("[compare\n", "steepest.toml cannot be read"),
        ('[compare]\ntrials = "few"\n', "steepest.toml"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(steepest, text, said):
    Path("steepest.toml").write_text(text)
    done = steepest("compare blobs --dry-run")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_setting_of_another_command_is_not_ours(steepest):
    Path("steepest.toml").write_text("[runs.list]\njson = true\n")
    assert steepest("runs list").json["runs"] == []
    assert steepest("data list").out.startswith("\nBuilt in")


def test_a_wrong_value_in_the_environment_is_named(steepest, monkeypatch):
    monkeypatch.setenv("STEEPEST_TRIALS", "few")
    done = steepest("compare blobs")
    assert done.code == 2
    assert "STEEPEST_TRIALS" in done.err
