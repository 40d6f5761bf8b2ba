"""A folder of images: what belongs to it, what is left out and said, and what is wrong with it."""

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import steepest.data as data
from steepest.core.errors import SettingError


def said(dataset, *words):
    return any(all(word in note for word in words) for note in dataset.notes)


def test_classes_are_subfolders_and_rows_are_sorted(photos):
    found = data.open(photos)
    assert found.name == "pets"
    assert found.X.shape == (10, 32, 32, 3)
    assert found.X.dtype == np.uint8
    assert found.classes == ("cats", "dogs")
    assert found.y.tolist() == [0] * 5 + [1] * 5
    assert found.notes == ()
    want = np.asarray(Image.open(photos / "cats" / "1.png").resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(found.X[1], want)
    np.testing.assert_array_equal(found.features()[1], want.reshape(-1) / np.float32(255))
    raw = data.open(photos, raw=True)
    np.testing.assert_array_equal(raw.features()[1], want.reshape(-1).astype(np.float32))
    assert not raw.schema.standardised.any()


def test_size_and_colour(photos):
    assert data.open(photos, size=16).shape == (16, 16, 3)
    grey = data.open(photos, color="grey")
    assert grey.shape == (32, 32, 1)
    want = Image.fromarray(data.open(photos).X[3]).convert("L")
    np.testing.assert_array_equal(grey.X[3, ..., 0], np.asarray(want))
    with pytest.raises(SettingError, match=r"size = 0; .*\[1, 1024\]"):
        data.open(photos, size=0)
    with pytest.raises(SettingError, match="unknown color 'blue'"):
        data.open(photos, color="blue")


def test_grey_only_where_every_image_is(photos):
    for path in photos.rglob("*.*"):
        Image.open(path).convert("L").save(path)
    assert data.open(photos).shape == (32, 32, 1)
    Image.new("RGB", (9, 9), (255, 0, 0)).save(photos / "cats" / "red.png")
    assert data.open(photos).shape == (32, 32, 3)


def test_fingerprint_is_content(photos, tmp_path):
    before = data.open(photos)
    shutil.copytree(photos, tmp_path / "elsewhere")
    for path in photos.rglob("*.*"):
        os.utime(path, (1, 1))
    assert data.open(photos).fingerprint == before.fingerprint
    assert data.open(tmp_path / "elsewhere").fingerprint == before.fingerprint
    (photos / "cats").rename(photos / "kittens")
    assert data.open(photos).fingerprint != before.fingerprint
    assert data.open(photos, size=31).fingerprint != before.fingerprint


def test_same_bytes_and_same_pixels_share_a_group(photos):
    shutil.copy(photos / "cats" / "1.png", photos / "cats" / "copy.png")
    Image.open(photos / "cats" / "1.png").save(photos / "dogs" / "again.bmp")  # other bytes, the same pixels
    found = data.open(photos)
    sizes = np.bincount(found.groups)
    assert sorted(sizes.tolist()) == [1] * 9 + [3]
    assert said(found, "3 duplicate rows in 1 group")
    assert said(found, "1 group", "different labels")


def test_truncated_images_are_skipped_counted_and_named(photos, refusal):
    path = photos / "cats" / "0.jpg"
    path.write_bytes(path.read_bytes()[:300])
    found = data.open(photos)
    assert len(found) == 9
    assert said(found, "1 unreadable file", "cats/0.jpg", "truncated after 300 bytes")
    assert "cats/0.jpg" in refusal(data.open, photos, strict=True)
    assert data.check(photos).unreadable[0].startswith("cats/0.jpg: cannot be decoded")


def test_wrong_extensions_go_by_content(photos):
    png = photos / "cats" / "1.png"
    png.rename(png.with_suffix(".jpg"))
    (photos / "dogs" / "1.png").rename(photos / "dogs" / "noextension")
    (photos / "dogs" / "text.jpg").write_text("this is no image")
    (photos / "dogs" / "notes.txt").write_text("BM is how this text begins")
    found = data.open(photos)
    assert len(found) == 10
    assert said(found, "dogs/text.jpg: not a JPEG")
    assert said(found, "1 file left out, no images: dogs/notes.txt")


def test_remarks_count_odd_images(photos):
    frames = [Image.new("RGB", (8, 8), c) for c in ((255, 0, 0), (0, 255, 0))]
    frames[0].save(photos / "cats" / "move.gif", save_all=True, append_images=frames[1:])
    Image.new("RGBA", (8, 8), (1, 2, 3, 4)).save(photos / "cats" / "glass.png")
    found = data.open(photos)
    assert said(found, "first frame of 1 image taken")
    assert said(found, "transparency of 1 image")
    assert data.open(photos).notes == found.notes  # from the cache too


def test_hidden_files_links_and_loops(photos, tmp_path):
    (photos / "cats" / ".hidden.png").write_bytes((photos / "cats" / "1.png").read_bytes())
    (photos / ".git").mkdir()
    (photos / "cats" / "loop").symlink_to(photos)
    (photos / "cats" / "self").symlink_to(photos / "cats" / "self")
    outside = tmp_path / "outside"
    outside.mkdir()
    Image.new("RGB", (8, 8)).save(outside / "secret.png")
    (photos / "dogs" / "out").symlink_to(outside)
    (photos / "dogs" / "secret.png").symlink_to(outside / "secret.png")
    (photos / "dogs" / "gone.png").symlink_to(photos / "nowhere.png")
    (photos / "a-link-to-cats").symlink_to(photos / "cats")
    found = data.open(photos)
    assert len(found) == 10  # each real file once
    assert found.classes == ("cats", "dogs")
    assert said(found, "a-link-to-cats (a link to a folder that is read already)")
    assert said(found, "refused", "a link out of the folder")
    assert said(found, "a link that leads nowhere")


def test_nested_folders_belong_to_the_first_level(photos, photo):
    deep = photos / "cats" / "indoor" / "2024"
    deep.mkdir(parents=True)
    photo(99).save(deep / "x.png")
    found = data.open(photos)
    assert len(found) == 11
    assert found.y.tolist().count(0) == 6


@pytest.mark.parametrize("name", ["naïve 猫", "with space", "line\nbreak", "quote'\"", "-dash", "%20"])
def test_odd_names_round_trip(photos, photo, name, refusal):
    (photos / name).mkdir()
    for i in range(3):
        photo(50 + i).save(photos / name / f"{name}{i}.png")
    found = data.open(photos)
    assert name in found.classes
    assert found.y.tolist().count(found.classes.index(name)) == 3
    (photos / name / "bad.png").write_bytes(b"")
    refusal(data.open, photos, strict=True)
    names = data.read_like(found.schema, photos / name).names
    assert {Path(n).name for n in names} == {f"{name}{i}.png" for i in range(3)}


def test_undecodable_file_names(photos, photo):
    folder = os.fsencode(photos) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102
    for i in range(3):
        file = io.BytesIO()
        photo(70 + i).save(file, "PNG")
        with open(folder + b"/\xff%d.png" % i, "wb") as out:  # noqa: PTH123
            out.write(file.getvalue())
    found = data.open(photos)
    assert len(found) == 13
    assert len(found.fingerprint) == 32
    assert data.check(photos).rows == 13


def test_broken_folders_are_named(photos, tmp_path, refusal):
    (photos / "birds").mkdir()
    assert "birds holds no images" in refusal(data.open, photos)
    (photos / "birds").rmdir()
    shutil.rmtree(photos / "dogs")
    assert "one class, 'cats'" in refusal(data.open, photos)
    assert "directly in the folder" in refusal(data.open, photos / "cats")
    (tmp_path / "empty").mkdir()
    assert "no images in this folder" in refusal(data.open, tmp_path / "empty")


def test_one_class_above_the_classes_is_seen_through(photos, refusal):
    assert f"did you mean {photos}" in refusal(data.open, photos.parent)


def test_a_class_of_broken_images_is_named(photos, refusal):
    for path in (photos / "dogs").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    message = refusal(data.open, photos)
    assert "dogs" in message
    assert "none of the images" in message


def test_train_and_test_folders_are_pooled(photos, tmp_path):
    root = tmp_path / "parts"
    root.mkdir()
    shutil.copytree(photos, root / "train")
    shutil.copytree(photos, root / "test")
    found = data.open(root)
    assert found.classes == ("cats", "dogs")
    assert len(found) == 20
    assert said(found, "test, train are pooled")
    assert len(np.unique(found.groups)) == 10


def test_a_class_with_the_name_of_a_part_is_said(photos, photo):
    assert not said(data.open(photos), "read as")
    (photos / "Test").mkdir()
    photo(5).save(photos / "Test" / "one.png")
    found = data.open(photos)
    assert found.classes == ("Test", "cats", "dogs")
    assert said(found, "Test: the folder is read as a class like the others", "test/CLASS/")


def test_loose_images_are_left_out_and_said(photos, photo):
    photo(5).save(photos / "cover.png")
    found = data.open(photos)
    assert len(found) == 10
    assert said(found, "1 image directly in the folder", "cover.png")


def test_pipes_do_not_hang(photos):
    os.mkfifo(photos / "cats" / "pipe.jpg")
    assert len(data.open(photos)) == 10


def test_progress_ends_at_the_total(photos):
    seen = []
    data.open(photos, progress=lambda done, total: seen.append((done, total)), cache=False)
    assert seen[-1] == (10, 10)


def test_check_reports_everything_at_once(photos):
    (photos / "birds").mkdir()
    (photos / "fish").mkdir()
    Image.new("RGB", (8, 8)).save(photos / "fish" / "one.png")
    (photos / "cats" / "0.jpg").write_bytes(b"\xff\xd8\xff")
    report = data.check(photos)
    assert report.classes["cats"] == 4
    assert report.classes["fish"] == 1
    assert not report.usable
    text = " | ".join(report.problems)
    assert "birds" in text
    assert "class 'fish' has 1 row" in text
    assert len(report.unreadable) == 1


def test_real_photos(animals):
    found = data.open(animals)
    assert found.X.shape == (3000, 32, 32, 3)
    assert found.classes == ("cats", "dogs", "panda")
    assert np.bincount(found.y).tolist() == [1000, 1000, 1000]
    again = data.open(animals)
    assert again.fingerprint == found.fingerprint
    path = sorted((animals / "panda").iterdir())[0]
    read = data.read_like(found.schema, path)
    np.testing.assert_array_equal(read.features[0], found.features()[2000])
