"""A stored run in the words of the command line."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from steepest.report.command import command_text, planned, reading_text, settings_text


def row(name: str = "birds.csv", **changes: Any) -> dict[str, Any]:
    settings = changes.pop("settings", {})
    return {"name": name, "data": {}, "environment": {"device": "cpu"}, **changes, "settings": settings}


def test_a_file_is_where_it_lies_and_a_name_of_ours_its_name():
    assert command_text(row()) == "steepest compare PATH"  # of a run from before places were kept
    assert command_text(row(data={"place": "/some where/birds.csv"})) == "steepest compare '/some where/birds.csv'"
    assert command_text(row("arrays", data={"place": "/data/arrays"})) == "steepest compare /data/arrays"
    assert command_text(row("digits", data={"place": ""})) == "steepest compare digits"
    assert command_text(row("digits")) == "steepest compare digits"
    assert command_text(row("cifar10")) == "steepest compare cifar10"
    assert command_text(row("arrays")) is None


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"margin": 0.007, "batch_size": 64}, "--margin 0.7 --batch-size 64"),
        ({"model": ["linear", "net.py:net@3f2a91c04b7d"]}, "--model linear,net.py:net"),
        ({"spaces": {"adam.rate": [1e-4, 1.0], "l2.strength": [0.1, 2.0]}},
         "--space adam.rate=0.0001:1 --space l2.strength=0.1:2"),
        ({"standardize": False, "test": "given", "products": "float32"}, "--raw --test given"),
        ({"products": "bfloat16", "attack": "fgsm:size=0.1"}, "--attack fgsm:size=0.1 --products bfloat16"),
        ({"trials": 20, "techniques": ["none"], "standardize": True}, ""),
    ],
)  # fmt: skip
def test_what_is_not_at_its_default_is_typed_again(settings, options):
    assert command_text(row(settings=settings)) == f"steepest compare PATH {options}".strip()


def test_products_in_full_are_typed_where_a_gpu_would_round_them():
    on_gpu = row("digits", environment={"device": "NVIDIA H100"}, settings={"products": "float32"})
    assert command_text(on_gpu) == "steepest compare digits --products float32"


def test_how_the_data_were_read():
    reading = {"label": ["sp ecies", "island"], "size": 32, "max_categories": 9, "drop": ["year"], "strict": True}
    one = row(data={"reading": reading}, settings={"standardize": False})
    assert reading_text(one) == "label sp ecies,island; max-categories 9; drop year; strict; raw"
    assert shlex.split(command_text(one) or "")[3:] == [
        "--label", "sp ecies,island", "--max-categories", "9", "--drop", "year", "--strict", "--raw",
    ]  # fmt: skip
    assert reading_text(row()) == ""


def test_settings_by_their_options():
    said = settings_text({"batch_size": 32, "margin": 0.005, "standardize": False, "model": "a.py:b@3f2a91c04b7d"})
    assert said == "batch-size 32; margin 0.5 points; model a.py:b"


def test_trainings_planned():
    settings = {"methods": ["sgd"], "penalties": ["none", "l2"], "trials": 4, "replicates": 2}
    assert planned(settings) == 20
    assert planned({**settings, "model": ["linear", "mlp:4"], "techniques": ["none", "dropout", "augment"]}) == 120
