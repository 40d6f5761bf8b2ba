"""Binary files: declared sizes are checked before anything is allocated, pickles are refused, parts are pooled."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest

import steepest.data as data

X = np.random.default_rng(0).integers(0, 256, (12, 4, 5), dtype=np.uint8)
Y = np.arange(12) % 3


def idx(array, kind=8):
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def npz(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        return tmp_path / "a.npz"

    return save


@pytest.mark.parametrize(
    "keys", [("X", "y"), ("x", "y"), ("data", "target"), ("images", "labels"), ("features", "label")]
)
def test_npz_keys(npz, keys):
    found = data.open(npz(**{keys[0]: X, keys[1]: Y}))
    np.testing.assert_array_equal(found.X[..., 0], X)
    assert found.y.tolist() == Y.tolist()


@pytest.mark.parametrize("keys", ["x_train y_train x_test y_test", "train_images train_labels test_images test_labels",
                                  "X_train Y_train X_val Y_val"])  # fmt: skip
def test_npz_parts_are_pooled_and_said(npz, keys):
    a, b, c, d = keys.split()
    found = data.open(npz(**{a: X[:8], b: Y[:8, None], c: X[8:], d: Y[8:, None]}))
    np.testing.assert_array_equal(found.X[..., 0], X)
    assert found.y.tolist() == Y.tolist()
    assert any("pooled" in note for note in found.notes)


def test_npz_faults(npz, refusal):
    assert "'rows', 'y'; rows are looked for under 'X'" in refusal(data.open, npz(rows=X, y=Y))
    assert "rows must agree" in refusal(data.open, npz(X=X, y=Y[:5]))
    assert "Python objects (a pickle)" in refusal(data.open, npz(X=X, y=np.array([{}] * 12, dtype=object)))
    broken = X.astype(float)
    broken[3, 1, 2] = np.inf
    assert "X[3, 1, 2, 0] is infinite" in refusal(data.open, npz(X=broken, y=Y))
    path = npz(X=X, y=Y)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "not a whole NPZ" in refusal(data.open, path)
    path.write_bytes(whole[:200] + b"\xff" * 20 + whole[220:])
    assert "a.npz" in refusal(data.open, path)
    path.write_bytes(b"hello")
    assert "damaged" in refusal(data.open, path)


def test_npz_lies_about_sizes_are_refused_before_allocation(tmp_path, refusal):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**13, 4)})
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", header.getvalue() + b"\0" * 100)
        archive.writestr("y.npy", b"")
    assert "declares 40,000,000,000,000 bytes, but 100" in refusal(data.open, path)


def test_npz_too_large_for_memory_is_refused(npz, monkeypatch, refusal):
    import psutil

    path = npz(X=X, y=Y)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("M", (), {"available": 100}))
    assert "GiB are free" in refusal(data.open, path)


def test_zip_bomb_ratio():
    from steepest.core.errors import DataError
    from steepest.data.memory import check_ratio

    check_ratio(1_000_000, 1_000, "a")
    with pytest.raises(DataError, match="cannot be true"):
        check_ratio(10_000_000, 1_000, "a")


@pytest.fixture
def mnist(tmp_path):
    """The four usual files, gzipped or not."""

    def write(pack=lambda b: b, suffix="", infix="-"):
        folder = tmp_path / "mnist"
        folder.mkdir()
        for part, rows in (("train", slice(0, 8)), ("t10k", slice(8, 12))):
            (folder / f"{part}-images{infix}idx3-ubyte{suffix}").write_bytes(pack(idx(X[rows])))
            (folder / f"{part}-labels{infix}idx1-ubyte{suffix}").write_bytes(pack(idx(Y[rows].astype(np.uint8))))
        return folder

    return write


@pytest.mark.parametrize(("pack", "suffix"), [(bytes, ""), (gzip.compress, ".gz")])
@pytest.mark.parametrize("infix", ["-", "."])
def test_idx_folder_is_pooled_and_said(mnist, pack, suffix, infix):
    folder = mnist(pack, suffix, infix)
    found = data.open(folder)
    order = [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7]  # t10k before train
    np.testing.assert_array_equal(found.X[..., 0], X[order])
    assert found.y.tolist() == Y[order].tolist()
    assert any("pooled" in note for note in found.notes)
    one = data.open(folder / f"train-images{infix}idx3-ubyte{suffix}")
    np.testing.assert_array_equal(one.X[..., 0], X[:8])
    new = data.read_like(found.schema, folder / f"t10k-images{infix}idx3-ubyte{suffix}")
    assert new.labels == [str(k) for k in Y[8:]]


def test_idx_faults(mnist, refusal):
    folder = mnist()
    images, labels = folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte"
    whole, names = images.read_bytes(), labels.read_bytes()
    images.write_bytes(whole[:-1])
    assert "declares 8×4×5 values, 160 bytes, but 159 follow" in refusal(data.open, folder)
    images.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1))
    assert "but 0 follow" in refusal(data.open, folder)
    images.write_bytes(bytes([0, 0, 8, 3, 0, 0]))
    assert "truncated in its header" in refusal(data.open, folder)
    images.write_bytes(b"hello, this is text")
    assert "not an IDX file" in refusal(data.open, folder)
    images.write_bytes(whole)
    labels.write_bytes(names[:7] + bytes([7]) + names[8:-1])
    assert "8 images, but 7 labels" in refusal(data.open, folder)
    labels.write_bytes(idx(X))
    assert "3 axes" in refusal(data.open, folder)
    labels.unlink()
    assert "train-labels-idx1-ubyte (or .gz) is not beside it" in refusal(data.open, images)


def test_gzip_faults(mnist, refusal):
    folder = mnist(gzip.compress, ".gz")
    images = folder / "train-images-idx3-ubyte.gz"
    whole = images.read_bytes()
    images.write_bytes(whole[: len(whole) // 2])
    assert "gzip is truncated or damaged" in refusal(data.open, folder)
    images.write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    assert "gzip is truncated or damaged" in refusal(data.open, folder)
    images.write_bytes(gzip.compress(idx(X[:8]) + b"\0" * 10_000_000))  # it holds more than it declares
    assert "more follow" in refusal(data.open, folder)
    images.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**20, 2**10, 2**10)))
    assert "cannot be true" in refusal(data.open, folder)


def test_idx_sets_that_do_not_belong_together(mnist, refusal):
    folder = mnist()
    for name in ("images-idx3", "labels-idx1"):
        (folder / f"letters-train-{name}-ubyte").write_bytes((folder / f"train-{name}-ubyte").read_bytes())
    assert "several sets" in refusal(data.open, folder)
