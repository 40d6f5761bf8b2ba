"""Candidates: their recipes, spaces and trials."""

import pytest

from steepest import MLP, ElasticNet, SettingError
from steepest.study.candidates import candidates
from steepest.study.settings import Settings


def made(**settings):
    return {c.name: c for c in candidates(Settings(**settings))}


def test_every_method_meets_every_penalty_in_order():
    assert list(made(methods="sgd,adam", penalties="none,l2")) == ["sgd+none", "sgd+l2", "adam+none", "adam+l2"]
    assert len(made()) == 24


def test_a_candidate_searches_what_both_declare():
    spaces = {name: list(c.spaces) for name, c in made(methods="momentum", penalties="none,l1,elastic").items()}
    assert spaces == {
        "momentum+none": ["rate", "momentum"],
        "momentum+l1": ["rate", "momentum", "strength"],
        "momentum+elastic": ["rate", "momentum", "l1", "l2"],
    }


def test_values_go_to_whom_they_belong():
    one = made(methods="momentum", penalties="elastic", model="mlp:8,4", batch_size=7)["momentum+elastic"]
    recipe = one.recipe({"rate": 0.5, "momentum": 0.25, "l1": 0.125, "l2": 0.0625})
    assert (recipe.method.rate, recipe.method.momentum) == (0.5, 0.25)
    assert recipe.penalty == ElasticNet(l1=0.125, l2=0.0625)
    assert (recipe.model, recipe.batch_size) == (MLP(widths=(8, 4)), 7)
    assert one.recipe().method.momentum == 0.9
    with pytest.raises(SettingError, match=r"ElasticNet\.l1 = -1"):
        one.recipe({"l1": -1.0})


def test_trials_begin_with_the_defaults_and_only_grow():
    few, many = (made(methods="sgd,adam", trials=n, seed=3)["adam+l2"] for n in (4, 9))
    assert few.trials(2)[0] == {}
    assert many.trials(2)[:5] == few.trials(2)
    assert len(many.trials(2)) == 10
    assert few.trials(2) != few.trials(1)
    assert made(methods="adam", trials=4, seed=3)["adam+l2"].trials(2) == few.trials(2), "whoever stands beside it"
    assert made(methods="adam", trials=4, seed=4)["adam+l2"].trials(2) != few.trials(2)


def test_candidates_draw_for_themselves():
    both = made(methods="sgd,nesterov", penalties="none", trials=5)
    assert [v["rate"] for v in both["sgd+none"].trials(0)[1:]] != [
        v["rate"] for v in both["nesterov+none"].trials(0)[1:]
    ]


def test_a_changed_space_is_taken_as_it_is_declared():
    changed = made(
        methods="momentum", penalties="l2", spaces=(("momentum.rate", 0.3, 0.4), ("momentum.momentum", 0.1, 0.2))
    )
    spaces = changed["momentum+l2"].spaces
    assert (str(spaces["rate"]), str(spaces["momentum"])) == ("log-uniform 0.3 … 0.4", "uniform 0.1 … 0.2")
    assert str(spaces["strength"]) == str(made(methods="momentum", penalties="l2")["momentum+l2"].spaces["strength"])


@pytest.mark.parametrize(
    ("space", "says"),
    [
        (("sgd.rate", 0.4, 0.3), "search space of sgd.rate = 0.4 … 0.3; it must rise and be a finite number above 0"),
        (("sgd.rate", 0.0, 0.3), "search space of sgd.rate = 0 … 0.3; it must rise and be a finite number above 0"),
        (("sgd.rate", 0.1, float("inf")), "search space of sgd.rate = 0.1 … inf; it must rise"),
        (("sgd.rate", float("nan"), 1.0), "search space of sgd.rate = nan … 1; it must rise"),
        (("l2.strength", 0.0, 0.1), "search space of l2.strength = 0 … 0.1; it must rise"),
        (("sgd.momentum", 0.1, 0.2), "unknown search space 'sgd.momentum'"),
        (("adam.rate", 0.1, 0.2), "unknown search space 'adam.rate'; did you mean"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(space, says):
    with pytest.raises(SettingError) as caught:
        made(methods="sgd", penalties="l2", spaces=(space,))
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"methods": "sgd,delta-bar-delta", "penalties": "none,l1"}, r"^delta-bar-delta\+l1: L1: needs a method"),
        ({"methods": "delta-bar-delta", "penalties": "elastic"}, r"^delta-bar-delta\+elastic: ElasticNet: needs"),
        ({"methods": "coordinate"}, r"^Coordinate: is a solver for linear models.*; a comparison cannot run it"),
        ({"methods": "sgd", "model": "mlpp:3"}, r"unknown model 'mlpp'; did you mean 'mlp'"),
    ],
)
def test_a_pairing_that_makes_no_sense_is_refused_by_name(settings, says):
    with pytest.raises(SettingError, match=says):
        made(**settings)
