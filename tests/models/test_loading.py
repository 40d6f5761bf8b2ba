"""`--model file.py:name`: what is read, what is not, and what is said where it cannot be."""

# ruff: noqa: ARG001 - what users write has these parameters, and fixtures act by being asked for

import os
import pickle
import subprocess
import sys

import pytest

from steepest.core.errors import SettingError
from steepest.models.linear import Linear
from steepest.models.loading import model_from_file
from steepest.models.mlp import MLP
from steepest.models.own import FromFile, Functions
from steepest.models.source import is_own, pinned, read
from steepest.models.text import model_from_text, model_text

PAIR = """\
import jax, jax.numpy as jnp
import steepest as st

def init(key, shape, outputs):
    return {"W": 0.1 * jax.random.normal(key, (outputs, *shape)), "b": jnp.zeros(outputs)}

def apply(params, rows):
    return rows @ params["W"].T + params["b"]

net = (init, apply)
functions = st.Functions(init, apply)
mlp = st.MLP(widths=(7,))
number = 3
def width(key, width): ...
"""
CLASS = """\
from __future__ import annotations
import jax.numpy as jnp
from layers import SLOPE
from steepest import Model, spec
from steepest.core.hyper import fraction

@spec
class Scaled(Model):
    scale: float = fraction(SLOPE)
    bias: bool = True

    def init(self, key, shape, outputs, init, dtype):
        return {"W": init.weights(key, (outputs, *shape), shape[0], outputs, dtype)}

    def apply(self, params, rows, how=None):
        if rows.shape[1:] == (13,):
            raise ValueError("thirteen")
        return self.scale * rows @ params["W"].T

    def sizes(self, shape, outputs):
        return [*shape, outputs]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(PAIR)
    return tmp_path


def refused(text):
    with pytest.raises(SettingError) as error:
        model_from_text(text)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_pair_is_read_once_for_all_trials(folder):
    model = model_from_text("net.py:net")
    assert isinstance(model, Functions)
    assert model_from_text(" net.py:net ") is model
    assert model_from_text(f"{folder}/net.py:net").source.path == f"{folder}/net.py"
    assert model.sizes((4,), 3) == [4, 3]


def test_its_text_holds_the_files_hash_and_reads_it_back(folder):
    model = model_from_text("net.py:net")
    assert model_text(model) == pinned("net.py:net") == f"net.py:net@{model.source.sha256[:12]}"
    assert model_from_text(model_text(model)) == model
    assert pinned("mlp:64") == "mlp:64"
    assert repr(model) == model_text(model)


def test_a_file_that_changed_is_another_model(folder):
    text = pinned("net.py:net")
    before = model_from_text(text)
    (folder / "net.py").write_text(PAIR.replace("0.1 *", "0.2 *"))
    assert model_from_text("net.py:net") != before
    said = refused(text)
    assert said.startswith("model net.py:net: net.py has changed (it was ")
    assert said.endswith("put the file back as it was, or train anew")


def test_models_and_functions_of_steepest_are_taken_as_they_are(folder):
    assert model_from_text("net.py:mlp") == MLP(widths=(7,))
    made = model_from_text("net.py:functions")
    assert isinstance(made, Functions)
    assert made.source.name == "functions"


def test_a_class_of_the_users_own_and_a_file_beside_it(folder):
    (folder / "layers.py").write_text("SLOPE = 0.25\n")
    (folder / "own.py").write_text(CLASS)
    model = model_from_text("own.py:Scaled")
    assert isinstance(model, FromFile)
    assert model_text(model).startswith("own.py:Scaled@")
    assert model.sizes((4,), 3) == [4, 3]
    with pytest.raises(SettingError, match=r"model own.py:Scaled: ValueError: thirteen \(own.py, line 17\)"):
        model.apply({"W": 1}, __import__("numpy").ones((2, 13)))


def test_pickles_name_the_file(folder):
    stored = pickle.dumps(model_from_text("net.py:net"))
    assert pickle.loads(stored) is model_from_text("net.py:net")
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"
    said = subprocess.run([sys.executable, "-c", code], input=stored, capture_output=True, check=True)
    assert said.stdout.decode().strip() == pinned("net.py:net")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nets.py:net", "model nets.py:net: there is no file nets.py; did you mean net.py?"),
        ("no/net.py:net", "model no/net.py:net: there is no folder no"),
        ("net.py:nett", "unknown name in net.py 'nett'; did you mean 'net'?"),
        ("net.py:jnp", "unknown name in net.py 'jnp'"),
        ("net.py", "model 'net.py' cannot be read; write file.py:NAME"),
        ("net.py:", "model 'net.py:' cannot be read; write file.py:NAME"),
        ("net.py:number", "model net.py:number: number is a int; give a pair (init, apply), a Flax module"),
        (
            "net.py:apply",
            "model net.py:apply: apply is a function of (params, rows); one that makes a module takes key",
        ),
        ("net.py:width", "model net.py:width: width is a function of (key, width); one that makes"),
        ("gone.py:net@0123456789ab", "there is no file gone.py; its model needs the file again, unchanged"),
        ("folder.py:net", "model folder.py:net: folder.py cannot be read (Is a directory)"),
    ],
)
def test_what_cannot_be_read_says_why(folder, text, said):
    (folder / "folder.py").mkdir()
    assert said in refused(text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("def net(:\n", "model file bad.py, line 1: invalid syntax"),
        ("x = 1\nnet = nothing\n", "model file bad.py: NameError: name 'nothing' is not defined (bad.py, line 2)"),
        ("def f():\n    raise ValueError('two\\nlines')\nf()\n", "bad.py: ValueError: two (bad.py, line 2)"),
        ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package' (bad.py, line 1)"),
        ("raise ModuleNotFoundError(name='flax')\n", '(bad.py, line 1); pip install "steepest[flax]"'),
        ("raise ModuleNotFoundError(name='equinox.nn')\n", 'pip install "steepest[equinox]"'),
        ("import sys\nsys.exit(3)\n", "model file bad.py: SystemExit: 3 (bad.py, line 2)"),
        ("\0", "model file bad.py"),
        (b"x = '\xff'\n", "model file bad.py"),
    ],
)
def test_a_file_that_cannot_be_run_says_its_own_error(folder, content, said):
    (folder / "bad.py").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert said in refused("bad.py:net")
    assert not [name for name in sys.modules if name.startswith("steepest_own") and "bad" in str(sys.modules[name])]


def test_nothing_is_run_before_the_hash_is_right(folder):
    text = pinned("net.py:net")
    (folder / "net.py").write_text("open('ran', 'w')\n")
    refused(text)
    assert not (folder / "ran").exists()
    read("net.py:net")
    assert not (folder / "ran").exists()


def test_texts_of_other_models_are_theirs():
    assert [is_own(text) for text in ("mlp:64", "linear", "net.py:x", "a/b c.py:x", "net.pyx:x")] == [
        False, False, True, True, False,
    ]  # fmt: skip
    assert model_from_text("linear") == Linear()


def test_reading_a_source_needs_no_engine(folder):
    code = "import sys; from steepest.models.source import pinned; pinned('net.py:net'); print('jax' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert said.stdout.strip() == "False"


def test_the_same_content_under_another_name_is_loaded_apart(folder):
    (folder / "twin.py").write_text(PAIR)
    assert model_from_file("twin.py:net") != model_from_file("net.py:net")
