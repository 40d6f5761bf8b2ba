"""Recipes and techniques written as text: read, refused by name, and written back."""

from __future__ import annotations

import pytest

from steepest.core.errors import SettingError
from steepest.methods.adam import Adam
from steepest.penalties.norms import L2
from steepest.stops.rules import NoGain
from steepest.study.recipe_text import recipe_from_texts, recipe_text, techniques_from_text, techniques_text
from steepest.techniques.augment import Augment
from steepest.techniques.dropout import Dropout
from steepest.techniques.noise import WeightNoise
from steepest.techniques.smoothing import Smoothing
from steepest.train.recipe import Recipe


def test_a_recipe_takes_what_is_not_said_from_its_base():
    base = Recipe(method=Adam(0.5), penalty=L2(0.25), batch_size=8)
    assert recipe_from_texts({"penalty": "none", "method": None}, base=base) == Recipe(method=Adam(0.5), batch_size=8)
    assert recipe_from_texts({}, 64).batch_size == 64
    assert recipe_text(recipe_from_texts({"model": "mlp:8", "init": "zeros"}, base=base)) == (
        "adam:rate=0.5 + l2:strength=0.25, mlp:8, init zeros"
    )


def test_pairings_that_make_no_sense_are_refused():
    with pytest.raises(SettingError, match="needs a method with a stride"):
        recipe_from_texts({"method": "delta-bar-delta", "penalty": "l1"})


@pytest.mark.parametrize(
    ("text", "parts", "back"),
    [
        ("none", (), "none"),
        ("dropout", (Dropout(),), "dropout"),
        (" dropout : rate = 3e-1 + smoothing", (Dropout(0.3), Smoothing()), "dropout:rate=0.3+smoothing"),
        ("augment:rotate=1e+1,shift=+0.5+smoothing", (Augment(shift=0.5), Smoothing()), "augment:shift=0.5+smoothing"),
        ("weight-noise:scale=5e-1+early-stopping:patience=2", (WeightNoise(0.5), NoGain(2)),
         "weight-noise:scale=0.5+early-stopping:patience=2"),
        ("dropout:layers=2", (Dropout(layers=(2,)),), "dropout:layers=2"),
        ("dropout:layers=(1,2),rate=0.1", (Dropout(0.1, (1, 2)),), "dropout:rate=0.1,layers=1/2"),
        ("dropout:layers=all", (Dropout(),), "dropout"),
        ("dropout:layers=1+dropout:rate=0.3,layers=2/3", (Dropout(layers=(1,)), Dropout(0.3, (2, 3))),
         "dropout:layers=1+dropout:rate=0.3,layers=2/3"),
    ],
)  # fmt: skip
def test_techniques_are_read_and_written_back(text, parts, back):
    made = techniques_from_text(text)
    assert made == parts
    assert techniques_text(made) == back
    assert techniques_from_text(back) == parts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dropuot", "unknown technique 'dropuot'; did you mean 'dropout'?"),
        ("none,dropout", "techniques 'none,dropout': fit joins techniques by plus: dropout+smoothing; compare"),
        ("dropout:rate=0.3,augment:shift=0.1", "fit joins techniques by plus: dropout+smoothing"),
        ("smoothing+dropout,augmnt", "fit joins techniques by plus: dropout+smoothing"),
        ("dropout+augmnt", "unknown technique 'augmnt'; did you mean 'augment'?"),
        ("non", "unknown technique 'non'; did you mean 'none'?"),
        ("dropout:rate=1", r"technique dropout: rate = 1; it must be a finite number in [0, 1)"),
        ("dropout:rat=0.1", "unknown setting of technique dropout 'rat'; did you mean 'rate'?"),
        ("augment:shift=2+dropout", r"technique augment: shift = 2; it must be a finite number in [0, 1]"),
        ("dropout:layers=first", "layers = 'first'; it must be whole numbers such as 1 or 1/2, or all"),
        ("dropout:layers=1/", "layers = '1/'; it must be whole numbers"),
        ("dropout:layers=0", "it must be whole numbers of at least 1"),
        ("dropout+dropout", "dropout is there twice; give each its own layers"),
        ("dropout:layers=1/2+dropout:layers=2", "dropout is there twice; give each its own layers"),
        ("augment+augment:flip=1", "techniques 'augment+augment:flip=1': augment is there twice"),
        ("none+dropout", "none is no technique at all and goes with no other"),
        ("dropout+", "a plus with nothing beside it"),
        ("", "no technique is named; write none, or dropout+augment"),
    ],
)
def test_techniques_that_cannot_be_read_are_refused_by_name(text, said):
    with pytest.raises(SettingError) as caught:
        techniques_from_text(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_takes_techniques_as_one_text():
    made = recipe_from_texts({"model": "mlp:8", "techniques": "dropout:rate=0.3+early-stopping"})
    assert made.techniques == (Dropout(0.3),)
    assert made.stop == NoGain()
    assert recipe_text(made) == "momentum + none, mlp:8, stop no-gain, dropout:rate=0.3"
    assert recipe_from_texts({"techniques": None}, base=made) == made
    assert recipe_from_texts({"techniques": "none"}, base=made) == Recipe(model=made.model)
    other = recipe_from_texts({"techniques": "early-stopping:patience=9+smoothing"}, base=made)
    assert (other.stop, other.techniques) == (NoGain(9), (Smoothing(),))
    kept = recipe_from_texts({"techniques": "smoothing", "stop": "no-gain:patience=7"}, base=made)
    assert (kept.stop, kept.techniques) == (NoGain(7), (Smoothing(),))
    with pytest.raises(SettingError, match="use one of the two"):
        recipe_from_texts({"techniques": "early-stopping", "stop": "reached:target=0.1"})
