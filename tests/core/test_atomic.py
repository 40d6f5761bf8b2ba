"""Files are there whole or not at all."""

import os
import stat

import pytest

from steepest.core import atomic
from steepest.core.atomic import check_writable, write_atomically
from steepest.core.errors import SteepestError


def test_a_file_is_written_and_its_folders_made(tmp_path):
    path = write_atomically(tmp_path / "a" / "ü\n.bin", b"one")
    assert path.read_bytes() == b"one"
    assert write_atomically(path, b"two").read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_others_may_read_it_as_the_umask_says(tmp_path):
    old = os.umask(0o027)
    try:
        path = write_atomically(tmp_path / "x", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "x", b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(SteepestError, match=r"x: cannot be written \(No space left on device\); free space or choose"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_taken_is_named_on_one_line(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(SteepestError, match="cannot be written") as error:
        write_atomically(tmp_path / "f" / "in\nside", b"")
    assert "\n" not in str(error.value)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SteepestError, match="Is a directory"):
        write_atomically(tmp_path / "folder", b"")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f", "folder"]


def test_a_place_is_tried_and_left_as_it_was(tmp_path):
    check_writable(tmp_path / "not" / "there" / "yet")
    path = write_atomically(tmp_path / "x", b"old")
    check_writable(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_could_not_be_written_is_refused_as_writing_does(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    for place in (tmp_path / "f" / "in\nside", tmp_path / "folder", tmp_path / "lost" / "x", tmp_path / ("x" * 300)):
        for attempt in (check_writable, lambda path: write_atomically(path, b"")):
            with pytest.raises(SteepestError, match="cannot be written") as error:
                attempt(place)
            assert "\n" not in str(error.value)

    def read_only(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(atomic.tempfile, "TemporaryFile", read_only)
    with pytest.raises(SteepestError, match=r"new: cannot be written \(Read-only file system\); free space or choose"):
        check_writable(tmp_path / "new")
