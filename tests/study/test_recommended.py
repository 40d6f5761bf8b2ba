"""From a stored comparison to the training it recommends."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from steepest.core.errors import SettingError, StoreError
from steepest.methods.momentum import Momentum
from steepest.penalties.norms import ElasticNet
from steepest.study.recommended import recommended, run_to_take
from steepest.study.settings import Settings
from steepest.study.store import RunRow, Store
from steepest.techniques.dropout import Dropout

SETTINGS = Settings(
    methods=("sgd", "momentum"), penalties=("elastic",), model="mlp:8", loss="hinge", epochs=7, seed=3, batch_size=16,
    spaces=(("momentum.rate", 0.01, 1.0),),
)  # fmt: skip
ROW = RunRow(
    id=4,
    key="k",
    command="compare",
    name="photos",
    settings=json.loads(json.dumps(SETTINGS.as_dict())),  # as the store gives them back
    data={"fingerprint": "f00"},
    environment={},
    status="finished",
    created="2026-01-01T00:00:00+00:00",
    seconds=1.0,
    result={
        "recommended": {
            "method": "momentum",
            "penalty": "elastic",
            "hyperparameters": {"rate": 0.25, "momentum": 0.75, "l1": 0.5, "l2": 0.125},
            "validation": 0.9,
        }
    },
    trainings=1,
)


def test_the_recipe_is_the_one_that_was_compared():
    found = recommended(ROW)
    assert found.settings == SETTINGS
    assert found.recipe.method == Momentum(0.25, 0.75)
    assert found.recipe.penalty == ElasticNet(0.5, 0.125)
    assert (found.recipe.model.widths, found.recipe.batch_size) == ((8,), 16)
    assert type(found.recipe.loss).__name__ == "Hinge"
    assert found.how() == {"epochs": 7, "seed": 3, "test": 0.25, "validation": 0.2}
    assert (found.name, found.fingerprint) == ("photos", "f00")


def test_technique_and_model_are_those_that_were_recommended():
    settings = replace(SETTINGS, techniques=("none", "dropout+early-stopping:patience=4"), model=("mlp:8", "mlp:16"))
    best = {
        "method": "momentum", "penalty": "elastic", "technique": "dropout+early-stopping:patience=4", "model": "mlp:16",
        "hyperparameters": {"rate": 0.25, "momentum": 0.75, "l1": 0.5, "l2": 0.125, "dropout.rate": 0.375},
        "validation": 0.9,
    }  # fmt: skip
    row = replace(ROW, settings=json.loads(json.dumps(settings.as_dict())), result={"recommended": best})
    found = recommended(row)
    assert found.settings == settings
    assert found.recipe.techniques == (Dropout(rate=0.375),)
    assert found.recipe.stop.patience == 4
    assert found.recipe.model.widths == (16,)


def test_values_of_a_second_technique_of_a_kind_go_to_the_second():
    settings = replace(SETTINGS, techniques=("dropout:layers=1+dropout:layers=2",), model="mlp:8,4")
    values = {"rate": 0.25, "momentum": 0.75, "l1": 0.5, "l2": 0.125, "dropout.rate": 0.375, "dropout2.rate": 0.25}
    best = {
        "method": "momentum", "penalty": "elastic", "technique": settings.techniques[0], "model": "mlp:8,4",
        "hyperparameters": values, "validation": 0.9,
    }  # fmt: skip
    row = replace(ROW, settings=json.loads(json.dumps(settings.as_dict())), result={"recommended": best})
    assert recommended(row).recipe.techniques == (Dropout(0.375, layers=(1,)), Dropout(0.25, layers=(2,)))


def test_a_run_from_before_there_were_techniques_is_read():
    old = {name: value for name, value in ROW.settings.items() if name not in ("techniques", "attack")}
    found = recommended(replace(ROW, settings=old))
    assert (found.settings, found.recipe.techniques, found.recipe.model.widths) == (SETTINGS, (), (8,))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"result": None}, "run 4 has not finished"),
        ({"command": "tune"}, "run 4 is of tune"),
        ({"settings": {**ROW.settings, "warp": 9}}, r"settings this steepest does not know \(warp\)"),
        ({"data": {"fingerprint": "f00", "reading": {"warp": 9}}}, r"run 4 read its data .* not know \(warp\)"),
    ],
)
def test_a_run_without_a_recommendation_says_why(changes, said):
    with pytest.raises(StoreError, match=said):
        recommended(replace(ROW, **changes))


READ = {"size": 16, "color": "grey", "label": "kind", "drop": ["id", "day"], "raw": True}


def read_as(named, source="photos", stored=READ):
    return recommended(replace(ROW, data={"fingerprint": "f00", "reading": stored})).reading_of(source, named)


@pytest.mark.parametrize("source", ["photos", "some/where/photos/", "./photos", "photos.tar.gz"])
def test_the_data_are_read_as_the_run_read_them(source):
    assert read_as({}, source) == READ
    assert read_as({"strict": True, "size": 16}, source) == {**READ, "strict": True}


def test_what_the_run_left_to_the_data_may_be_named():
    assert read_as({"label": "kind", "color": "rgb"}, stored={}) == {"label": "kind", "color": "rgb"}


def test_other_data_have_columns_of_their_own():
    assert read_as({}, "paintings") == {"size": 16, "color": "grey", "raw": True}
    assert read_as({"size": 1, "drop": ("no",)}, "paintings") == {
        "size": 1,
        "color": "grey",
        "raw": True,
        "drop": ("no",),
    }


def test_an_older_run_says_nothing_of_its_data():
    assert recommended(ROW).reading_of("photos", {"size": 3}) == {"size": 3}


@pytest.mark.parametrize(
    ("named", "stored", "said"),
    [
        (
            {"size": 1},
            READ,
            "--size 1: run 4 read photos with --size 16, and its setting is for such rows; leave --size",
        ),
        ({"size": 16}, {}, "--size 16: run 4 read photos with --size 32"),
        ({"label": "day"}, READ, "--label day: run 4 read photos with --label kind"),
        ({"drop": ("id",)}, READ, "--drop id: run 4 read photos with --drop id,day"),
        ({"drop": ("id",)}, {}, "--drop id: run 4 read photos with no --drop"),
        ({"raw": True}, {}, "--raw: run 4 read photos with no --raw"),
        ({"missing": "mean"}, {}, "--missing mean: run 4 read photos with --missing error"),
        ({"max_categories": 9}, {}, "--max-categories 9: run 4 read photos with --max-categories 50"),
    ],
)
def test_a_contradiction_is_refused(named, stored, said):
    with pytest.raises(SettingError) as caught:
        read_as(named, stored=stored)
    assert str(caught.value).startswith(said)


@pytest.fixture
def store(tmp_path):
    """Runs 1 to 7, of which 3 and 6 have not finished."""
    with Store.open(tmp_path) as opened:
        for k, name in enumerate(("photos", "photos", "photos", "photos2", "cats", "dogs", "1"), 1):
            run = opened.begin(f"key {k}", command="compare", name=name, settings={}, data={}, environment={})
            if k not in (3, 6):
                opened.finish(run.id, {"recommended": {}}, 1.0)
        yield opened


@pytest.mark.parametrize(
    ("which", "run", "said"),
    [
        ("photos", 2, "run 2 is taken, the newest finished comparison of photos; older: 1"),
        ("photos2", 4, ""),
        ("cat", 5, ""),
        ("dogs", 6, ""),
        ("latest", 7, ""),
        ("3", 3, ""),
        ("1", 1, ""),
    ],
)
def test_a_name_means_its_newest_finished_comparison(store, which, run, said):
    row, note = run_to_take(store, which)
    assert (row.id, note) == (run, said)


def test_what_is_no_name_stays_ambiguous(store):
    with pytest.raises(StoreError, match=r"run 'photo' may be 1, 2, 3, 4; give the number, or 'latest'"):
        run_to_take(store, "photo")
