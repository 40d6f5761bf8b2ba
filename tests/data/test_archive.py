"""Tar archives of images: the rows of the folder they were made of, decoded once, and nothing leaves its bounds."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import steepest.data as data
from steepest.core.errors import SettingError
from steepest.data import archive, images

MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2"}


def said(dataset, *words):
    return any(all(word in note for word in words) for note in dataset.notes)


@pytest.fixture
def split(tmp_path, photo):
    """A folder with train/ and test/, three classes each, 3 and 2 images a class."""
    for part, count in (("train", 3), ("test", 2)):
        for k, name in enumerate(("cat", "dog", "eel")):
            folder = tmp_path / "split" / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                photo(100 * count + 10 * k + i).save(folder / f"{i:04}.jpg")
    return tmp_path / "split"


def pack(path, *members):
    """An archive of (name, file, folder or bytes) in this order."""
    with tarfile.open(path, MODES["".join(path.suffixes)]) as out:
        for name, content in members:
            if isinstance(content, Path):
                out.add(content, name)
            elif isinstance(content, tarfile.TarInfo):
                out.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                out.addfile(member, io.BytesIO(content))
    return path


def same(found, want):
    np.testing.assert_array_equal(found.X, want.X)
    assert [found.classes[k] for k in found.y] == [want.classes[k] for k in want.y]
    assert found.fingerprint == want.fingerprint


@pytest.mark.parametrize("suffix", MODES)
def test_an_archive_is_its_folder(photos, tmp_path, suffix):
    want = data.open(photos, cache=False)
    same(data.open(pack(tmp_path / f"x{suffix}", ("pets", photos))), want)
    flat = pack(tmp_path / f"y{suffix}", ("./dogs", photos / "dogs"), ("./cats", photos / "cats"))
    found = data.open(flat, cache=False)  # another order, and no folder above
    same(found, want)
    assert found.name == "y"
    assert found.notes == want.notes
    assert data.open(flat, size=8, color="grey").shape == (8, 8, 1)


def test_train_and_test_in_an_archive_are_as_in_a_folder(split, tmp_path):
    want = data.open(split)
    assert want.given_test is not None
    assert want.given_test.tolist() == [True] * 6 + [False] * 9
    assert said(want, "folders test, train", "6 rows were given for testing")
    for number, members in enumerate(([("split", split)], [("train", split / "train"), ("test", split / "test")])):
        found = data.open(pack(tmp_path / f"{number}.tar.gz", *members))
        same(found, want)
        np.testing.assert_array_equal(found.given_test, want.given_test)
        assert said(found, "folders test, train", "6 rows were given for testing")
    assert data.check(split).given_test == 6


def test_two_archives_in_a_folder_are_one_set(split, tmp_path):
    want = data.open(split)
    (tmp_path / "both").mkdir()
    for part in ("train", "test"):
        pack(tmp_path / "both" / f"pets_{part}.tar.xz", (part, split / part))
    (tmp_path / "both" / "labels.npy").write_bytes(b"whatever")
    found = data.open(tmp_path / "both")
    same(found, want)
    assert found.name == "both"
    assert said(found, "1 file beside the archives left out: labels.npy")
    np.testing.assert_array_equal(found.given_test, want.given_test)
    assert said(found, "archives test, train", "6 rows were given for testing")
    alone = data.open(tmp_path / "both" / "pets_test.tar.xz")
    assert alone.given_test is None
    np.testing.assert_array_equal(alone.X, want.X[:6])
    for part in ("train", "test"):  # the part is in the archive's name alone
        pack(tmp_path / "both" / f"pets_{part}.tar.xz", *((n, split / part / n) for n in ("cat", "dog", "eel")))
    again = data.open(tmp_path / "both")
    same(again, want)
    np.testing.assert_array_equal(again.given_test, want.given_test)


def test_images_beside_the_class_folders_make_no_class_of_what_holds_them(split, photos, tmp_path):
    stray, want = (photos / "cats").glob("*.jpg").__next__(), data.open(photos)
    for number, name in enumerate(("pets/logo.jpg", "logo.jpg")):
        found = data.open(pack(tmp_path / f"{number}.tar", ("pets", photos), (name, stray)))
        same(found, want)
        assert said(found, "1 image directly in the folder left out, no class", "logo.jpg")
    want = data.open(split)
    for number, name in enumerate(("pets/logo.jpg", "pets/train/logo.jpg", "logo.jpg")):
        found = data.open(pack(tmp_path / f"split{number}.tar", ("pets", split), (name, stray)))
        same(found, want)
        np.testing.assert_array_equal(found.given_test, want.given_test)
        assert said(found, "folders test, train are pooled")
    (split / "logo.jpg").write_bytes(stray.read_bytes())
    same(data.open(split), want)
    np.testing.assert_array_equal(data.open(split).given_test, want.given_test)


def test_what_was_refused_of_an_archive_without_images_is_named(tmp_path, refusal):
    said = refusal(data.open, pack(tmp_path / "x.tar", ("../cats/1.jpg", b"x"), ("/dogs/1.jpg", b"x")))
    assert "neither images nor batches of CIFAR in this archive; refused: ../cats/1.jpg (leads out of the arch" in said


def test_one_class_is_one_problem(photos, tmp_path):
    (tmp_path / "one").mkdir()
    (photos / "cats").rename(tmp_path / "one" / "cats")
    for path in (tmp_path / "one", pack(tmp_path / "x.tar", ("pets", tmp_path / "one"))):
        assert [problem.count("holds one class") for problem in data.check(path).problems] == [1]


def test_class_folders_without_images_are_named(photos, tmp_path, refusal):
    (tmp_path / "bird").mkdir()
    path = pack(tmp_path / "x.tar", ("pets", photos), ("pets/bird", tmp_path / "bird"))
    for _ in range(2):  # the second time from the remembered listing
        assert "class folder bird holds no images" in refusal(data.open, path)
    path = pack(tmp_path / "y.tar", ("pets", photos), ("pets/fish/1.dat", b"no image"))
    assert "class folder fish holds no images" in refusal(data.open, path)


def test_archives_that_do_not_belong_together(photos, tmp_path, refusal):
    (tmp_path / "both").mkdir()
    for name in ("pets", "plants"):
        pack(tmp_path / "both" / f"{name}.tar", (name, photos))
    assert "several sets: pets.tar, plants.tar; name one" in refusal(data.open, tmp_path / "both")
    (tmp_path / "both" / "plants.tar").rename(tmp_path / "both" / "pets.tgz")
    assert "several sets" in refusal(data.open, tmp_path / "both")
    (tmp_path / "both" / "cats").mkdir()
    assert "no images in this folder" in refusal(
        data.open, tmp_path / "both"
    )  # a folder of classes, with archives beside


def test_decoded_once(photos, tmp_path, monkeypatch):
    path = pack(tmp_path / "x.tar.gz", ("pets", photos))
    want = data.open(path)
    calls, walks = [], []
    monkeypatch.setattr(images, "decode", lambda *_: calls.append(1))
    real = archive.walk
    monkeypatch.setattr(archive, "walk", lambda path: walks.append(path) or real(path))
    seen = []
    same(data.open(path, progress=lambda done, total: seen.append((done, total))), want)
    assert seen == [(10, 10)]
    assert walks == []  # nor unpacked again
    same(data.open(photos), want)  # the same content, unpacked
    path.rename(tmp_path / "y.tar.gz")
    same(data.open(tmp_path / "y.tar.gz"), want)
    assert calls == []


def test_a_replaced_archive_is_read_anew(photos, tmp_path):
    path = pack(tmp_path / "x.tar", ("pets", photos))
    data.open(path)
    before = path.stat()
    (photos / "cats" / "1.png").rename(photos / "cats" / "9.png")  # content and sizes as before, another name
    pack(path, ("pets", photos))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    same(data.open(path), data.open(photos))
    assert "cats/9.png" in data.opening.gather(path).row_names


def test_a_damaged_listing_is_made_again(photos, tmp_path, own_cache):
    path = pack(tmp_path / "x.tar", ("pets", photos))
    want = data.open(path)
    for content in (b"", b"[]", b'{"stamps": 1}', b"\xff"):
        for listing in own_cache.rglob("*.listing"):
            listing.write_bytes(content)
        same(data.open(path), want)


def test_progress_and_few_images_in_memory(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "CHUNK_BYTES", 1)
    path = pack(tmp_path / "x.tar.gz", ("pets", photos))
    seen = []
    same(data.open(path, cache=False, progress=lambda *at: seen.append(at)), data.open(photos))
    assert seen == [(i, 10) for i in range(1, 11)] + [(10, 10)] * (len(seen) - 10)


def test_links_and_paths_that_lead_out_are_refused_and_said(photos, tmp_path):
    inside = (photos / "cats" / "1.png").read_bytes()
    link = tarfile.TarInfo("cats/link.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    before = set(tmp_path.rglob("*"))
    path = pack(tmp_path / "x.tar", ("cats", photos / "cats"), ("dogs", photos / "dogs"), ("", link),
                ("../out.png", inside), ("/tmp/out.png", inside), ("cats/../../out.png", inside),
                ("cats/._1.png", b"x"), ("__MACOSX/cats/1.png", b"x"), ("cats/Thumbs.db", b"x"),
                ("readme.txt", b"x"))  # fmt: skip
    found = data.open(path)
    same(found, data.open(photos))
    assert said(found, "4 files or folders refused", "cats/link.png (a link)", "../out.png (leads out of the archive)")
    assert said(found, "1 file left out, no images: readme.txt")
    assert set(tmp_path.rglob("*")) - before == {path}


def test_of_two_members_of_one_name_the_last_counts(photos, tmp_path):
    cats, dogs = (photos / "cats" / "1.png").read_bytes(), (photos / "dogs" / "1.png").read_bytes()
    path = pack(tmp_path / "x.tar", ("pets", photos), ("pets/cats/1.png", dogs))
    (photos / "cats" / "1.png").write_bytes(dogs)
    assert cats != dogs
    same(data.open(path), data.open(photos))


def test_images_that_cannot_be_decoded_are_skipped_or_refused(photos, tmp_path, refusal, monkeypatch):
    path = pack(tmp_path / "x.tar.gz", ("pets", photos), ("pets/cats/bad.jpg", b"\xff\xd8\xff nothing"))
    found = data.open(path)
    assert said(found, "1 unreadable file skipped", "cats/bad.jpg")
    assert len(found) == 10
    assert "x.tar.gz/cats/bad.jpg: cannot be decoded" in refusal(data.open, path, strict=True)
    monkeypatch.setattr(archive, "MOST_BYTES", 100)
    assert "at most 100 are read" in refusal(data.open, path, cache=False)


def test_damaged_archives_are_named(photos, tmp_path, refusal):
    for suffix in (".tar", ".tar.gz", ".tar.xz"):
        path = pack(tmp_path / f"x{suffix}", ("pets", photos))
        whole = path.read_bytes()
        for length in (10, len(whole) // 3, len(whole) * 2 // 3):
            path.write_bytes(whole[:length])
            words = refusal(data.open, path)
            assert words.startswith(f"{path}: ")
            assert "truncated or damaged" in words or "fetch it again" in words or length == 10
        path.write_bytes(b"")
        refusal(data.open, path)
    path = tmp_path / "x.tar"
    path.write_bytes(pack(path, ("pets", photos)).read_bytes()[: -(1 << 14)])
    assert "pets/dogs/" in refusal(data.open, path)


def test_an_archive_that_changes_while_it_is_read(photos, tmp_path, refusal, monkeypatch):
    path = pack(tmp_path / "x.tar", ("pets", photos))
    shorter = pack(tmp_path / "y.tar", ("pets/cats", photos / "cats"))
    real = archive._origin

    def swap(*arguments):
        shorter.replace(path)
        return real(*arguments)

    monkeypatch.setattr(archive, "_origin", swap)
    assert "x.tar: changed while it was read" in refusal(data.open, path)


def test_what_an_archive_may_lack(tmp_path, photos, refusal):
    words = refusal(data.open, pack(tmp_path / "x.tar", ("notes.txt", b"hello"), ("a/b.csv", b"1,2")))
    assert "x.tar: neither images nor batches of CIFAR in this archive (it holds notes.txt, a/b.csv)" in words
    assert "holds one class" in refusal(data.open, pack(tmp_path / "one.tar", ("cats", photos / "cats")))
    assert "directly" in refusal(data.open, pack(tmp_path / "flat.tar", ("1.png", photos / "cats" / "1.png")))
    with pytest.raises(SettingError, match="its classes come with it"):
        data.open(pack(tmp_path / "p.tar", ("pets", photos)), label="x")
    (tmp_path / "a.csv.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0")
    assert "unpack it first" in refusal(data.open, tmp_path / "a.csv.gz")


def test_predicting_from_an_archive(split, tmp_path):
    found = data.open(split)
    new = data.read_like(found.schema, pack(tmp_path / "new.tar.gz", ("test", split / "test")))
    np.testing.assert_array_equal(new.features, found.features()[:6])
    assert new.names == [f"{name}/{i:04}.jpg" for name in ("cat", "dog", "eel") for i in range(2)]
    assert new.labels == ["cat", "cat", "dog", "dog", "eel", "eel"]
    assert not any("drawn anew" in note for note in new.notes)


@pytest.fixture
def cifar_jpg():
    """CIFAR-10 as JPEGs in tar archives, where it is."""
    root = Path(__file__).resolve().parents[2]
    for place in (os.environ.get("STEEPEST_TEST_DATA"), root.parent / "shared" / "data"):
        if place and (Path(place) / "cifar10").is_dir():
            return Path(place) / "cifar10"
    return pytest.skip("CIFAR-10 (JPEG) is not here: set STEEPEST_TEST_DATA to the folder that holds cifar10/")


def test_the_real_archives_first_images(cifar_jpg, tmp_path):
    assert data.opening.kind_of(cifar_jpg) == "archive"
    path = cifar_jpg / "cifar_jpg_test.tar.xz"
    kept = []
    with tarfile.open(path) as whole:
        for member in whole:
            kind = member.name.split("/")[1:2]
            if member.isfile() and sum(name.split("/")[1:2] == kind for name, _ in kept) < 4:
                kept.append((member.name, whole.extractfile(member).read()))
            if len(kept) >= 8:
                break
    found = data.open(pack(tmp_path / "first.tar.xz", *kept))
    assert found.shape == (32, 32, 3)
    assert len(found) == 8
    assert set(found.classes) <= {
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    }
    want = np.asarray(Image.open(io.BytesIO(kept[0][1])))
    np.testing.assert_array_equal(found.X[0], want)  # 32×32 as it is: nothing is resampled


def test_odd_names_are_as_in_a_folder(photos, tmp_path):
    for name, odd in (("cats", b"c\xe4ts\n"), ("dogs", "d☃gs *".encode())):
        (photos / name).rename(photos / os.fsdecode(odd))
    want = data.open(photos)
    for number, layout in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        path = tmp_path / f"{number}.tar"
        with tarfile.open(path, "w", format=layout) as out:
            out.add(photos, "pets")
        same(data.open(path, cache=False), want)
        same(data.open(path), want)
        same(data.open(path), want)  # remembered
