"""What a comparison looks like: from a made-up result to lines of text, in several widths."""

from __future__ import annotations

import copy
import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from steepest.report import comparison, spaces

SCORE = {"mean": 0.9512, "low": 0.94, "high": 0.9624, "values": [0.95, 0.9524]}
EDGE = "best rate lies at the high edge of its space (uniform 0 … 1); widen it: --space adam.rate=LOW:HIGH"


def cell(method: str, penalty: str, mean: float, **changes: object) -> dict:
    return {
        "method": method,
        "penalty": penalty,
        "technique": "none",
        "model": "linear",
        "default": {"mean": 0.88, "values": [0.88, 0.88]},
        "tuned": {"hyperparameters": {"rate": 0.012345, "strength": 1e-4}, "validation": 0.97},
        "test": {**SCORE, "mean": mean},
        "expected_best": [0.9, 0.95],
        "diverged": 0,
        "warnings": [],
        **changes,
    }


RESULT = {
    "data": {"name": "photos", "rows": 1200, "classes": ["cat", "dog"], "fingerprint": "f00"},
    "settings": {
        "model": "linear", "epochs": 20, "replicates": 10, "trials": 20, "level": 0.05, "metric": "accuracy",
        "search": {"sgd+l2": {"rate": "uniform 0 … 1"}, "adam+l2": {"rate": "uniform 0 … 2"}},
    },
    "cells": [
        cell("sgd", "l2", 0.90), cell("adam", "l2", 0.95, warnings=[EDGE]), cell("adam", "l1", 0.93, warnings=[EDGE]),
    ],
    "families": [
        {"factor": "method", "members": [{"name": "sgd", **SCORE, "mean": 0.90}, {"name": "adam", **SCORE}]},
        {"factor": "penalty", "members": [{"name": "l2", **SCORE}]},
    ],
    "pairs": [
        {"factor": "method", "a": "sgd", "b": "adam", "difference": -0.051, "low": -0.061, "high": -0.041, "p": 0.0004,
         "verdict": "worse"},
        {"factor": "cell", "a": "sgd+l2", "b": "adam+l2", "difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0,
         "verdict": "equivalent"},
    ],
    "verdict": "on your data, adam beats sgd by 5.1 ± 1.0 points",
    "warnings": [f"adam+l2: {EDGE}", f"adam+l1: {EDGE}", "search space suspect: adam contains sgd"],
    "recommended": {"method": "adam", "penalty": "l2", "technique": "none", "model": "linear",
                    "hyperparameters": {"rate": 0.012345}, "validation": 0.97},
    "trainings": 1260,
    "seconds": 12.0,
    "run": 3,
}  # fmt: skip


def drawn(renderables: list, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(*renderables, sep="\n")
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_candidates_come_best_first_with_interval_and_setting():
    lines = drawn([comparison.cells_table(RESULT, 80)]).splitlines()
    rows = [line.split() for line in lines if " + " in line]
    assert [row[:3] for row in rows] == [["adam", "+", "l2"], ["adam", "+", "l1"], ["sgd", "+", "l2"]]
    assert "88.0  95.0 ± 1.1  rate 0.012, strength 0.0001" in " ".join(lines)
    assert [("!" in row) for row in rows] == [True, True, False]


def test_the_mark_of_a_warning_has_a_legend_where_there_is_one():
    assert drawn([comparison.cells_table(RESULT, 80)]).splitlines()[-1] == "!  there is a warning on it, below"
    quiet = copy.deepcopy(RESULT)
    for one in quiet["cells"]:
        one["warnings"] = []
    assert "!" not in drawn([comparison.cells_table(quiet, 80)])


def test_the_heading_of_families_says_what_was_compared():
    assert "Methods, best first" in drawn([comparison.families_table(RESULT)])
    both = copy.deepcopy(RESULT)
    both["families"][1]["members"].append({"name": "l1", **SCORE})
    title = "Methods, each searching its penalty along, and penalties, each searching its method along"
    assert title in drawn([comparison.families_table(both)], 100)
    both["families"].append(
        {"factor": "technique", "members": [{"name": "none", **SCORE}, {"name": "dropout", **SCORE}]}
    )
    assert "Methods, penalties and techniques, each searching all else" in drawn([comparison.families_table(both)])


def test_diverged_trainings_have_a_column_only_where_there_are_some():
    assert "no training diverged" in drawn([comparison.cells_table(RESULT, 80)])
    some = copy.deepcopy(RESULT)
    some["cells"][0]["diverged"] = 1234
    out = drawn([comparison.cells_table(some, 80)])
    assert "no training diverged" not in out
    assert next(line for line in out.splitlines() if line.startswith("sgd + l2")).endswith("1,234")


@pytest.mark.parametrize("width", [30, 40, 71, 72, 80, 200])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_cut_off(width):
    out = drawn(comparison.comparison_lines(RESULT, width, verbose=True), width)
    assert max(cell_len(line.rstrip()) for line in out.splitlines()) <= width
    assert "…" not in out.replace(" … ", "").replace("…\n", "").replace("\n… ", "")
    words = " ".join(out.replace("│", " ").split())
    assert RESULT["verdict"] in words
    assert "strength" in words


def networks() -> dict:
    """A comparison of techniques and models."""
    made = copy.deepcopy(RESULT)
    made["settings"] |= {"model": ["mlp:64", "mlp:128,64"], "techniques": ["none", "dropout+smoothing"]}
    made["settings"]["search"] = {
        "adam+l2, mlp:64": {"rate": "r"}, "adam+l2, mlp:128,64": {"rate": "r"},
        "adam+l2, dropout+smoothing, mlp:64": {"rate": "r", "dropout.rate": "d"},
        "adam+l2, dropout+smoothing, mlp:128,64": {"rate": "r", "dropout.rate": "d"},
    }  # fmt: skip
    made["cells"] = [
        cell("adam", "l2", 0.9 + n / 100, technique=technique, model=model, warnings=[EDGE])
        for n, (technique, model) in enumerate(
            (technique, model) for technique in ("none", "dropout+smoothing") for model in ("mlp:64", "mlp:128,64")
        )
    ]
    made["families"] = [
        {"factor": "method", "members": [{"name": "adam", **SCORE}]},
        {"factor": "penalty", "members": [{"name": "l2", **SCORE}]},
        {"factor": "technique", "members": [{"name": "none", **SCORE}, {"name": "dropout+smoothing", **SCORE}]},
        {"factor": "model", "members": [{"name": "mlp:64", **SCORE}, {"name": "mlp:128,64", **SCORE}]},
    ]
    made["pairs"] = [{**RESULT["pairs"][0], "factor": "technique", "a": "none", "b": "dropout+smoothing"}]
    made["warnings"] = [f"adam+l2, mlp:64: {EDGE}"]
    made["recommended"] |= {"technique": "dropout+smoothing", "model": "mlp:128,64"}
    return made


def test_techniques_and_models_stand_beside_method_and_penalty():
    result = networks()
    lines = drawn([comparison.cells_table(result, 200)], 200).splitlines()
    assert [line.split("  ")[0] for line in lines if " + " in line] == [
        "adam + l2, dropout+smoothing, mlp:128,64 !", "adam + l2, dropout+smoothing, mlp:64 !",
        "adam + l2, mlp:128,64 !", "adam + l2, mlp:64 !",
    ]  # fmt: skip
    assert "models mlp:64 and mlp:128,64, 20 epochs" in comparison.heading(result).plain
    assert comparison.recommendation(result).plain.startswith(
        "Recommended: adam + l2, dropout+smoothing, mlp:128,64 with rate 0.0123"
    )
    assert "Techniques and models, each searching all else along" in drawn([comparison.families_table(result)])
    assert "none − dropout+smoothing" in drawn([comparison.pairs_table(result, result["pairs"])])
    (warning,) = comparison.warnings(result)
    assert warning.startswith("adam+l2, mlp:64; adam+l2, mlp:128,64; adam+l2, dropout+smoothing, mlp:64; adam+l2, dr")
    assert spaces.shared_spaces(result["settings"]["search"]) == {
        ("rate", "r"): "all", ("dropout.rate", "d"): "dropout",
    }  # fmt: skip


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_long_names_are_neither_wider_than_the_terminal_nor_cut_off(width):
    result = networks()
    result["settings"]["attack"] = "fgsm:size=0.1"
    for one in result["cells"]:
        one["attacked"] = {**SCORE, "mean": 0.4321}
    out = drawn(comparison.comparison_lines(result, width, verbose=True), width)
    assert max(cell_len(line.rstrip()) for line in out.splitlines()) <= width
    assert "…" not in out.replace(" … ", "").replace("…\n", "").replace("\n… ", "")
    assert out.count("43.2 ± 1.1") == 4
    assert "attacked by fgsm:size=0.1" in " ".join(out.split())


def test_a_run_from_before_there_were_techniques_reads_as_it_did():
    old = copy.deepcopy(RESULT)
    for one in (*old["cells"], old["recommended"]):
        del one["technique"], one["model"]
    assert drawn(comparison.comparison_lines(old, 80)) == drawn(comparison.comparison_lines(RESULT, 80))


def test_the_answer_comes_last():
    out = drawn(comparison.comparison_lines(RESULT, 80))
    places = [
        out.index(text)
        for text in ("adam + l2", "Methods, best", "Search spaces", "Warnings", "verdict", "Recommended")
    ]
    assert places == sorted(places)


def test_a_warning_that_several_share_is_said_once():
    assert comparison.warnings(RESULT) == ["search space suspect: adam contains sgd", f"adam+l2, adam+l1: {EDGE}"]


def test_families_of_one_say_nothing():
    out = drawn([comparison.families_table(RESULT)])
    rows = [line.split()[:2] for line in out.splitlines() if "±" in line]
    assert rows == [["method", "adam"], ["sgd", "90.0"]]


def test_pairs_of_cells_are_too_many_to_show():
    out = drawn([comparison.pairs_table(RESULT, RESULT["pairs"])])
    assert "sgd − adam  -5.1 ± 1.0  0.000  worse" in out
    assert "sgd+l2" not in out


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (SCORE, "95.1 ± 1.1"),
        ({"mean": 0.5, "low": None, "high": None}, "50.0"),
        ({"mean": 0.5, "low": float("nan"), "high": 1.0}, "50.0"),
        ({"mean": None}, "–"),
    ],
)
def test_means_with_and_without_an_interval(score, text):
    assert comparison.mean_text(score) == text


def test_hostile_names_are_shown_as_they_are_called():
    hostile = copy.deepcopy(RESULT)
    hostile["data"]["name"] = "[red]a\x1b[2J\nb[/red]"
    assert "[red]a\\x1b[2J\\nb[/red]: 1,200 rows" in drawn([comparison.heading(hostile)])


def test_spaces_that_all_share_and_that_single_candidates_have():
    every = {"a+x": {"rate": "s"}, "b+x": {"rate": "s"}}
    assert spaces.shared_spaces(every) == {("rate", "s"): "all"}
    odd = {"a+x": {"m": "s"}, "a+y": {}, "b+x": {}, "b+y": {"m": "s"}}
    assert spaces.shared_spaces(odd) == {("m", "s"): "a+x, b+y"}


def test_pairs_under_attack_are_told_of_techniques_and_of_all_when_asked():
    result = networks()
    pairs = [*result["pairs"], {**result["pairs"][0], "factor": "model", "a": "mlp:64", "b": "mlp:128,64"}]
    result = {
        **result,
        "attacked_pairs": pairs,
        "settings": {**result["settings"], "attack": "fgsm:size=0.2"},
    }
    brief, whole = (drawn(comparison.attacked_lines(result, verbose)) for verbose in (False, True))
    assert "Pairs, attacked by fgsm:size=0.2: difference in points" in brief
    assert "none − dropout+smoothing" in brief
    assert "mlp:64 − mlp:128,64" not in brief
    assert "mlp:64 − mlp:128,64" in whole
    assert comparison.attacked_lines(networks(), True) == []
