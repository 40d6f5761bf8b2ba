"""`steepest evaluate --attack`: the scores under attack beside the plain ones."""

import pytest

from steepest.data.opening import open as open_data
from steepest.methods.adam import Adam
from steepest.study.attack import accuracy_under
from steepest.study.fit import fit
from steepest.techniques.adversarial import Attack
from steepest.train.model_file import save
from steepest.train.recipe import Recipe


@pytest.fixture
def model(tmp_path):
    found = fit(open_data("digits"), Recipe(method=Adam(rate=3e-3)), epochs=5)
    save(found, tmp_path / "model")
    return found


def test_both_scores_are_printed(steepest, model):
    data = open_data("digits")
    said = steepest("evaluate model.safetensors digits --attack pgd:size=0.2,steps=5 --json").json
    want = accuracy_under(model, data.features(), data.y, Attack(0.2, kind="pgd", steps=5))
    assert said["attack"]["accuracy"] == pytest.approx(want)
    assert said["attack"]["accuracy"] < said["accuracy"] - 0.05
    about = {"kind": "pgd", "norm": "inf", "size": 0.2, "steps": 5, "units": "standardised"}
    assert {name: said["attack"][name] for name in about} == about
    shown = steepest("evaluate model.safetensors digits --attack fgsm:size=0.2").out
    assert "Under attack by fgsm:size=0.2: accuracy" in shown
    assert "1 is a feature's deviation" in shown
    assert "attack" not in steepest("evaluate model.safetensors digits").out


@pytest.mark.usefixtures("model")
def test_an_attack_that_is_none(steepest):
    done = steepest("evaluate model.safetensors digits --attack fgms")
    assert (done.code, done.out) == (2, "")
    assert "unknown attack 'fgms'; did you mean 'fgsm'" in done.err
