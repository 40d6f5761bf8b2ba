"""`steepest predict --samples`: how sure a model is that was trained with dropout."""

import csv
import io
import json

import numpy as np
import pytest

import steepest as st
from steepest.study.fit import fit
from steepest.train.model_file import save


@pytest.fixture
def model(tmp_path):
    """A model with dropout, stored beside one without."""
    recipe = st.Recipe(model=st.MLP(widths=(16,)), method=st.Adam(rate=0.01), techniques=st.Dropout(0.5))
    fitted = fit(st.open("iris"), recipe, epochs=3)
    save(fitted, tmp_path / "dropout.safetensors")
    save(fit(st.open("iris"), st.Recipe(), epochs=1), tmp_path / "plain.safetensors")
    return fitted


def test_mean_and_spread_of_each_class_as_csv_and_as_json_lines(steepest, model):
    want = model.uncertainty(st.open("iris").features(), samples=20)
    table = list(csv.DictReader(io.StringIO(steepest("predict dropout.safetensors iris --samples 20").out)))
    assert list(table[0]) == ["name", "label"] + [f"{what}({c})" for what in ("mean", "spread") for c in model.classes]
    for what in ("mean", "spread"):
        got = [[float(row[f"{what}({c})"]) for c in model.classes] for row in table]
        np.testing.assert_array_equal(got, getattr(want, what))
    assert [row["label"] for row in table] == [model.classes[i] for i in want.mean.argmax(axis=1)]
    lines = [
        json.loads(line)
        for line in steepest("predict dropout.safetensors iris --samples 20 --format jsonl").out.splitlines()
    ]
    assert lines[7]["mean"] == dict(zip(model.classes, want.mean[7]))
    assert lines[7]["spread"] == dict(zip(model.classes, want.spread[7]))
    assert steepest("predict dropout.safetensors iris --samples 20 --json").json["predictions"] == lines
    both = steepest("predict dropout.safetensors iris --samples 20 --probabilities").out.splitlines()[0]
    assert both.startswith("name,label,p(setosa),p(versicolor),p(virginica),mean(setosa)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("plain.safetensors iris --samples 20", "trained without dropout"),
        ("dropout.safetensors iris --samples 1", "samples = 1"),
        ("dropout.safetensors iris --samples 2.5", "samples = 2.5; it must be a whole number of at least 2"),
    ],
)
@pytest.mark.usefixtures("model")
def test_what_gives_no_spread_is_one_line(steepest, arguments, said):
    done = steepest(f"predict {arguments}")
    assert done.code in (1, 2)
    assert said in done.err
    assert done.out == ""
