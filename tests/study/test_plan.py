"""A plan: what cannot be in it."""

import pytest

from steepest import Coordinate, Recipe, SettingError, Squared
from steepest.study.plan import check_recipes


def test_recipes_that_cannot_be_swept_are_named():
    with pytest.raises(SettingError, match=r"recipe 2 of 2 is a str; it must be a steepest\.Recipe"):
        check_recipes([Recipe(), "adam"], 3, (4,))
    with pytest.raises(SettingError, match=r"Coordinate: is a solver .*; recipe 1 of 1 cannot run it"):
        check_recipes([Recipe(method=Coordinate())], 3, (4,))
    with pytest.raises(
        SettingError, match=r"^loss squared is for numbers to predict, not classes; take cross-entropy or .*hinge$"
    ):
        check_recipes([Recipe(loss=Squared())], 3, (4,))
    with pytest.raises(
        SettingError, match=r"^loss cross-entropy is for classes, not numbers to predict; take squared$"
    ):
        check_recipes([Recipe()], 0, (4,))
