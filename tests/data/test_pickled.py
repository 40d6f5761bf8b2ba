"""Pickles are taken apart as data: what NumPy and CIFAR write is read, and nothing that could run is touched."""

import os
import pickle
import pickletools
import random

import numpy as np
import pytest

from steepest.core.errors import DataError
from steepest.data import pickled
from steepest.data.pickled import read_pickle

X = np.random.default_rng(0).integers(0, 256, (7, 12), dtype=np.uint8)
BATCH = {
    b"data": X,
    b"labels": [3, 1, 4, 1, 5, 9, 2],
    b"filenames": [b"a.png"] * 7,
    "text": "ü",
    b"batch_label": b"1 of 5",
}

# A batch as Python 2 and NumPy 1 wrote it: strings of bytes, the old module's name, protocol 2.
PYTHON2 = (
    b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05"
    b"(K\x01K\x02K\x03\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    b"\x89U\x06abcdeftbU\x06labelsq\x08]q\t(K\x01K\x00eu."
)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_python_writes_is_read(protocol):
    found = read_pickle(pickle.dumps(BATCH, protocol=protocol), "x")
    np.testing.assert_array_equal(found[b"data"], X)
    assert found[b"data"].dtype == np.uint8
    assert {key: value for key, value in found.items() if key != b"data"} == {
        k: v for k, v in BATCH.items() if k != b"data"
    }


def test_what_python_2_wrote_is_read():
    want = pickle.loads(PYTHON2, encoding="bytes")
    found = read_pickle(PYTHON2, "x")
    np.testing.assert_array_equal(found[b"data"], want[b"data"])
    assert found[b"data"].tolist() == [[97, 98, 99], [100, 101, 102]]
    assert found[b"labels"] == want[b"labels"] == [1, 0]


def test_columns_first_is_the_same_array():
    np.testing.assert_array_equal(read_pickle(pickle.dumps({"a": np.asfortranarray(X)}), "x")["a"], X)


class Runs:
    """A pickle of this calls os.mkdir when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_refused_and_not_run(tmp_path, refusal, protocol):
    harm = pickle.dumps({b"data": X, b"labels": Runs(tmp_path / "harm")}, protocol=protocol)
    said = refusal(read_pickle, harm, "batch")
    assert "batch: its pickle asks for" in said
    assert "mkdir" in said
    assert not (tmp_path / "harm").exists()
    pickle.loads(harm)
    assert (tmp_path / "harm").exists()  # so the test would have noticed


@pytest.mark.parametrize(
    "code",
    [
        b"cbuiltins\neval\n(V1+1\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x031+1\x85R.",
        b"cnumpy\nload\n(Va.npy\ntR.",  # NumPy has names that open files
        b"cnumpy.core.multiarray\nfromfile\n(Va\ntR.",
        b"(i__builtin__\nexit\n.",  # INST
        b"cnumpy\nndarray\n)\x81.",  # NEWOBJ
        b"(cnumpy\nndarray\no.",  # OBJ
        b"\x80\x02\x82\x01.",  # EXT1
        b"Pother\n.",  # PERSID
        b"\x97.",  # NEXT_BUFFER
        b"c_codecs\nencode\n(Vabc\nVhex\ntR.",
        b"cnumpy\nndarray\n(K\x01tR.",
    ],
)
def test_every_other_way_to_make_objects_is_refused(code, refusal):
    assert refusal(read_pickle, code, "batch").startswith("batch: ")


def test_arrays_of_other_things_are_refused(refusal):
    for array in (X.astype(float), np.array([{}, []], dtype=object), np.array(["a"])):
        refusal(read_pickle, pickle.dumps({"data": array}), "x")
    assert "uint8" in refusal(read_pickle, pickle.dumps({"data": X.astype(np.int16)}), "x")


def test_sizes_that_lie_are_refused(refusal, monkeypatch):
    huge = PYTHON2.replace(b"K\x02K\x03\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")
    assert "damaged" in refusal(read_pickle, huge, "x")
    assert "damaged" in refusal(read_pickle, b"\x80\x02X\xff\xff\xff\x7fabc.", "x")  # a text of 2 GiB
    assert (
        read_pickle(b"\x80\x02]r\xff\xff\xff\xff.", "x") == []
    )  # the memo's place 4,294,967,295, for which C makes room
    deep = b"\x80\x02)" + b"2\x86" * 60 + b"."  # DUP, TUPLE2: 2^60 leaves
    assert "DUP" in refusal(read_pickle, deep, "x")
    turned = b"c_codecs\nencode\nq\x00" + b"h\x00h\x01h\x02\x86R"
    text = b"X" + (1 << 16).to_bytes(4, "little") + b"a" * (1 << 16) + b"q\x01" + b"X\x06\x00\x00\x00latin1q\x02"
    bomb = b"\x80\x02](" + text + turned + b"h\x00h\x01h\x02\x86R" * 1000 + b"e."
    assert "more bytes of its texts than it holds" in refusal(read_pickle, bomb, "x")
    keys = b"\x80\x02}()K\x01u."  # {(): 1}
    assert "damaged" in refusal(read_pickle, keys, "x")  # tuples are no keys: hashing nested ones may take for ever
    monkeypatch.setattr(pickled, "MOST_STEPS", 1000)
    assert "steps" in refusal(read_pickle, b"\x80\x02]" + b"Na" * 501 + b".", "x")


def test_damage_anywhere_is_one_line_or_the_right_values():
    whole = pickle.dumps(BATCH, protocol=2)
    chance = random.Random(1)
    for cut in range(0, len(whole), 3):
        with pytest.raises(DataError, match="x: "):
            read_pickle(whole[:cut], "x")
    codes = [code.code.encode("latin-1") for code in pickletools.opcodes]
    for _ in range(2000):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(broken))
            broken[place : place + 1] = chance.choice([bytes([chance.randrange(256)]), chance.choice(codes), b""])
        said = complaint(bytes(broken))
        assert said is None or (said.startswith("x: ") and said.isprintable())


def complaint(content):
    """What is said of a pickle, None where it is read."""
    try:
        read_pickle(content, "x")
    except DataError as error:
        return str(error)
    return None
