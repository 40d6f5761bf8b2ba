"""Downloads from a server on this machine that resumes, refuses to, breaks off, sends other things, or is not there."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.data.loopback import CONTENT, offered, serving

import steepest.data as data
from steepest.core.errors import DataError, SettingError
from steepest.data import download, named


@pytest.fixture
def server():
    with serving() as made:
        yield made


@pytest.fixture(autouse=True)
def tiny(server, tmp_path, monkeypatch):
    """A data set `tiny` of two files on the server; downloads lie in a folder of the test; nobody waits."""
    monkeypatch.setitem(named.NAMED, "tiny", offered(server.address + "/", CONTENT, "sha256"))
    monkeypatch.setenv("STEEPEST_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(download, "PAUSES", (0.0, 0.0, 0.0))


def lies(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_come_whole_and_only_once(server, tmp_path):
    assert not named.is_here("tiny")
    seen = []
    folder = download.get("tiny", progress=lambda *at: seen.append(at))
    assert folder == tmp_path / "home" / "data" / "tiny"
    assert lies(folder) == CONTENT
    assert named.is_here("tiny")
    total = sum(map(len, CONTENT.values()))
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)
    assert download.get("tiny") == folder
    assert server.asked == [("one.bin", None), ("two.bin", None)]
    assert download.kept("tiny") == total


def test_another_folder_and_a_mirror(server, tmp_path):
    other = server.address + "/some/where//"
    assert download.get("tiny", to=tmp_path / "här is", mirror=other) == tmp_path / "här is" / "tiny"
    assert lies(tmp_path / "här is" / "tiny") == CONTENT
    for mirror in ("ftp://example.org", "example.org/x", "file:///etc", "http://", "https://a b/"):
        with pytest.raises(SettingError, match="mirror = "):
            download.get("tiny", mirror=mirror)
    with pytest.raises(SettingError, match="did you mean 'tiny'"):
        download.get("tinny")


def test_a_broken_connection_is_taken_up_again(server):
    server.cut = [100_000, 50_000, 0, 0, 0, 100_000]
    folder = download.get("tiny")
    assert lies(folder) == CONTENT
    starts = [
        int(wanted.removeprefix("bytes=").rstrip("-")) for name, wanted in server.asked if name == "one.bin" and wanted
    ]
    assert starts == [100_000, 150_000, 150_000, 150_000, 150_000, 250_000]


def test_a_server_that_only_breaks_off_ends_it_with_what_came_kept(server, refusal, tmp_path):
    server.cut = [100_000, 50_000, *[0] * 20]
    said = refusal(download.get, "tiny")
    part = tmp_path / "home" / "data" / "tiny" / "one.bin.part"
    assert (
        f"one.bin: the connection ended, and 150,000 of 300,000 bytes are in {part}; the same command goes on" in said
    )
    assert part.read_bytes() == CONTENT["one.bin"][:150_000]
    assert download.kept("tiny") == 150_000
    assert not named.is_here("tiny")
    server.cut, server.asked = [], []
    download.get("tiny")
    assert server.asked[0] == ("one.bin", "bytes=150000-")
    assert lies(part.parent) == CONTENT


def test_a_server_that_knows_no_ranges_begins_anew(server):
    server.ranges = False
    server.cut = [100_000]
    folder = download.get("tiny")
    assert lies(folder) == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-", None]


def test_a_range_that_was_not_asked_for_is_not_appended(server):
    server.cut = [100_000]
    server.shift = 10
    with pytest.raises(DataError, match="it is not that file"):
        download.get("tiny")
    server.shift = 0
    assert lies(download.get("tiny")) == CONTENT


def test_a_part_of_another_file_is_thrown_away(tmp_path):
    folder = tmp_path / "home" / "data" / "tiny"
    folder.mkdir(parents=True)
    for part in (b"x" * 1000, b"x" * len(CONTENT["one.bin"]), b"x" * 400_000):
        (folder / "one.bin.part").write_bytes(part)
        assert lies(download.get("tiny")) == CONTENT
        (folder / "one.bin").unlink()


def test_a_spoilt_file_is_fetched_again():
    folder = download.get("tiny")
    (folder / "two.bin").write_bytes(CONTENT["two.bin"][:-1] + b"?")
    download.get("tiny")
    assert lies(folder) == CONTENT


def test_another_content_is_refused_and_nothing_is_kept(server, tmp_path, refusal):
    server.files["one.bin"] = bytes(300_000)
    said = refusal(download.get, "tiny")
    assert "one.bin: what came is not one.bin, its checksum is another" in said
    assert "--mirror" in said
    assert lies(tmp_path / "home" / "data" / "tiny") == {}


@pytest.mark.parametrize(("length", "body"), [(True, b"<html>log in"), (False, bytes(400_000)), (True, bytes(300_001))])
def test_another_length_is_refused_at_once(server, tmp_path, refusal, length, body):
    server.files["one.bin"], server.length = body, length
    said = refusal(download.get, "tiny")
    assert "bytes, and the file has 300,000: it is not that file" in said
    assert lies(tmp_path / "home" / "data" / "tiny") == {}
    assert len(server.asked) == 1


def test_no_length_is_no_trouble(server):
    server.length = False
    assert lies(download.get("tiny")) == CONTENT


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusing_server_is_named(server, tmp_path, refusal, status):
    server.status = [status]
    said = refusal(download.get, "tiny")
    assert f"{server.address}/one.bin: the server answers {status} " in said
    assert lies(tmp_path / "home" / "data" / "tiny") == {}


def test_a_server_that_is_unwell_is_asked_again(server, refusal):
    server.status = [503, 429, 500]
    assert lies(download.get("tiny")) == CONTENT
    server.status = [503] * 9
    for path in (download.folder_of("tiny")).iterdir():
        path.unlink()
    assert "the server answers 503 Service Unavailable, and nothing came" in refusal(download.get, "tiny")


def test_no_server_at_all(server, refusal, tmp_path):
    address = server.address
    server.shutdown()
    server.server_close()
    said = refusal(download.get, "tiny", mirror=address)
    assert f"{address}/one.bin: Connection refused, and nothing came; look at your connection" in said
    assert lies(tmp_path / "home" / "data" / "tiny") == {}


def test_a_full_disk_keeps_what_came(tmp_path, refusal, monkeypatch):
    real = Path.open
    part = tmp_path / "home" / "data" / "tiny" / "one.bin.part"

    def full(path, mode="r", **settings):
        if path == part and path.exists() and path.stat().st_size > 100_000:
            raise OSError(28, "No space left on device")
        return real(path, mode, **settings)

    monkeypatch.setattr(Path, "open", full)
    said = refusal(download.get, "tiny")
    assert f"{part}: cannot be written (No space left on device); free space, and the same command goes on" in said
    monkeypatch.undo()
    kept = part.read_bytes()
    assert len(kept) > 100_000
    assert CONTENT["one.bin"].startswith(kept)


def test_a_folder_that_cannot_be_made(tmp_path, refusal):
    (tmp_path / "file").write_text("")
    said = refusal(download.get, "tiny", to=tmp_path / "file")
    assert "cannot be written (Not a directory); choose another place by --to" in said


def test_two_at_once(tmp_path, refusal):
    pytest.importorskip("fcntl")
    folder = tmp_path / "home" / "data" / "tiny"
    folder.mkdir(parents=True)
    with download._alone(folder / "one.bin.part"):
        assert "another process is downloading it" in refusal(download.get, "tiny")
    assert lies(download.get("tiny")) == CONTENT


def test_an_interrupt_keeps_what_came(server, tmp_path):
    class Impatient(Exception):
        pass

    def stop(done, _):
        if done > 150_000:
            raise Impatient

    with pytest.raises(Impatient):
        download.get("tiny", progress=stop)
    folder = tmp_path / "home" / "data" / "tiny"
    kept = lies(folder)
    assert list(kept) == ["one.bin.part"]
    assert len(kept["one.bin.part"]) > 150_000
    assert CONTENT["one.bin"].startswith(kept["one.bin.part"])
    server.asked = []
    assert lies(download.get("tiny")) == CONTENT
    assert server.asked[0] == ("one.bin", f"bytes={len(kept['one.bin.part'])}-")


def test_downloads_are_found_by_their_name(server, tmp_path, monkeypatch, refusal):
    from tests.data.test_npz_idx import X, Y, idx

    monkeypatch.chdir(tmp_path)
    assert refusal(data.open, "tiny") == "tiny is not here; get it: steepest data get tiny"
    assert "did you mean 'tiny'" in refusal(data.open, "tinny")
    files = {}
    for part, rows in (("train", slice(0, 8)), ("t10k", slice(8, 12))):
        files[f"{part}-images-idx3-ubyte"] = idx(X[rows])
        files[f"{part}-labels-idx1-ubyte"] = idx(Y[rows].astype(np.uint8))
    server.files = files
    monkeypatch.setitem(named.NAMED, "tiny", offered(server.address, files))
    download.get("tiny")
    found = data.open("tiny")
    assert found.name == "tiny"
    assert found.given_test is not None
    assert found.given_test.tolist() == [True] * 4 + [False] * 8
    assert data.check("tiny").given_test == 4
    assert data.read_like(found.schema, "tiny").labels == [found.classes[k] for k in found.y]
    (tmp_path / "tiny").mkdir()
    for name, content in files.items():
        if name.startswith("t10k"):
            (tmp_path / "tiny" / name).write_bytes(content)
    here = data.open("tiny")
    assert len(here) == 4
    assert any("the download is" in note for note in here.notes)


def test_the_usual_folder_is_the_users(monkeypatch):
    import platformdirs

    monkeypatch.delenv("STEEPEST_HOME")
    assert named.downloads() == platformdirs.user_data_path("steepest")


def test_names_of_downloads_are_no_other_names():
    assert not set(named.NAMED) & set(data.SOURCES)
    for one in named.NAMED.values():
        for file in one.files.values():
            algorithm, _, digest = file.checksum.partition(":")
            assert len(bytes.fromhex(digest)) == hashlib.new(algorithm).digest_size


def test_nothing_of_the_network_is_imported_before_it_is_used():
    code = "import sys, steepest.data; print([m for m in ('pooch', 'requests', 'urllib.request') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert run.stdout == "[]\n"
