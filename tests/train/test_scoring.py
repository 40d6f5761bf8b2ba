"""Rows that go through a model together: few where they hold much, never none."""

import pytest

import steepest as st
from steepest.train.scoring import FEWEST_ROWS, rows_at_once


@pytest.mark.parametrize(
    ("recipe", "shape"),
    [
        (st.Recipe(model=st.ResNet()), (128, 128, 3)),
        (st.Recipe(model=st.CNN()), (224, 224, 3)),
        (st.Recipe(model=st.ResNet(), techniques=st.Bagging(bags=16)), (32, 32, 3)),
    ],
)
def test_large_pictures_go_few_at_a_time(recipe, shape):
    assert rows_at_once(recipe, shape, 10) == FEWEST_ROWS


def test_small_rows_go_together():
    assert rows_at_once(st.Recipe(), (64,), 10) > 100_000
