"""Rows that are read from disk while training: the same trainings as with rows in memory, in little of it."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import steepest as st
from steepest.core.errors import SettingError
from steepest.data.schema import Schema
from steepest.methods.adam import Adam
from steepest.models.mlp import MLP
from steepest.stops.rules import NoGain
from steepest.study.fit import fit
from steepest.techniques.noise import InputNoise
from steepest.train import stream


@pytest.fixture
def pictures(tmp_path):
    """The digits as pictures, in memory and in a mapped file."""
    digits = st.open("digits")
    X = (digits.X.reshape(-1, 8, 8, 1) * 15).astype(np.uint8)
    schema = Schema("images", (8, 8, 1), top=255.0)
    near = dataclasses.replace(digits, X=X, schema=schema)
    X.tofile(tmp_path / "pixels")
    return near, dataclasses.replace(near, X=np.memmap(tmp_path / "pixels", np.uint8, "r", shape=X.shape))


RECIPES = {
    "momentum": st.Recipe(),
    "adam, noise, sums": st.Recipe(method=Adam(), techniques=(InputNoise(0.1),), reduction="sum", batch_size=50),
    "all rows": st.Recipe(batch_size=None),
    "stopped": st.Recipe(model=MLP((16,)), stop=NoGain(patience=1)),
}


@pytest.mark.parametrize("name", RECIPES)
def test_rows_from_disk_train_as_rows_in_memory(pictures, monkeypatch, name):
    monkeypatch.setattr(stream, "STRETCH_BYTES", 150 * 8 * 8 * 4)  # 150 rows at a time
    near, far = pictures
    assert (near.on_disk, far.on_disk) == (False, True)
    one, other = (fit(data, RECIPES[name], epochs=3, seed=1) for data in (near, far))
    assert (one.status, one.epochs, one.step) == (other.status, other.epochs, other.step)
    for part in ("train", "validation", "test"):
        for metric, value in one.scores[part].items():
            assert other.scores[part][metric] == pytest.approx(value, rel=1e-3, abs=2e-3)
    for curve in one.curves:
        np.testing.assert_allclose(other.curves[curve], one.curves[curve], rtol=2e-3)


def test_a_step_that_takes_all_rows_is_refused(pictures, monkeypatch):
    monkeypatch.setattr(stream, "STRETCH_BYTES", 100 * 8 * 8 * 4)
    with pytest.raises(SettingError, match="a step takes 1,078 rows, which are read in parts, for they exceed memory"):
        fit(pictures[1], st.Recipe(batch_size=None), epochs=1)


def test_a_divergence_is_found_in_its_stretch(pictures, monkeypatch):
    monkeypatch.setattr(stream, "STRETCH_BYTES", 150 * 8 * 8 * 4)
    wild = st.Recipe(method=st.SGD(rate=10.0), penalty=st.L2(strength=1e4))
    one, other = (fit(data, wild, epochs=2, seed=1) for data in pictures)
    assert one.status == other.status == "diverged"
    assert one.step == other.step > 4


BIG = """
import re, sys
from pathlib import Path
import numpy as np
from steepest.data.dataset import Dataset
from steepest.data.schema import Schema
from steepest.study.fit import fit
import steepest as st
rows, side = int(sys.argv[2]), 64
X = np.memmap(sys.argv[1], np.uint8, "r", shape=(rows, side, side, 3))
y = np.arange(rows, dtype=np.int32) % 2
alone = np.arange(rows, dtype=np.int32)
data = Dataset("sparse", X, y, ("a", "b"), alone, "0" * 32, Schema("images", X.shape[1:], top=255.0))
found = fit(data, st.Recipe(batch_size=256), epochs=1)
assert found.status == "finished"
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])  # ru_maxrss keeps what the parent had
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_many_pictures_take_little_memory(tmp_path):
    """Pictures that take 0.6 GB as float32, in a file with holes; `benchmarks/streaming.py` does 20 GB."""
    path, rows = tmp_path / "pixels", 12_000
    with path.open("wb") as file:
        file.truncate(rows * 64 * 64 * 3)
    done = subprocess.run([sys.executable, "-c", BIG, str(path), str(rows)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1.3 * (1 << 20)  # KiB; JAX, and 0.25 of the file's own pages, which can be given back


def test_images_that_exceed_memory_are_decoded_into_a_file_and_trained_from_there(tmp_path, monkeypatch):
    from PIL import Image

    import steepest.data as data
    from steepest.data import images

    rng = np.random.default_rng(0)
    for i in range(60):
        place = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 120 + 100 * (i % 2), (20, 20, 3), np.uint8)).save(place)
    near = data.open(tmp_path / "photos", size=16, cache=False)
    monkeypatch.setattr(images, "fits", lambda _: False)
    monkeypatch.setenv("STEEPEST_CACHE", str(tmp_path / "cache"))
    for _ in range(2):  # decoded, then from the cache
        far = data.open(tmp_path / "photos", size=16)
        assert (near.on_disk, far.on_disk) == (False, True)
        assert far.fingerprint == near.fingerprint
        np.testing.assert_array_equal(far.X, near.X)
        assert [path.suffix for path in sorted((tmp_path / "cache" / "images").iterdir())].count(".pixels") == 1
        assert not list((tmp_path / "cache" / "images").glob(".writing-*"))
        one, other = (fit(rows, st.Recipe(), epochs=2) for rows in (near, far))
        assert other.scores["test"]["loss"] == pytest.approx(one.scores["test"]["loss"], rel=1e-3)
