"""CIFAR's batches in every layout they are given out in: the same rows, whole or refused with the file's name."""

import io
import pickle
import tarfile

import numpy as np
import pytest

import steepest.data as data
from steepest.core.errors import SettingError
from steepest.data.reading import Reading

TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FINE = tuple(f"fine{k:02d}" for k in range(100))
COARSE = tuple(f"coarse{k:02d}" for k in range(20))
ROWS = 12


def planes(seed, rows=ROWS):
    """Planar pixels [rows, 3072] as the files hold them."""
    return np.random.default_rng(seed).integers(0, 256, (rows, 3072), dtype=np.uint8)


def numbers(seed, classes, rows=ROWS):
    return (np.arange(rows) * 7 + seed) % classes


def upright(pixels):
    """[rows, 32, 32, 3] by the definition of the layout: 1,024 red, then 1,024 green, then 1,024 blue, row by row."""
    out = np.empty((len(pixels), 32, 32, 3), np.uint8)
    for channel in range(3):
        for line in range(32):
            out[:, line, :, channel] = pixels[:, channel * 1024 + line * 32 : channel * 1024 + line * 32 + 32]
    return out


def ten_python(parts=(("data_batch_1", 1), ("data_batch_2", 2), ("test_batch", 9)), protocol=2):
    made = {
        name: pickle.dumps(
            {b"data": planes(seed), b"labels": numbers(seed, 10).tolist(), b"filenames": [b"x.png"] * ROWS}, protocol
        )
        for name, seed in parts
    }
    return {**made, "batches.meta": pickle.dumps({"label_names": list(TEN), "num_vis": 3072}), "readme.html": b"<p>"}


def ten_binary():
    made = {}
    for name, seed in (("data_batch_1", 1), ("data_batch_2", 2), ("test_batch", 9)):
        rows = np.concatenate([numbers(seed, 10)[:, None].astype(np.uint8), planes(seed)], axis=1)
        made[f"{name}.bin"] = rows.tobytes()
    return {**made, "batches.meta.txt": "\n".join([*TEN, "", ""]).encode()}


def hundred_python():
    made = {}
    for name, seed in (("train", 1), ("test", 9)):
        labels = {"fine_labels": numbers(seed, 100).tolist(), "coarse_labels": numbers(seed, 20).tolist()}
        made[name] = pickle.dumps({"data": planes(seed), **labels})
    return {**made, "meta": pickle.dumps({b"fine_label_names": [n.encode() for n in FINE],
                                          b"coarse_label_names": [n.encode() for n in COARSE]})}  # fmt: skip


def hundred_binary():
    made = {}
    for name, seed in (("train", 1), ("test", 9)):
        labels = np.stack([numbers(seed, 20), numbers(seed, 100)], axis=1).astype(np.uint8)
        made[f"{name}.bin"] = np.concatenate([labels, planes(seed)], axis=1).tobytes()
    return {
        **made,
        "fine_label_names.txt": "\n".join(FINE).encode(),
        "coarse_label_names.txt": "\n".join(COARSE).encode(),
    }


@pytest.fixture(params=["folder", ".tar", ".tar.gz", ".tar.xz", "beside"])
def laid_out(request, tmp_path):
    """Writes files as a folder, as a tar archive of the folder, or as a folder that holds such a folder."""

    def write(files, name="cifar-10-batches-py"):
        if request.param.startswith("."):
            path = tmp_path / f"download{request.param}"
            with tarfile.open(path, {".tar": "w", ".tar.gz": "w:gz", ".tar.xz": "w:xz"}[request.param]) as archive:
                for file, content in reversed(files.items()):
                    member = tarfile.TarInfo(f"{name}/{file}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
            return path
        folder = tmp_path / "x" / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        return folder if request.param == "folder" else folder.parent

    return write


def names_of(found):
    return [found.classes[k] for k in found.y]


@pytest.mark.parametrize(
    ("files", "name"), [(ten_python(), "cifar-10-batches-py"), (ten_binary(), "cifar-10-batches-bin")]
)
def test_ten_classes(laid_out, files, name):
    found = data.open(laid_out(files, name))
    np.testing.assert_array_equal(found.X, np.concatenate([upright(planes(seed)) for seed in (1, 2, 9)]))
    assert names_of(found) == [TEN[k] for seed in (1, 2, 9) for k in numbers(seed, 10)]
    assert found.given_test is not None
    assert found.given_test.tolist() == [False] * 24 + [True] * 12
    assert any("pooled" in note and "12 rows" in note and "--test given" in note for note in found.notes)
    assert found.schema.top == 255
    assert found.shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("files", "name"), [(hundred_python(), "cifar-100-python"), (hundred_binary(), "cifar-100-binary")]
)
def test_hundred_classes_in_twenty(laid_out, files, name):
    path = laid_out(files, name)
    for label, names, classes in ((None, FINE, 100), ("fine", FINE, 100), ("coarse", COARSE, 20)):
        # not data.open: 24 rows of 24 classes would be refused as "a number to predict"
        found = data.opening.gather(path, Reading(label=label))
        assert list(found.labels) == [names[k] for seed in (1, 9) for k in numbers(seed, classes)]
        np.testing.assert_array_equal(found.X, np.concatenate([upright(planes(seed)) for seed in (1, 9)]))
        assert any("--label coarse" in note for note in found.notes) == (label is None)
    both = data.opening.gather(path, Reading(label="coarse,fine"))
    assert list(both.labels) == [COARSE[k] for seed in (1, 9) for k in numbers(seed, 20)]
    assert list(both.further["fine"]) == [FINE[k] for seed in (1, 9) for k in numbers(seed, 100)]
    assert both.schema.labels == ("coarse", "fine")
    again = data.read_like(both.schema, path)
    assert (again.labels, again.further) == (list(both.labels), (list(both.further["fine"]),))
    with pytest.raises(SettingError, match="label names 1 column, and the model has several tasks"):
        data.read_like(both.schema, path, label="coarse")
    with pytest.raises(SettingError, match="label names 2 columns, and the model has one task"):
        data.read_like(data.opening.gather(path, Reading()).schema, path, label="coarse,fine")


def test_a_model_of_both_labels_reads_rows_that_have_neither(tmp_path):
    folder = tmp_path / "cifar-100"
    folder.mkdir()
    for name, content in hundred_python().items():
        (folder / name).write_bytes(content)
    schema = data.opening.gather(folder, Reading(label="fine,coarse")).schema
    ten = tmp_path / "cifar-10"
    ten.mkdir()
    for name, content in ten_python().items():
        (ten / name).write_bytes(content)
    rows = data.read_like(schema, ten)
    assert (rows.labels, rows.further) == (None, ())
    assert len(rows.features) == 3 * ROWS
    with pytest.raises(SettingError, match="CIFAR-10, whose rows have one label"):
        data.read_like(schema, ten, label="fine,coarse")


def test_labels_of_a_hundred_that_are_not_there(laid_out):
    path = laid_out(hundred_python(), "cifar-100-python")
    with pytest.raises(SettingError, match="fine and a coarse label"):
        data.open(path, label="middle")
    with pytest.raises(SettingError, match="label: 'fine' is named twice"):
        data.open(path, label="fine,fine")


def test_layouts_agree(tmp_path):
    for files, name in ((ten_python(), "py"), (ten_binary(), "bin")):
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_bytes(content)
    python, binary = data.open(tmp_path / "py"), data.open(tmp_path / "bin")
    assert python.fingerprint == binary.fingerprint
    new = data.read_like(python.schema, tmp_path / "bin" / "test_batch.bin")
    np.testing.assert_array_equal(new.features, python.features()[24:])
    assert new.labels == names_of(python)[24:]
    assert data.open(tmp_path / "py" / "data_batch_2").given_test is None
    assert data.check(tmp_path / "py").given_test == 12
    grey = data.open(tmp_path / "py", color="grey")
    np.testing.assert_array_equal(grey.X, data.images.grey(python.X))


def test_settings_that_do_not_belong(tmp_path):
    for file, content in ten_python().items():
        (tmp_path / file).write_bytes(content)
    with pytest.raises(SettingError, match="one label each"):
        data.open(tmp_path, label="coarse")
    with pytest.raises(SettingError, match=r"size = 16: the images of .* are 32×32"):
        data.open(tmp_path, size=16)


@pytest.fixture
def spoilt(laid_out, refusal):
    """What is said of a layout in which one file was changed."""

    def call(files, name, content, folder="cifar-10-batches-py"):
        return refusal(data.open, laid_out({**files, name: content}, folder))

    return call


def test_a_hostile_pickle_is_refused_and_not_run(spoilt, tmp_path):
    harm = b"cos\nmkdir\n(V" + str(tmp_path / "harm").encode() + b"\ntR."
    said = spoilt(ten_python(), "data_batch_2", harm)
    assert "cifar-10-batches-py/data_batch_2: its pickle asks for os.mkdir, which could run code" in said
    assert not (tmp_path / "harm").exists()


def test_truncated_batches_are_named(spoilt):
    files = ten_python()
    assert "data_batch_2: truncated" in spoilt(files, "data_batch_2", files["data_batch_2"][:5000])


def test_truncated_binary_batches_are_named(spoilt):
    files = ten_binary()
    said = spoilt(files, "test_batch.bin", files["test_batch.bin"][:-1], "cifar-10-batches-bin")
    assert "test_batch.bin: 36,875 bytes are no whole number of rows of 3,073" in said


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ([1, 2], "holds no dict"),
        ({"data": planes(1)}, "'labels' is no list of class numbers"),
        ({"data": planes(1), "labels": [0] * 11}, "11 numbers for 12 images"),
        ({"data": planes(1), "labels": ["a"] * 12}, "no list of class numbers"),
        ({"data": planes(1), "labels": [0] * 11 + [10]}, "row 12 has the class number 10, and there are 10 classes"),
        ({"data": planes(1)[:, :100], "labels": [0] * 12}, "3,072 bytes a row"),
        ({"data": planes(1)[:0], "labels": []}, "3,072 bytes a row"),
        ({"labels": [0] * 12}, "3,072 bytes a row"),
    ],
)
def test_batches_that_do_not_add_up(tmp_path, refusal, batch, words):
    for file, content in {**ten_python(), "data_batch_1": pickle.dumps(batch)}.items():
        (tmp_path / file).write_bytes(content)
    said = refusal(data.open, tmp_path)
    assert said.startswith(f"{tmp_path}/data_batch_1: ")
    assert words in said


def test_without_names_classes_are_numbers(tmp_path):
    for file, content in ten_binary().items():
        if file.endswith(".bin"):
            (tmp_path / file).write_bytes(content)
    found = data.open(tmp_path)
    assert found.classes == tuple("0123456789")
    assert any("numbers" in note for note in found.notes)


def test_several_sets_in_one_folder(tmp_path, refusal):
    for name in ("cifar-10-batches-py", "cifar-10-batches-bin"):
        (tmp_path / name).mkdir()
        for file, content in (ten_python() if name.endswith("py") else ten_binary()).items():
            (tmp_path / name / file).write_bytes(content)
    assert "several sets: cifar-10-batches-py, cifar-10-batches-bin" in refusal(data.open, tmp_path)


def test_folders_of_images_called_train_and_test_are_no_batches(photos):
    (photos.parent / "parts" / "train").mkdir(parents=True)
    photos.rename(photos.parent / "parts" / "train" / "pets")
    (photos.parent / "parts" / "meta").write_text("notes")
    assert data.opening.kind_of(photos.parent / "parts") == "folder"
