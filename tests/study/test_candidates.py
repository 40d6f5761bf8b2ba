"""Candidates: their recipes, spaces and trials."""

import pytest

from steepest import MLP, ElasticNet, SettingError
from steepest.stops.rules import NoGain
from steepest.study.candidates import candidates
from steepest.study.recipe_text import recipe_text
from steepest.study.settings import Settings
from steepest.techniques.dropout import Dropout
from steepest.techniques.smoothing import Smoothing
from steepest.techniques.tangent import TangentProp


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


def test_techniques_and_models_are_crossed_with_the_rest():
    names = list(made(methods="sgd,adam", penalties="l2", techniques="none,dropout+smoothing", model="mlp:8,4,mlp:16"))
    assert names == [
        f"{method}+l2{technique}, {model}"
        for method in ("sgd", "adam")
        for technique in ("", ", dropout+smoothing")
        for model in ("mlp:8,4", "mlp:16")
    ]
    one = made(methods="sgd", penalties="none,l2", techniques="dropout", model="mlp:8")
    assert list(one) == ["sgd+none, dropout", "sgd+l2, dropout"]


def test_a_techniques_hyperparameters_carry_its_name():
    both = made(methods="sgd", penalties="l2", techniques="none,dropout+tangent-prop", model="mlp:8")
    assert list(both["sgd+l2"].spaces) == ["rate", "strength"]
    one = both["sgd+l2, dropout+tangent-prop"]
    assert set(one.spaces) >= {"rate", "strength", "dropout.rate", "tangent-prop.strength"}
    recipe = one.recipe({"rate": 0.5, "strength": 0.25, "dropout.rate": 0.125, "tangent-prop.strength": 0.0625})
    assert (recipe.method.rate, recipe.penalty.strength) == (0.5, 0.25)
    assert [type(part) for part in recipe.techniques] == [Dropout, TangentProp]
    assert (recipe.techniques[0].rate, recipe.techniques[1].strength) == (0.125, 0.0625)
    assert one.recipe().techniques == (Dropout(), TangentProp())
    with pytest.raises(SettingError, match=r"Dropout\.rate = 1"):
        one.recipe({"dropout.rate": 1.0})


def test_what_a_text_sets_is_not_searched():
    (one,) = made(methods="sgd", penalties="none", techniques="dropout:rate=0.3+smoothing", model="mlp:8").values()
    assert list(one.spaces) == ["rate", "smoothing.amount"]
    assert one.recipe({"smoothing.amount": 0.2}).techniques == (Dropout(rate=0.3), Smoothing(amount=0.2))


def test_a_stopping_rule_among_the_techniques_is_the_recipes():
    (one,) = made(methods="sgd", penalties="none", techniques="early-stopping:patience=3+smoothing").values()
    recipe = one.recipe()
    assert (recipe.stop.patience, recipe.techniques) == (3, (Smoothing(),))


def test_trials_do_not_change_because_techniques_stand_beside_them():
    alone = made(methods="adam", penalties="l2", model="mlp:8", trials=4, seed=3)["adam+l2"]
    beside = made(methods="adam", penalties="l2", techniques="none,dropout", model="mlp:8", trials=4, seed=3)
    assert beside["adam+l2"].trials(2) == alone.trials(2)
    assert [v["rate"] for v in alone.trials(2)[1:]] == pytest.approx(
        [0.000164534, 0.004232967, 0.000021045, 0.000947649], rel=1e-4
    ), "the draws of runs that people have"
    drawn = beside["adam+l2, dropout"].trials(2)
    assert [v["rate"] for v in drawn[1:]] != [v["rate"] for v in alone.trials(2)[1:]]
    assert all(0 < v["dropout.rate"] < 1 for v in drawn[1:])


def test_a_technique_for_two_layers_has_a_name_for_each():
    """J7 of the sources: dropout of 0.5 on the first hidden layer, of 0.3 on the second."""
    how = {"methods": "sgd", "penalties": "none", "model": "mlp:8,4", "spaces": {"dropout2.rate": (0.1, 0.4)}}
    (one,) = made(techniques="dropout:layers=1+smoothing+dropout:layers=2", **how).values()
    assert {name: str(space) for name, space in one.spaces.items() if name != "rate"} == {
        "dropout.rate": "uniform 0.05 … 0.8",
        "smoothing.amount": str(one.spaces["smoothing.amount"]),
        "dropout2.rate": "uniform 0.1 … 0.4",
    }
    values = one.trials(0)[1]
    first, second = Dropout(values["dropout.rate"], layers=(1,)), Dropout(values["dropout2.rate"], layers=(2,))
    assert one.recipe(values).techniques == (first, Smoothing(values["smoothing.amount"]), second)
    assert values["dropout.rate"] != values["dropout2.rate"]

    (fixed,) = made(**{**how, "spaces": ()}, techniques="dropout:rate=0.5,layers=1+dropout:rate=0.3,layers=2").values()
    assert list(fixed.spaces) == ["rate"]
    assert fixed.recipe().techniques == (Dropout(0.5, layers=(1,)), Dropout(0.3, layers=(2,)))


@pytest.mark.parametrize(
    "texts",
    [
        ["dropout:rate=0.5", "dropout:rate=.5"],
        ["dropout", "dropout:layers=all"],
        ["dropout+smoothing", "smoothing+dropout"],
        ["early-stopping:patience=5", "early-stopping"],  # whose patience is not searched either
        ["dropout:layers=1+dropout:layers=2", "dropout:layers=2+dropout:layers=1"],
    ],
)
def test_techniques_that_are_the_same_in_other_words_are_refused(texts):
    with pytest.raises(SettingError) as caught:
        made(methods="sgd", techniques=texts, model="mlp:8,4")
    assert str(caught.value) == f"techniques {texts[0]} and {texts[1]} are the same; name one of them"


def test_techniques_that_act_on_rows_one_after_the_other_are_others_in_another_order():
    texts = "augment+input-noise,input-noise+augment"
    assert len(made(methods="sgd", penalties="none", techniques=texts)) == 2
    texts = "dropout+augment,augment+dropout"  # one acts on rows, one on hidden units
    with pytest.raises(SettingError, match="are the same"):
        made(methods="sgd", penalties="none", techniques=texts, model="mlp:8")


def test_a_setting_that_does_nothing_is_refused():
    with pytest.raises(SettingError, match=r"'sparse:target=0\.2': target does nothing beside the other settings"):
        made(methods="sgd", techniques="sparse,sparse:target=0.2", model="mlp:8")
    both = "sparse:kind=kl,target=0.2,sparse:kind=kl"
    assert len(made(methods="sgd", penalties="none", techniques=both, model="mlp:8:tanh")) == 2


def test_a_space_for_what_a_text_fixes_is_refused_by_that_text():
    with pytest.raises(SettingError, match=r"^search space dropout\.rate: dropout:rate=0\.3 fixes it; leave one"):
        made(methods="sgd", techniques="none,dropout:rate=0.3", model="mlp:8", spaces={"dropout.rate": (0.1, 0.5)})


def test_multi_task_without_a_layer_to_share_is_refused():
    settings = Settings(methods="adam", techniques="none,multi-task")
    with pytest.raises(SettingError, match="linear has none: each task's scores have weights of their own"):
        candidates(settings, (4,), (3, 2))


def test_a_technique_that_is_searched_is_another_than_one_that_is_fixed():
    """Though by default their rate is the same."""
    assert len(made(methods="sgd", penalties="none", techniques="dropout,dropout:rate=0.5", model="mlp:8")) == 2
    how = {"methods": "sgd", "penalties": "none", "techniques": "early-stopping,early-stopping:patience=5"}
    assert len(made(**how, spaces={"early-stopping.patience": (2, 20)})) == 2


def test_patience_is_searched_among_whole_numbers():
    how = {"methods": "sgd", "penalties": "none", "techniques": "early-stopping", "trials": 60}
    (one,) = made(**how, spaces={"early-stopping.patience": (2, 5)}).values()
    assert str(one.spaces["early-stopping.patience"]) == "uniform 2 … 5, whole numbers"
    drawn = [values["early-stopping.patience"] for values in one.trials(0)[1:]]
    assert set(drawn) == {2, 3, 4, 5}
    recipe = one.recipe({"early-stopping.patience": 3.0})  # the store keeps all numbers as they are drawn: with a point
    assert recipe.stop == NoGain(patience=3)
    assert recipe_text(recipe).endswith("stop no-gain:patience=3")


def test_a_techniques_space_can_be_changed():
    (one,) = made(
        methods="sgd", penalties="none", techniques="dropout", model="mlp:8", spaces={"dropout.rate": (0.1, 0.6)}
    ).values()
    assert str(one.spaces["dropout.rate"]) == "uniform 0.1 … 0.6"


@pytest.mark.parametrize(
    ("settings", "shape", "says"),
    [
        (
            {"techniques": "none,dropout"}, (4,),
            r"^sgd\+none, dropout: Dropout: acts on hidden units, and Linear\(\) has none; use a model such as mlp:64$",
        ),
        ({"techniques": "dropout", "model": "mlp:8,linear"}, (4,), r"^sgd\+none, dropout, linear: Dropout: acts on "),
        ({"techniques": "augment"}, (4,), r"^sgd\+none, augment: Augment: needs images, and a row has 4 numbers"),
        ({"model": "linear,cnn"}, (4,), "^CNN: reads images, and a row is 4 numbers without an order; use a model"),
        ({"model": "mlp,mlp:64"}, (4,), "^models mlp and mlp:64 are the same; name one of them$"),
        ({"techniques": "dropout:rate=2", "model": "mlp:8"}, (4,), r"rate = 2; it must be"),
        (
            {"techniques": "dropout:rate=0.3", "model": "mlp:8", "spaces": {"dropout.rate": (0.1, 0.2)}}, (4,),
            "search space dropout.rate: dropout:rate=0.3 fixes it",
        ),
        ({"penalties": "l2", "spaces": {"sgd.strength": (0.1, 0.2)}}, (4,), "unknown search space 'sgd.strength'"),
    ],
)  # fmt: skip
def test_a_technique_that_cannot_act_is_refused_by_name(settings, shape, says):
    with pytest.raises(SettingError, match=says):
        candidates(Settings(**{"methods": "sgd", "penalties": "none", **settings}), shape)


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
        (
            ("early-stopping.patience", 2.5, 20),
            "search space of early-stopping.patience = 2.5 … 20; it must rise and be a whole number of at least 1",
        ),
        (("early-stopping.patience", 0, 20), "search space of early-stopping.patience = 0 … 20; it must rise and be a"),
        (("sgd.momentum", 0.1, 0.2), "unknown search space 'sgd.momentum'"),
        (("adam.rate", 0.1, 0.2), "unknown search space 'adam.rate'; did you mean"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(space, says):
    with pytest.raises(SettingError) as caught:
        made(methods="sgd", penalties="l2", techniques="early-stopping", spaces=(space,))
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"methods": "sgd,delta-bar-delta", "penalties": "none,l1"}, r"^delta-bar-delta\+l1: L1: needs a method"),
        ({"methods": "delta-bar-delta", "penalties": "elastic"}, r"^delta-bar-delta\+elastic: ElasticNet: needs"),
        (
            {"methods": "sgd", "penalties": "none", "techniques": "dropout+dropout:rate=0.2", "model": "mlp:8"},
            r"^sgd\+none, dropout\+dropout:rate=0\.2: techniques: dropout is there twice, acting on the same; keep",
        ),
        ({"methods": "coordinate"}, r"^Coordinate: is a solver for linear models.*; a comparison cannot run it"),
        ({"methods": "sgd", "model": "mlpp:3"}, r"unknown model 'mlpp'; did you mean 'mlp'"),
    ],
)
def test_a_pairing_that_makes_no_sense_is_refused_by_name(settings, says):
    with pytest.raises(SettingError, match=says):
        made(**settings)
