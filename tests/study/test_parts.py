"""Parts written as text: read, refused by name, and written back."""

from __future__ import annotations

import json

import pytest

from steepest.core.errors import SettingError
from steepest.core.registry import Registry
from steepest.inits import INITS
from steepest.methods import METHODS
from steepest.methods.adam import Adam
from steepest.penalties import PENALTIES
from steepest.penalties.norms import L2
from steepest.schedules import SCHEDULES
from steepest.schedules.combine import Chain, WarmUp
from steepest.schedules.decay import Cosine, Step
from steepest.stops import STOPS
from steepest.study.parts import REGISTRIES, part_entry, part_from_text, part_text
from steepest.study.recipe_text import recipe_from_texts
from steepest.techniques import TECHNIQUES
from steepest.techniques.bagging import Bagging


@pytest.mark.parametrize(
    ("registry", "text", "part"),
    [
        (METHODS, "adam", Adam()),
        (METHODS, " adam : rate = 1e-2 , correct=false,form=keras ", Adam(1e-2, correct=False, form="keras")),
        (PENALTIES, "l2:strength=0.5,factor=one", L2(0.5, "one")),
        (SCHEDULES, "step:every=3,by=0.5", Step(0.5, 3)),
        (SCHEDULES, "warm-up:share=0.2,then=cosine", WarmUp(share=0.2, then=Cosine())),
        (SCHEDULES, "chain:first=(warm-up:then=(step:by=0.5,every=2)),second=cosine",
         Chain(WarmUp(then=Step(0.5, 2)), Cosine())),
    ],
)  # fmt: skip
def test_a_text_is_read_and_written_back(registry, text, part):
    made = part_from_text(registry, text)
    assert made == part
    assert part_from_text(registry, part_text(registry, made)) == part


@pytest.mark.parametrize("kind", [kind for kind in REGISTRIES if kind != "models"])
def test_every_name_alone_is_its_defaults_and_is_written_so(kind):
    registry = REGISTRIES[kind]
    for name in registry.names():
        if (kind, name) == ("inits", "given"):
            continue
        assert part_from_text(registry, name) == registry[name]()
        assert part_text(registry, registry[name]()) == name


@pytest.mark.parametrize(
    ("registry", "text", "said"),
    [
        (METHODS, "adamm", "unknown method 'adamm'; did you mean 'adam'?"),
        (METHODS, "adam:0.01", "'0.01' is no setting; write name=value, as in adam:rate=…"),
        (METHODS, "adam:rate=", "'rate=' is no setting"),
        (METHODS, "adam:rat=0.1", "unknown setting of method adam 'rat'; did you mean 'rate'?"),
        (METHODS, "adam:rate=fast", "method adam: rate = 'fast'; it must be a finite number above 0"),
        (METHODS, "adam:rate=-1", "method adam: rate = -1; it must be a finite number above 0"),
        (METHODS, "adam:rate=nan", "it must be a finite number above 0"),
        (METHODS, "adam:rate=1,rate=2", "rate is given twice"),
        (METHODS, "adam:correct=maybe", "correct = 'maybe'; it must be true or false"),
        (METHODS, "adam:form=torch", "unknown Adam.form 'torch'; known: paper, keras"),
        (STOPS, "no-gain:patience=1.5", "it must be a whole number of at least 1"),
        (SCHEDULES, "chain:first=(step:by=0.5", "parentheses do not match"),
        (SCHEDULES, "chain:first=step)", "parentheses do not match"),
        (SCHEDULES, "chain:first=stepp", "unknown schedule 'stepp'"),
        (INITS, "given", "needs values"),
        (INITS, "given:values=3", "takes arrays"),
    ],
)
def test_what_cannot_be_read_is_said_by_name(registry: Registry, text, said):
    with pytest.raises(SettingError) as caught:
        part_from_text(registry, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", list(REGISTRIES))
def test_every_entry_is_plain_json_with_range_and_default(kind):
    for name in REGISTRIES[kind].names():
        entry = json.loads(json.dumps(part_entry(REGISTRIES[kind], name), allow_nan=False))
        assert entry["name"] == name
        assert entry["about"]
        for number in entry["hyperparameters"]:
            assert isinstance(number["default"], int | float)
    adam = part_entry(METHODS, "adam")
    assert adam["hyperparameters"][0] == {
        "name": "rate", "default": 1e-3, "range": "a finite number above 0", "space": "log-uniform 1e-05 … 0.1",
    }  # fmt: skip


@pytest.mark.parametrize("name", METHODS.names())
def test_a_method_says_which_penalties_it_refuses(name):
    if hasattr(METHODS[name], "solve"):
        assert not part_entry(METHODS, name)["refuses"]
        return
    refused = []
    for penalty in ("none", "l1", "l2", "elastic"):
        try:
            recipe_from_texts({"method": name, "penalty": penalty}).general()
        except SettingError:
            refused.append(penalty)
    assert part_entry(METHODS, name)["refuses"].partition(":")[0] == ", ".join(refused)


def test_what_a_technique_needs_is_said():
    needs = {name: part_entry(REGISTRIES["techniques"], name)["needs"] for name in ("augment", "dropout", "smoothing")}
    assert needs == {"augment": ["images"], "dropout": ["hidden layers"], "smoothing": ["classes"]}
    assert part_entry(METHODS, "adam")["needs"] == []


def test_a_whole_number_among_the_settings_is_one():
    assert part_from_text(TECHNIQUES, "bagging:bags=4") == Bagging(bags=4)
    assert part_from_text(TECHNIQUES, "adversarial:kind=pgd,steps=3").steps == 3
    with pytest.raises(SettingError, match=r"bags = '2\.5'; it must be a whole number"):
        part_from_text(TECHNIQUES, "bagging:bags=2.5")
