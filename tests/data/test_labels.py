"""Several label columns of one table, and both labels of CIFAR-100: named, read, judged, and read again for a model."""

import numpy as np
import polars as pl
import pytest

import steepest.data as data
from steepest.core.errors import DataError, SettingError

ROWS = "width,colour,species,island\n" + "".join(
    f"{k / 3},{'red' if k % 5 else 'blue'},{'abc'[k % 3]},{'north' if k % 4 else 'south'}\n" for k in range(24)
)


@pytest.fixture
def table(tmp_path):
    def write(text=ROWS, name="birds.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def names_of(task):
    return [task.classes[k] for k in task.y]


@pytest.mark.parametrize("label", ["species,island", " species , island ", ("species", "island"), ["species,island"]])
def test_each_column_is_a_task(table, label):
    found = data.open(table(), label=label)
    assert [task.name for task in found.tasks] == ["species", "island"]
    assert names_of(found.tasks[0]) == ["abc"[k % 3] for k in range(24)]
    assert names_of(found.further[0]) == ["north" if k % 4 else "south" for k in range(24)]
    assert found.classes == ("a", "b", "c")
    assert found.schema.labels == ("species", "island")
    assert found.schema.feature_names == ("width", "colour=blue", "colour=red")
    assert repr(found) == "<Dataset 'birds.csv': 24 rows of 3, 3 and 2 classes>"


def test_the_order_decides_which_is_first_and_the_fingerprint_holds_all(table):
    path = table()
    one, two = data.open(path, label="species,island"), data.open(path, label="island,species")
    assert two.classes == ("north", "south")
    alone = data.open(path, label="species", drop=("island",))
    np.testing.assert_array_equal(one.X, alone.X)
    assert len({one.fingerprint, two.fingerprint, alone.fingerprint}) == 3
    assert data.check(path, label="species,island").fingerprint == one.fingerprint
    called = data.open(table(ROWS.replace("island", "place", 1)), label="species,place")
    assert called.fingerprint != one.fingerprint
    moved = data.open(table(ROWS.replace("a,south", "a,north", 1)), label="species,island")
    assert moved.fingerprint != one.fingerprint


def test_a_column_with_a_comma_in_its_name_is_one(table):
    path = table(ROWS.replace("species", '"species,island"'))
    found = data.open(path, label="species,island")
    assert found.schema.labels == ("species,island",)
    assert found.further == ()
    several = data.open(path, label=("species,island", "island"))
    assert several.schema.labels == ("species,island", "island")


def test_a_frame_has_label_columns_too(table):
    frame = pl.read_csv(table())
    found = data.open(frame, label=("species", "island"))
    assert found.further[0].classes == ("north", "south")


def test_rows_without_one_of_the_labels_are_dropped_only_if_asked(table):
    lines = ROWS.splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ","
    lines[6] = lines[6].replace(",c,", ",,")
    path = table("\n".join(lines) + "\n")
    problems = data.check(path, label="species,island").problems
    assert any("column 'island', line 4: no label (1 row); fill it in, or leave such rows" in one for one in problems)
    with pytest.raises(DataError, match=r"column 'species', line 7: no label \(1 row\)"):
        data.open(path, label="species,island")
    found = data.open(path, label="species,island", missing="drop")
    assert [len(task.y) for task in found.tasks] == [22, 22]
    assert names_of(found.tasks[0]) == ["abc"[k % 3] for k in range(24) if k not in (2, 5)]
    assert names_of(found.tasks[1]) == ["north" if k % 4 else "south" for k in range(24) if k not in (2, 5)]


@pytest.mark.parametrize(
    ("text", "settings", "error", "said"),
    [
        (ROWS, {"label": "species,iland"}, DataError, "no column 'iland'; did you mean 'island'"),
        (ROWS, {"label": "species,species"}, SettingError, "label: 'species' is named twice"),
        (ROWS, {"label": ("species,island", "island")}, SettingError, "label: 'island' is named twice"),
        (ROWS, {"label": ","}, SettingError, "name a column, or several as a,b"),
        (ROWS, {"label": "species,island", "drop": ("island",)}, SettingError, "column 'island' is a label"),
        (ROWS.replace("south", "north"), {"label": "species,island"}, DataError,
         "column 'island' holds one class, 'north'; at least two are needed"),
        (ROWS, {"label": "species,width"}, DataError, "column 'width': the label has 24 values in 24 rows"),
        (ROWS.replace("north", "1").replace("south", "1.0"), {"label": "species,island"}, DataError,
         "column 'island' mixes the labels '1.0' and '1'"),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_tasks_are_one_line(table, text, settings, error, said):
    with pytest.raises(error, match=said) as caught:
        data.open(table(text), **settings)
    assert "\n" not in str(caught.value)


def test_check_counts_the_classes_of_each(table):
    found = data.check(table(), label="species,island")
    assert found.classes == {"a": 8, "b": 8, "c": 8}
    assert found.further == {"island": {"north": 18, "south": 6}}
    assert found.usable
    assert not data.check(table(ROWS.replace("south", "north")), label="species,island").usable


def test_new_rows_have_all_labels_or_none(table):
    schema = data.open(table(), label="species,island").schema
    again = data.schema.Schema.from_json(schema.to_json())
    assert again == schema
    rows = data.read_like(again, table("width,colour,island,species\n1,red,south,b\n2,blue,north,a\n", "new.csv"))
    assert (rows.labels, rows.further) == (["b", "a"], (["south", "north"],))
    lacking = data.read_like(again, table("width,colour,species\n1,red,b\n", "few.csv"))
    assert (lacking.labels, lacking.further) == (None, ())
    gap = data.read_like(again, table("width,colour,species,island\n1,red,b,\n2,red,a,north\n", "gap.csv"))
    assert gap.labels is None
    assert gap.notes == ("column 'island' has empty cells, so its labels are not used",)
    other = table("width,colour,kind,place\n1,red,b,south\n", "other.csv")
    renamed = data.read_like(again, other, label="kind,place")
    assert (renamed.labels, renamed.further) == (["b"], (["south"],))
    with pytest.raises(SettingError, match=r"names 1 column, and the model has several tasks \(species, island\)"):
        data.read_like(again, other, label="kind")
    with pytest.raises(DataError, match=r"no column 'plaec'; did you mean 'place'\?"):
        data.read_like(again, other, label="kind,plaec")
    whole = data.open(table(), label="island,species")
    rows = data.read_like(again, whole)
    assert rows.labels == names_of(whole.further[0])
    assert rows.further == (names_of(whole.tasks[0]),)


def test_a_schema_from_before_there_were_several_is_read(table):
    stored = data.open(table(), label="species", drop=("island",)).schema.to_json()
    del stored["further"]
    assert data.schema.Schema.from_json(stored).labels == ("species",)
