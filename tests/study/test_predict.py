"""Predicting and evaluating with a model, without the command line."""

from __future__ import annotations

import numpy as np
import pytest

from steepest import data
from steepest.core.errors import DataError, SettingError
from steepest.losses.margin import Hinge
from steepest.methods.adam import Adam
from steepest.study.evaluate import evaluate
from steepest.study.fit import fit
from steepest.study.predict import predicted
from steepest.train.recipe import Recipe


@pytest.fixture(scope="module")
def fitted():
    return fit(data.open("iris"), Recipe(method=Adam(0.1)), epochs=5)


def test_labels_and_shares_are_those_of_the_model(fitted):
    found = predicted(fitted, "iris", probabilities=True)
    rows = data.open("iris").features()
    assert found.labels == fitted.labels(rows).tolist()
    assert found.shares is not None
    np.testing.assert_array_equal(found.shares, fitted.probabilities(rows))
    assert found.names[0] == "1"
    assert len(found.names) == 150
    assert predicted(fitted, "iris").shares is None


def test_a_hinge_gives_no_probabilities():
    model = fit(data.open("iris"), Recipe(loss=Hinge()), epochs=1)
    with pytest.raises(SettingError, match="Hinge, which gives no probabilities"):
        predicted(model, "iris", probabilities=True)


def test_classes_are_matched_by_name_and_not_by_place(fitted):
    iris = data.open("iris")
    some = np.flatnonzero(iris.y > 0)  # without the first class, class numbers would shift
    found = evaluate(fitted, (iris.X[some], np.array(iris.classes)[iris.y[some]]))
    said = fitted.predict(iris.features()[some])
    assert found.report.accuracy == np.mean(said == iris.y[some])
    assert [one.support for one in found.report.classes] == [0, 50, 50]


def test_a_class_that_the_model_does_not_know_is_named(fitted):
    with pytest.raises(DataError, match="does not know class rose; it knows setosa, versicolor, virginica"):
        evaluate(fitted, (np.zeros((2, 4)), np.array(["setosa", "rose"])))


def test_rows_without_labels_cannot_be_evaluated(fitted):
    with pytest.raises(DataError, match="no labels to compare with"):
        evaluate(fitted, np.zeros((2, 4)))
