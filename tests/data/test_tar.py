"""The reader of tar archives against the standard library's writer, and against archives that lie or are damaged."""

import bz2
import gzip
import io
import lzma
import random
import tarfile

import pytest

from steepest.core.errors import DataError
from steepest.data import tar

PACKS = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tgz": gzip.compress,
    ".tar.xz": lzma.compress,
    ".tar.bz2": bz2.compress,
}
FILES = {
    "a/empty": b"",
    "a/one": b"x",
    "a/block": b"y" * 512,
    "b/ünïcode ☃.txt": b"z" * 513,
    "/".join(["deep"] * 30) + "/" + "n" * 120: b"w" * 3000,
    "c/" + "m" * 99: b"v" * 10,
}


def packed(files, format=tarfile.GNU_FORMAT, extra=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in extra:
            archive.addfile(member)
    return out.getvalue()


def read_all(path):
    return {member.name: (member.kind, read()) for member, read in tar.walk(path)}


def complaint(path):
    """What is said of an archive, None where it is read."""
    try:
        read_all(path)
    except DataError as error:
        return str(error)
    return None


@pytest.mark.parametrize("suffix", PACKS)
@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_the_standard_library_writes_is_read(tmp_path, suffix, format):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(PACKS[suffix](packed(FILES, format)))
    assert {name: content for name, (_, content) in read_all(path).items()} == FILES
    assert tar.holds_tar(path, path.read_bytes()[:512])
    sizes = {member.name: member.size for member, _ in tar.walk(path)}  # nothing is read: all is skipped
    assert sizes == {name: len(content) for name, content in FILES.items()}


def test_ustar_and_what_is_no_file(tmp_path):
    extra = []
    kinds = {
        "s": tarfile.SYMTYPE,
        "h": tarfile.LNKTYPE,
        "d/": tarfile.DIRTYPE,
        "f": tarfile.FIFOTYPE,
        "c": tarfile.CHRTYPE,
    }
    for name, kind in kinds.items():
        extra.append(member := tarfile.TarInfo(name))
        member.type, member.linkname = kind, "a/one"
    names = {name: content for name, content in FILES.items() if len(name) < 200 and name.isascii()}
    path = tmp_path / "x.tar"
    path.write_bytes(packed({"p" * 80 + "/" + "q" * 90: b"long", **names}, tarfile.USTAR_FORMAT, extra))
    found = read_all(path)
    assert found["p" * 80 + "/" + "q" * 90] == ("file", b"long")
    kinds = {name: kind for name, (kind, _) in found.items() if kind != "file"}
    assert kinds == {"s": "link", "h": "link", "d/": "folder", "f": "pipe", "c": "device"}


def test_sizes_beyond_8_gib_are_understood_and_checked(tmp_path, refusal):
    member = tarfile.TarInfo("big")
    member.size = 9 << 30
    for name, format in (("x.tar", tarfile.GNU_FORMAT), ("p.tar", tarfile.PAX_FORMAT)):
        path = tmp_path / name
        path.write_bytes(member.tobuf(format) + b"\0" * 4096)
        assert "big declares 9,663,676,416 bytes" in refusal(read_all, path)


def test_truncation_is_named_wherever_it_is(tmp_path, refusal):
    whole = packed(FILES)
    for suffix in (".tar", ".tar.gz", ".tar.xz", ".tar.bz2"):
        content = PACKS[suffix](whole)
        path = tmp_path / f"x{suffix}"
        end = whole.rindex(b"v" * 10) + 512 if suffix == ".tar" else len(content)
        for length in {1, 100, 511, 512, 700, len(content) // 2, end - 1, end * 9 // 10}:
            if 0 < length < end:
                path.write_bytes(content[:length])
                said = refusal(read_all, path)
                assert said.startswith(f"{path}: "), (suffix, length)
    path = tmp_path / "x.tar"
    path.write_bytes(whole[: whole.index(b"y" * 512) + 512])  # at the very end of a member: its mark is missing
    assert "at member 'a/block' (its end is missing)" in refusal(read_all, path)


def test_damage_is_one_line_or_harmless(tmp_path):
    chance = random.Random(2)
    for suffix in (".tar", ".tar.gz", ".tar.xz", ".tar.bz2"):
        content = PACKS[suffix](packed(FILES, tarfile.PAX_FORMAT))
        path = tmp_path / f"x{suffix}"
        for _ in range(60):
            broken = bytearray(content)
            for _ in range(chance.randint(1, 3)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            path.write_bytes(broken)
            said = complaint(path)
            assert said is None or (said.startswith(f"{path}: ") and said.isprintable())


def test_a_damaged_checksum_of_gzip_is_found(tmp_path, refusal):
    content = bytearray(gzip.compress(packed(FILES)))
    content[-6] ^= 1
    (tmp_path / "x.tgz").write_bytes(content)
    assert "CRC" in refusal(read_all, tmp_path / "x.tgz")


def test_a_damaged_header_in_the_middle_is_no_end(tmp_path, refusal):
    whole = bytearray(packed(FILES))
    whole[whole.index(b"b/\xc3") + 124] ^= 1
    (tmp_path / "x.tar").write_bytes(whole)
    assert "at member 'a/block' (no header of a member follows)" in refusal(read_all, tmp_path / "x.tar")


def test_bombs_are_refused(tmp_path, refusal, monkeypatch):
    monkeypatch.setattr(tar, "LEAST_LIMIT", 1 << 16)
    path = tmp_path / "x.tar.xz"
    path.write_bytes(lzma.compress(packed({"a": b"x", "zeros": bytes(8 << 20)})))
    said = refusal(read_all, path)
    assert "cannot be true" in said
    assert "'zeros'" in said
    member = tarfile.TarInfo("name")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    path = tmp_path / "x.tar"
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    assert "header of 1,073,741,824 bytes" in refusal(read_all, path)
    monkeypatch.setattr(tar, "MOST_MEMBERS", 3)
    path.write_bytes(packed(FILES))
    assert "more than 3 members" in refusal(read_all, path)


def test_sparse_files_are_refused(tmp_path, refusal):
    member = tarfile.TarInfo("holes")
    member.type = tarfile.GNUTYPE_SPARSE
    (tmp_path / "x.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert "sparse" in refusal(read_all, tmp_path / "x.tar")


def test_names_of_archives():
    from pathlib import Path

    assert [tar.stem(Path(n)) for n in ("a.tar", "b.tar.gz", "c.TGZ", "d.tar.xz", "e.zip")] == [
        "a",
        "b",
        "c",
        "d",
        "e.zip",
    ]
    assert not tar.is_archive(Path(".hidden.tar"))
