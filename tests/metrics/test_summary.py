"""The report against scikit-learn's classification_report, its zero divisions included."""

import json

import numpy as np
import pytest
from sklearn.metrics import classification_report

from steepest.core.errors import DataError
from steepest.metrics import report

NAMES = ["ant", "bee", "cat", "dog", "eel"]


@pytest.mark.parametrize("seed", range(12))
def test_matches_classification_report(seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(rng.choice(5, rng.integers(1, 5), replace=False), 25)
    predicted = np.where(rng.random(25) < 0.5, y, rng.choice(rng.choice(5, 2), 25))
    got = report(y, predicted, NAMES)
    present = sorted(set(y) | set(predicted))
    want = classification_report(
        y, predicted, labels=present, target_names=[NAMES[i] for i in present], output_dict=True, zero_division=0
    )
    for i, one in enumerate(got.classes):
        assert one.name == NAMES[i]
        if i in present:
            w = want[one.name]
            assert (one.precision, one.recall, one.f1) == pytest.approx(
                (w["precision"], w["recall"], w["f1-score"]), abs=1e-14
            )
            assert one.support == w["support"]
        else:
            assert (one.precision, one.recall, one.f1, one.support) == (0.0, 0.0, 0.0, 0)
    assert got.accuracy == pytest.approx(np.mean(y == predicted))
    for mine, theirs in ((got.macro, "macro avg"), (got.weighted, "weighted avg")):
        w = want[theirs]
        assert (mine.precision, mine.recall, mine.f1) == pytest.approx(
            (w["precision"], w["recall"], w["f1-score"]), abs=1e-14
        )
    assert got.rows == 25
    assert sum(map(sum, got.confusion)) == 25


def test_a_class_never_predicted_and_one_never_there():
    got = report([0, 0, 1], [0, 2, 0], NAMES[:4])
    assert [(c.precision, c.recall, c.support) for c in got.classes] == [(0.5, 0.5, 2), (0, 0, 1), (0, 0, 0), (0, 0, 0)]
    assert got.macro.recall == pytest.approx(0.5 / 3)  # ant, bee and cat; dog occurs nowhere
    assert got.balanced == pytest.approx(0.25)  # ant and bee; a class without rows has no recall
    assert got.confusion == ((1, 0, 1, 0), (1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))


def test_goes_to_json():
    plain = report([0, 1], [0, 0], ["a", "b"]).as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["classes"][0] == {"name": "a", "precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 1}


def test_an_unnamed_class_and_no_rows_are_errors():
    with pytest.raises(DataError, match="prediction of row 1 is 2"):
        report([0, 1], [0, 2], ["a", "b"])
    with pytest.raises(DataError, match="without rows"):
        report([], [], ["a", "b"])
