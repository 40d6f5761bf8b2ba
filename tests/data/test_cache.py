"""The cache follows content: it may be deleted, damaged or read-only at any time, and never gives old pixels."""

import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

import steepest.data as data
from steepest.data import images


@pytest.fixture
def decoded(monkeypatch):
    """Counts the files that are really decoded."""
    count = []
    real = images.decode

    def counting(content, size):
        count.append(size)
        return real(content, size)

    monkeypatch.setattr(images, "decode", counting)
    return count


@pytest.fixture
def no_reading(monkeypatch):
    """After being called, reading any image file fails the test."""

    def forbid():
        monkeypatch.setattr(images, "_read", lambda *_: pytest.fail("a file was read"))

    return forbid


def entries(cache, suffix):
    return sorted((cache / "images").glob(f"*{suffix}"))


def test_second_opening_reads_no_file(photos, decoded, no_reading):
    first = data.open(photos)
    assert len(decoded) == 10
    no_reading()
    second = data.open(photos)
    np.testing.assert_array_equal(first.X, second.X)
    assert second.fingerprint == first.fingerprint
    assert second.notes == first.notes


def test_other_sizes_are_other_entries(photos, decoded):
    data.open(photos)
    data.open(photos, size=8)
    assert decoded == [32] * 10 + [8] * 10
    data.open(photos, color="grey")  # colours come from the same pixels
    assert len(decoded) == 20


def test_changed_content_with_the_same_size_and_time_is_seen(photos, decoded):
    path = photos / "cats" / "new.bmp"
    Image.new("RGB", (9, 9), (255, 0, 0)).save(path)
    os.utime(path, (1_000_000, 1_000_000))
    first = data.open(photos)
    Image.new("RGB", (9, 9), (0, 255, 0)).save(path)
    os.utime(path, (1_000_000, 1_000_000))
    second = data.open(photos)
    row = 5  # after 0 … 4
    assert first.X[row, 0, 0].tolist() == [255, 0, 0]
    assert second.X[row, 0, 0].tolist() == [0, 255, 0]
    assert len(decoded) == 12


def test_rewriting_at_once_is_seen(photos):
    path = photos / "cats" / "new.bmp"
    for k in range(20):
        Image.new("RGB", (9, 9), (k, 0, 0)).save(path)
        assert data.open(photos).X[5, 0, 0].tolist() == [k, 0, 0]


def test_only_new_files_are_decoded(photos, photo, decoded):
    data.open(photos)
    photo(77).save(photos / "dogs" / "new.png")
    (photos / "cats" / "0.jpg").unlink()
    del decoded[:]
    found = data.open(photos)
    assert len(decoded) == 1
    assert len(found) == 10
    assert found.fingerprint == data.open(photos, cache=False).fingerprint


def test_moved_or_touched_folders_are_not_decoded_again(photos, tmp_path, decoded):
    first = data.open(photos)
    shutil.copytree(photos, tmp_path / "copy")
    for path in photos.rglob("*.*"):
        os.utime(path)
    del decoded[:]
    assert data.open(photos).fingerprint == first.fingerprint
    assert data.open(tmp_path / "copy").fingerprint == first.fingerprint
    assert decoded == []


@pytest.mark.parametrize("damage", ["flip", "cut", "grow", "empty", "text"])
def test_damaged_entries_are_found_and_rebuilt(photos, own_cache, decoded, damage):
    first = data.open(photos)
    (entry,) = entries(own_cache, ".pixels")
    content = bytearray(entry.read_bytes())
    if damage == "flip":
        content[-5000] ^= 1
    elif damage == "cut":
        del content[-1:]
    elif damage == "grow":
        content += b"x"
    elif damage == "empty":
        content = bytearray()
    else:
        content = bytearray(b"[1, 2]\nnonsense")
    entry.write_bytes(bytes(content))
    second = data.open(photos)
    np.testing.assert_array_equal(first.X, second.X)
    assert len(decoded) == 20
    (again,) = entries(own_cache, ".pixels")
    assert data.open(photos).fingerprint == first.fingerprint
    assert len(decoded) == 20
    assert again.stat().st_size > 10 * 32 * 32 * 3


def test_damaged_index_and_deleted_cache(photos, own_cache):
    first = data.open(photos)
    for index in entries(own_cache, ".index"):
        index.write_bytes(b"\xff\xfe{")
    assert data.open(photos).fingerprint == first.fingerprint
    shutil.rmtree(own_cache)
    assert data.open(photos).fingerprint == first.fingerprint


def test_unwritable_cache_is_noted_and_does_no_harm(photos, own_cache):
    (own_cache / "images").write_text("a file where the folder should be")
    found = data.open(photos)
    assert len(found) == 10
    assert any("could not be cached" in note for note in found.notes)


def test_full_disk_leaves_no_torn_entry(photos, own_cache, monkeypatch):
    from steepest.data import cache

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "_write_whole", full)
    assert any("No space left" in note for note in data.open(photos).notes)
    assert entries(own_cache, ".pixels") == []


def test_interrupted_writing_leaves_the_old_entry(tmp_path):
    from steepest.data import cache

    target = tmp_path / "entry"
    target.write_bytes(b"old")
    with pytest.raises(TypeError):
        cache._write_whole(target, b"new", object())
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".writing")] == []


def test_former_state_of_a_folder_is_removed(photos, photo, own_cache):
    data.open(photos)
    photo(5).save(photos / "cats" / "more.png")
    data.open(photos)
    assert len(entries(own_cache, ".pixels")) == 1


def test_a_file_from_the_future_is_never_trusted(photos, decoded, monkeypatch):
    monkeypatch.setattr(images.time, "time", lambda: 1_000_000.0)
    before = time.monotonic()
    data.open(photos)
    assert time.monotonic() - before < 5
    data.open(photos)
    assert len(decoded) == 10  # hashed again, not decoded again


def test_files_that_could_not_be_read_are_tried_again(photos, monkeypatch):
    from steepest.data.decode import Unreadable

    real = images._read

    def refuse(path, size):
        if path.endswith("cats/0.jpg"):
            raise Unreadable("cannot be read (Permission denied)")
        return real(path, size)

    monkeypatch.setattr(images, "_read", refuse)
    assert len(data.open(photos)) == 9
    monkeypatch.setattr(images, "_read", real)
    assert len(data.open(photos)) == 10
