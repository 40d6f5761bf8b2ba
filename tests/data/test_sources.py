"""Built-in sets hold what scikit-learn and the sources say; whatever cannot be opened is named in one line."""

import subprocess
import sys

import numpy as np
import pytest

import steepest.data as data
from steepest.core.errors import DataError, SettingError


def test_digits_are_images_in_sixteenths():
    from sklearn.datasets import load_digits

    found = data.open()
    want = load_digits()
    assert found.name == "digits"
    assert found.shape == (8, 8, 1)
    assert found.classes == tuple("0123456789")
    np.testing.assert_array_equal(found.y, want.target)
    np.testing.assert_array_equal(found.features() * 16, want.data)
    assert found.features().max() == 1
    np.testing.assert_array_equal(data.open(raw=True).features(), want.data)


def test_blobs_are_the_sources():  # source: J1
    from sklearn.datasets import make_blobs

    X, y = make_blobs(n_samples=1000, n_features=2, centers=2, cluster_std=1.5, random_state=1)
    found = data.open("blobs")
    np.testing.assert_array_equal(found.features(), X.astype(np.float32))
    np.testing.assert_array_equal(found.y, y)


@pytest.mark.parametrize("name", sorted(data.SOURCES))
def test_every_source_opens_as_described(name):
    found = data.open(name)
    assert f"{len(found):,}" in data.SOURCES[name]
    assert found.fingerprint == data.open(name).fingerprint
    data.check_splittable(found.y, found.classes, found.groups, name)
    assert data.check(name).usable
    again = data.read_like(found.schema, name)
    np.testing.assert_array_equal(again.features, found.features())
    assert again.labels == [found.classes[k] for k in found.y]


def test_samples_of_toys():
    assert len(data.open("moons", samples=40)) == 40
    with pytest.raises(SettingError, match="iris has the rows it has"):
        data.open("iris", samples=40)
    with pytest.raises(SettingError, match="at least 10"):
        data.open("moons", samples=3)


def test_a_folder_called_like_a_source(photos, monkeypatch):
    photos.rename(photos.with_name("digits"))
    monkeypatch.chdir(photos.parent)
    assert data.open("./digits").classes == ("cats", "dogs")
    found = data.open("digits")
    assert found.classes == tuple("0123456789")
    assert found.notes == ("this is the built-in digits; ./digits opens what lies here under that name",)


def test_what_cannot_be_opened(tmp_path, refusal, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers.csv").write_text("x,label\n1,a\n2,b\n")
    assert "did you mean 'digits'" in refusal(data.open, "digit")
    assert "did you mean 'flowers.csv'" in refusal(data.open, "flower.csv")
    assert "flowers.csv" in refusal(data.open, tmp_path / "flowers.cvs")
    assert "nor is there a folder" in refusal(data.open, "no/where/at.csv")
    assert "fetches nothing from the network" in refusal(data.open, "https://example.org/a.csv")
    assert "a int is no data source" in refusal(data.open, 3)
    for name, content, word in (
        ("a.zip", b"PK\x03\x04rest", "unpack it first"),
        ("a.xlsx", b"PK\x03\x04rest", "save as CSV"),
        ("a.tar.zst", b"(\xb5/\xfd\x04X", "a zstandard file; unpack it first"),
        ("a.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0", "unpack it first"),
        ("a.npy", b"\x93NUMPY\x01\0", "np.savez"),
        ("a.pkl", b"\x80\x04\x95", "pickle"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "one image"),
        ("a.tar", b"\0" * 257 + b"ustar" + b"\0" * 300, "tar file"),
    ):
        (tmp_path / name).write_bytes(content)
        assert word in refusal(data.open, tmp_path / name)


def test_settings_that_do_not_belong():
    for settings, word in (
        ({"missing": "men"}, "did you mean 'mean'"),
        ({"max_categories": 1}, "max_categories"),
        ({"label": "x"}, "label"),
        ({"drop": ("x",)}, "drop"),
    ):
        with pytest.raises(SettingError, match=word):
            data.open("iris", **settings)


def test_unreadable_files_are_named(tmp_path, refusal, monkeypatch):
    from pathlib import Path

    path = tmp_path / "t.csv"
    path.write_text("x,label\n1,a\n2,b\n")

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "t.csv: cannot be read (Permission denied)" in refusal(data.open, path)


def test_importing_is_light():
    heavy = ("jax", "polars", "PIL", "sklearn", "psutil")
    code = f"import sys, steepest.data; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_classes_that_cannot_be_split():
    y = np.array([0, 0, 0, 1, 1, 2, 2, 2], np.int32)
    with pytest.raises(DataError, match=r"pets: class 'dog' has 2 rows; .* needs 3"):
        data.check_splittable(y, ("cat", "dog", "eel"), name="pets")
    y, groups = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 3, 3, 3])
    with pytest.raises(DataError, match=r"class 'eel' has 3 rows \(1 different one\)"):
        data.check_splittable(y, ("cat", "eel"), groups)
    with pytest.raises(DataError, match="class 'eel' has no rows"):
        data.check_splittable(np.array([0, 0, 0]), ("cat", "eel"))
    data.check_splittable(np.array([0, 0, 0, 1, 1, 1]), ("cat", "eel"))


def test_schemas_survive_json():
    import json

    for name in ("digits", "wine"):
        schema = data.open(name).schema
        assert data.Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    table = data.Schema("table", (3,), (data.Column("a"), data.Column("b", ("u", "v"))), "y", "mean")
    assert data.Schema.from_json(json.loads(json.dumps(table.to_json()))) == table
    for broken in ({}, {**table.to_json(), "shape": [4]}, {**table.to_json(), "kind": "other"}, [], None):
        with pytest.raises(DataError, match="stored schema"):
            data.Schema.from_json(broken)


@pytest.mark.parametrize("name", ["rows.csv", "rows.npz", "rows.parquet", "rows.tar", "rows"])
def test_an_empty_file_is_called_so(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    with pytest.raises(DataError, match=f"^{name}: an empty file"):
        data.open(name)
