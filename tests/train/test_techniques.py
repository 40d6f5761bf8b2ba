"""Techniques put into a recipe by name, and those that cannot act refused by name."""

import numpy as np
import pytest

import steepest as st
from steepest.core.errors import SettingError
from steepest.models.linear import Linear
from steepest.models.mlp import MLP
from steepest.stops.rules import NoGain
from steepest.techniques import TECHNIQUES
from steepest.techniques.contract import Technique
from steepest.techniques.dropout import Dropout, InputDropout
from steepest.techniques.noise import HiddenNoise, LabelNoise
from steepest.techniques.smoothing import Smoothing
from steepest.train.recipe import Recipe
from steepest.train.techniques import check_techniques, hidden_layers, with_techniques

J7 = (Dropout(0.5, layers=(1,)), Dropout(0.3, layers=(2,)))


class OnImages(Technique):
    needs_images = True


def test_early_stopping_becomes_the_stopping_rule_with_the_best_weights_kept():  # source: R3
    rule = TECHNIQUES["early-stopping"]()
    recipe = with_techniques(Recipe(techniques=InputDropout()), [Smoothing(), rule])
    assert recipe.stop == NoGain(patience=5)
    assert recipe.stop.keeps_best
    assert recipe.techniques == (InputDropout(), Smoothing())
    assert with_techniques(Recipe(), []) == Recipe()


def test_a_second_stopping_rule_is_refused():
    with pytest.raises(SettingError, match=r"NoGain\(\): the recipe stops by NoGain\(patience=3\) already"):
        with_techniques(Recipe(stop=NoGain(patience=3)), [NoGain()])


@pytest.mark.parametrize("bad", [Smoothing, "dropout", NoGain, 3])
def test_what_is_no_technique_is_refused(bad):
    with pytest.raises(SettingError, match=r"must be instances such as Dropout\(rate=0\.5\)"):
        with_techniques(Recipe(), [bad])


def test_the_same_technique_twice_is_refused_but_for_other_layers():
    assert Recipe(techniques=J7).techniques == J7
    assert with_techniques(Recipe(techniques=J7[:1]), J7[1:]).techniques == J7
    for twice in ((Smoothing(0.1), Smoothing(0.2)), (Dropout(), J7[0]), (*J7, Dropout(0.1, layers=(2, 3)))):
        with pytest.raises(SettingError, match="is there twice, acting on the same; keep one"):
            Recipe(techniques=twice)
        with pytest.raises(SettingError, match="is there twice, acting on the same; keep one"):
            with_techniques(Recipe(techniques=twice[:-1]), twice[-1:])


@pytest.mark.parametrize(
    ("recipe", "shape", "message"),
    [
        (Recipe(techniques=Dropout()), (4,), r"Dropout: acts on hidden units, and Linear\(\) has none"),
        (Recipe(techniques=HiddenNoise()), (4,), r"HiddenNoise: acts on hidden units"),
        (Recipe(model=MLP((8,)), techniques=J7), (4,), r"acts on hidden layer 2, and MLP\(.*\) has 1 hidden layer$"),
        (Recipe(techniques=OnImages()), (64,), "OnImages: needs images, and a row has 64 numbers"),
        (Recipe(techniques=Smoothing(), loss=st.Squared()), (4,), "Smoothing: is for classes, and Squared is for numb"),
        (Recipe(techniques=LabelNoise(), loss=st.Squared()), (4,), "LabelNoise: is for classes"),
    ],
)
def test_what_cannot_act_is_refused_by_name(recipe, shape, message):
    with pytest.raises(SettingError, match=message):
        check_techniques(recipe, shape)


def test_what_can_act_is_not():
    check_techniques(Recipe(model=MLP((8, 4)), techniques=(*J7, InputDropout(), Smoothing())), (4,))
    check_techniques(Recipe(techniques=OnImages()), (8, 8))
    check_techniques(Recipe(techniques=OnImages()), (8, 8, 3))
    check_techniques(Recipe(loss=st.Squared(), techniques=InputDropout()), (4,))


def test_hidden_layers_are_counted():
    assert hidden_layers(Linear(), (4,)) == 0
    assert hidden_layers(MLP((3, 4, 5)), (2, 2, 1)) == 3


def test_a_sweep_and_a_fit_refuse_too():
    data = st.open("iris")
    with pytest.raises(SettingError, match="recipe 2 of 2: Dropout: acts on hidden units"):
        st.sweep([Recipe(), Recipe(techniques=Dropout())], np.zeros((9, 4)), np.arange(9) % 3)
    from steepest.study.fit import fit

    with pytest.raises(SettingError, match="Dropout: acts on hidden units"):
        fit(data, Recipe(techniques=Dropout()))
    with pytest.raises(SettingError, match=r"takes no steps, so techniques = \(InputDropout\(\),\) has nothing"):
        fit(data, Recipe(method=st.Coordinate(), loss=st.OneVsRest(), penalty=st.L2(), techniques=InputDropout()))
