"""The compilation cache: it survives between processes, and what is damaged in it is mended without a word."""

import json
import os
import subprocess
import sys
import zlib

import jax.numpy as jnp
import pytest

from steepest.train.cache import cache_home, drop_damaged, precision

PROGRAM = """
import json
import jax
import numpy as np
from steepest import Momentum, Recipe, sweep

counts = {}
jax.monitoring.register_event_listener(lambda name, **_: counts.update({name: counts.get(name, 0) + 1}))
X = np.random.default_rng(0).normal(size=(60, 5))
found = sweep(Recipe(method=Momentum(rate=0.05)), X, np.arange(60) % 3, epochs=2, replicates=1, threads=1)
hits, misses = (counts.get(f"/jax/compilation_cache/cache_{what}", 0) for what in ("hits", "misses"))
weights = np.asarray(found.params(0, 0)["W"]).tobytes().hex()
print(json.dumps({"hits": hits, "misses": misses, "weights": weights}))
"""


def run(cache):
    """What a process of its own says: programs read and compiled, and the weights it trained."""
    env = {**os.environ, "STEEPEST_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_a_second_process_compiles_nothing_and_damage_is_mended(tmp_path):
    cold = run(tmp_path)
    assert cold["hits"] == 0
    assert cold["misses"] > 3
    entries = sorted((tmp_path / "programs").iterdir())
    warm = run(tmp_path)
    assert warm == {"hits": cold["misses"], "misses": 0, "weights": cold["weights"]}
    assert sorted((tmp_path / "programs").iterdir()) == entries
    truncated, emptied, scribbled = entries[0], entries[1], entries[2]
    truncated.write_bytes(truncated.read_bytes()[:-20])
    emptied.write_bytes(b"")
    content = bytearray(scribbled.read_bytes())
    content[len(content) // 2] ^= 0xFF
    scribbled.write_bytes(content)
    mended = run(tmp_path)
    assert mended == {"hits": cold["misses"] - 3, "misses": 3, "weights": cold["weights"]}
    assert run(tmp_path) == warm


def test_a_cache_that_cannot_be_made_costs_time_only(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert run(tmp_path / "file")["hits"] == 0


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "programs").mkdir()
    for name in ("a-cache", "b-cache"):
        (tmp_path / "programs" / name).write_bytes(zlib.compress(name.encode() * 1000))
    return tmp_path / "programs"


def left(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_whole_entries_stay_and_are_read_once(folder, monkeypatch):
    drop_damaged(folder)
    assert left(folder) == ["a-cache", "b-cache"]
    monkeypatch.setattr("steepest.train.cache._whole", lambda _: False)
    drop_damaged(folder)
    assert left(folder) == ["a-cache", "b-cache"]


def test_an_entry_damaged_after_it_was_listed_is_seen(folder):
    drop_damaged(folder)
    (folder / "a-cache").write_bytes((folder / "a-cache").read_bytes()[:-1])
    drop_damaged(folder)
    assert left(folder) == ["b-cache"]


@pytest.mark.parametrize("content", [b"", b"[1", b"[1, 2]", b'{"a-cache": 3}', b"\xff"])
def test_a_damaged_list_is_made_again(folder, content):
    listed = folder.with_name("programs-checked.json")
    listed.write_bytes(content)
    (folder / "b-cache").write_bytes(b"not packed")
    drop_damaged(folder)
    assert left(folder) == ["a-cache"]
    assert list(json.loads(listed.read_bytes())) == ["a-cache"]


def test_zstandard_is_left_alone_and_folders_too(folder):
    (folder / "c-cache").write_bytes(b"\x28\xb5\x2f\xfd and so on")
    (folder / "inner").mkdir()
    drop_damaged(folder)
    assert left(folder) == ["a-cache", "b-cache", "c-cache", "inner"]


def test_the_place_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("STEEPEST_CACHE", str(tmp_path))
    assert cache_home() == tmp_path
    monkeypatch.delenv("STEEPEST_CACHE")
    assert cache_home().name == "steepest"


def test_precision_holds_inside_only():
    with precision("float64"):
        assert jnp.zeros(1, "float64").dtype == "float64"
    with precision("float32"):
        assert jnp.zeros(1).dtype == "float32"
    assert jnp.zeros(1).dtype == "float32"
