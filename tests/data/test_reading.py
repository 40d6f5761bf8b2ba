"""How a source is to be read: refused by name where it makes no sense, and remembered by what was read."""

import json

import numpy as np
import pytest

import steepest.data as data
from steepest.core.errors import SettingError
from steepest.data.reading import Reading

X = np.arange(12.0).reshape(6, 2)
Y = list("ababab")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"size": 0}, "size = 0; it must be a whole number of pixels in [1, 1024]"),
        ({"size": True}, "size = True"),
        ({"size": 3.5}, "size = 3.5"),
        ({"color": "gray"}, "unknown color 'gray'; did you mean 'grey'?"),
        ({"missing": "mode"}, "unknown missing 'mode'"),
        ({"max_categories": 1}, "max_categories = 1; it must be a whole number of at least 2"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(setting, said):
    for read in (lambda: Reading(**setting), lambda: data.open("digits", **setting), lambda: data.check(**setting)):
        with pytest.raises(SettingError) as caught:
            read()
        assert str(caught.value).startswith(said)


def test_missing_is_refused_beside_arrays_too():
    with pytest.raises(SettingError, match="unknown missing 'mode'"):
        data.from_arrays(X, Y, missing="mode")


def test_only_what_was_chosen_is_told_and_json_gives_it_back():
    assert Reading().chosen == {}
    reading = Reading(label=["a", "b"], drop=("id",), missing="drop", strict=True)
    assert reading.chosen == {"label": ["a", "b"], "missing": "drop", "drop": ["id"], "strict": True}
    assert Reading(**json.loads(json.dumps(reading.chosen))) == reading


def test_a_dataset_knows_how_it_was_asked_for(tmp_path):
    (tmp_path / "t.csv").write_text("id,a,kind\n" + "\n".join(f"{k},{k % 5},{'xy'[k % 2]}" for k in range(20)))
    found = data.open(tmp_path / "t.csv", label="kind", drop=["id"])
    assert found.reading.chosen == {"label": "kind", "drop": ["id"]}
    assert data.open(found, size=3) is found
    assert data.open("blobs", samples=30).reading == Reading(samples=30)
    assert data.from_arrays(X, Y, raw=True).reading == Reading(raw=True)
