"""Arrays and frames of any library: the same rules as for files, with the cell named."""

import numpy as np
import polars as pl
import pytest

import steepest.data as data

X = np.arange(12.0).reshape(6, 2)
Y = list("ababab")


class Stream:
    """A frame of a library we do not know: nothing but the Arrow stream."""

    def __init__(self, frame):
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self._frame.__arrow_c_stream__(requested_schema)


def test_rows_and_labels():
    found = data.from_arrays(X.astype(int), np.array([3, 1, 3, 1, 2, 2]))
    assert found.X.dtype == np.float32
    assert found.y.dtype == np.int32
    assert found.classes == ("1", "2", "3")
    assert found.y.tolist() == [2, 0, 2, 0, 1, 1]
    assert found.shape == (2,)
    np.testing.assert_array_equal(found.features(), X)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([0.0, 1, 0, 1, 0, 1]), ("0", "1")),
        (np.array([True, False] * 3), ("False", "True")),
        (np.array(["x", "y"] * 3), ("x", "y")),
        (np.array([b"x", b"y"] * 3), ("x", "y")),
        (np.array([[1], [2]] * 3), ("1", "2")),
        (["10", "9"] * 3, ("9", "10")),
        ([np.int64(4), np.int64(5)] * 3, ("4", "5")),
        (pl.Series(["u", "v"] * 3), ("u", "v")),
    ],
)
def test_kinds_of_labels(y, classes):
    assert data.from_arrays(X, y).classes == classes


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([1, "1", 1.0, 1, 1, 1], ["mixes kinds of labels", "1 (int)", "'1' (str)", "1.0 (float)"]),
        ([1, 1.0, 2, 2, 1, 2], ["1.0 (float)"]),
        ([True, 1, 0, 1, 0, 1], ["True (bool)"]),
        (np.array([1, "1", 2, 2, 1, 1], dtype=object), ["'1' (str)"]),
        (["1", "1.0", "2", "2", "1", "1"], ["'1' and '1.0'"]),
        ([0, 1, None, 0, 1, 0], ["y[2] is None"]),
        (np.array([0, 1, np.nan, 0, 1, 0]), ["y[2] is nan"]),
        ([0, 1, 0], ["X has 6 rows, but y 3 labels"]),
        (np.zeros((6, 2)), ["one label a row"]),
        ([[0], [1]] * 3, ["y[0] is a list"]),
        ([0] * 6, ["one class, '0'"]),
        (np.array([1 + 2j] * 6), ["complex128"]),
    ],
)
def test_labels_that_are_refused(y, words, refusal):
    message = refusal(data.from_arrays, X, y)
    for word in words:
        assert word in message


def test_cells_that_are_refused_are_named(refusal):
    for value, word in ((np.inf, "infinite"), (-np.inf, "infinite"), (1e300, "float32"), (np.nan, "NaN")):
        broken = X.copy()
        broken[3, 1] = value
        message = refusal(data.from_arrays, broken, Y)
        assert "X[3, 1]" in message
        assert word in message
    large = X.astype(np.int64)
    large[2, 0] = 2**53 + 1
    assert "X[2, 0] is 9007199254740993" in refusal(data.from_arrays, large, Y)
    large[2, 0] = 2**53
    assert data.from_arrays(large, Y).X[2, 0] == 2**53
    assert "X[4, 0] is 'oops'" in refusal(data.from_arrays, [[1], [2], [3], [4], ["oops"], [6]], Y)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros(6), "shape (6,)"),
        (np.zeros((6, 0)), "holds nothing"),
        (np.zeros((0, 3)), "holds nothing"),
        (np.zeros((6, 3, 8, 8)), "transpose(0, 2, 3, 1)"),
        (np.zeros((6, 2), complex), "complex128"),
        ([[1, 2], [3]], "differ in length"),
    ],
)
def test_shapes_that_are_refused(rows, words, refusal):
    assert words in refusal(data.from_arrays, rows, Y)


def test_missing_policies():
    broken = X.copy()
    broken[3, 1] = np.nan
    assert np.isnan(data.from_arrays(broken, Y, missing="mean").X[3, 1])
    dropped = data.from_arrays(broken, Y, missing="drop")
    assert len(dropped) == 5
    assert dropped.y.tolist() == [0, 1, 0, 0, 1]


def test_images():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5), dtype=np.uint8)
    found = data.from_arrays(images, Y)
    assert found.shape == (4, 5, 1)
    assert found.X.dtype == np.uint8
    np.testing.assert_array_equal(found.features(), images.reshape(6, -1) / np.float32(255))
    real = data.from_arrays(images / 255, Y)
    assert real.shape == (4, 5, 1)
    np.testing.assert_allclose(real.features(), found.features(), rtol=1e-6)
    np.testing.assert_array_equal(data.from_arrays(images, Y, raw=True).features(), images.reshape(6, -1))


def test_uint8_tables_are_no_images():
    found = data.from_arrays(np.arange(12, dtype=np.uint8).reshape(6, 2), Y)
    assert found.schema.kind == "array"
    assert found.features().max() == 11


@pytest.mark.parametrize("wrap", [lambda f: f, Stream, lambda f: f.lazy()], ids=["polars", "arrow", "lazy"])
def test_frames(wrap):
    frame = pl.DataFrame({"a": [1, 2, 3, 4], "c": ["u", "v", "u", "v"], "kind": ["x", "y", "x", "y"]})
    by_name = data.from_arrays(wrap(frame), "kind")
    assert by_name.X.tolist() == [[1, 1, 0], [2, 0, 1], [3, 1, 0], [4, 0, 1]]
    beside = data.from_arrays(wrap(frame.drop("kind")), ["x", "y", "x", "y"])
    assert beside.fingerprint == by_name.fingerprint
    assert data.open(wrap(frame), label="kind").fingerprint == by_name.fingerprint
    read = data.read_like(by_name.schema, wrap(frame.select("kind", "c", "a")))
    np.testing.assert_array_equal(read.features, by_name.X)
    assert read.labels == ["x", "y", "x", "y"]


def test_pairs_open():
    assert data.open((X, Y)).fingerprint == data.from_arrays(X, Y).fingerprint
    found = data.from_arrays(X, Y)
    assert data.open(found) is found


def test_new_rows_must_fit(refusal):
    schema = data.from_arrays(X, Y).schema
    features, names, labels = data.read_like(schema, X[:2])
    np.testing.assert_array_equal(features, X[:2])
    assert (names, labels) == (["1", "2"], None)
    assert data.read_like(schema, (X[:2], ["a", "b"])).labels == ["a", "b"]
    assert "rows of shape (3,)" in refusal(data.read_like, schema, np.zeros((2, 3)))
    assert "missing" in refusal(data.read_like, schema, np.array([[1, np.nan]]))
    images = np.zeros((6, 4, 4, 3), np.uint8)
    images[0, 0, 0] = 51
    schema = data.from_arrays(images, Y).schema
    assert data.read_like(schema, images[:1]).features[0, 0] == np.float32(51) / np.float32(255)


def test_sparse_is_refused(refusal):
    from scipy.sparse import csr_matrix

    assert "X.toarray()" in refusal(data.from_arrays, csr_matrix(X), Y)


def test_fingerprint_and_groups_are_of_values():
    negative = X.copy()
    negative[0, 0] = -0.0
    assert data.from_arrays(negative, Y).fingerprint == data.from_arrays(X, Y).fingerprint
    other = X.copy()
    other[5, 1] += 1e-3
    assert data.from_arrays(other, Y).fingerprint != data.from_arrays(X, Y).fingerprint
    assert data.from_arrays(X, Y[::-1]).fingerprint != data.from_arrays(X, Y).fingerprint
    assert data.from_arrays(X, list("acacac")).fingerprint != data.from_arrays(X, Y).fingerprint
    assert data.from_arrays(X[[0, 1, 0, 2, 1, 0]], Y).groups.tolist() == [0, 1, 0, 2, 1, 0]
