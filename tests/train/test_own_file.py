"""Users' own models in files: by name and hash, never by code, and only with the file that was trained with."""

import json

import numpy as np
import pytest

from steepest.core.errors import DataError, SettingError
from steepest.data.opening import open as open_data
from steepest.models.mlp import MLP
from steepest.models.own import Functions
from steepest.models.text import model_from_text
from steepest.study.fit import fit
from steepest.train.model_file import load, save
from steepest.train.recipe import Recipe
from steepest.train.recipe_json import recipe_from_json, recipe_to_json

NET = """\
import jax.numpy as jnp
open("ran", "a").write("x")

def init(key, shape, outputs):
    return {"weight": jnp.zeros((outputs, *shape)), "bias": jnp.zeros(outputs)}

def apply(params, rows):
    return rows @ params["weight"].T + params["bias"]

net = (init, apply)
other = (init, apply)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


@pytest.fixture
def stored(folder):
    fitted = fit(open_data("iris"), Recipe(model=model_from_text("net.py:net")), epochs=3)
    assert fitted.params["weight"]["W"].shape == (3, 4)
    return fitted, save(fitted, folder / "model.safetensors")


def test_a_model_file_holds_a_name_and_a_hash(stored):
    fitted, path = stored
    source = fitted.recipe.model.source
    entry = recipe_to_json(fitted.recipe)["model"]
    assert entry == {"name": "own", "settings": {"file": "net.py", "of": "net", "sha256": source.sha256}}
    assert b"jnp" not in path.read_bytes()


def test_it_predicts_as_it_did_once_it_is_named_again(stored):
    fitted, path = stored
    rows = open_data("iris").features()
    for given in ("net.py:net", fitted.recipe.model):
        found = load(path, given)
        assert found.recipe == fitted.recipe
        np.testing.assert_array_equal(found.margins(rows), fitted.margins(rows))


def test_a_file_that_moved_is_the_same_model(stored, folder):
    fitted, path = stored
    (folder / "elsewhere").mkdir()
    (folder / "net.py").rename(folder / "elsewhere" / "moved.py")
    rows = open_data("iris").features()
    found = load(path, "elsewhere/moved.py:net")
    np.testing.assert_array_equal(found.margins(rows), fitted.margins(rows))


def test_a_model_file_runs_nothing_by_itself(folder, tmp_path):
    recipe = recipe_to_json(Recipe(model=model_from_text("net.py:net")))
    (tmp_path / "ran").unlink(missing_ok=True)
    with pytest.raises(DataError) as error:
        recipe_from_json(recipe)
    assert str(error.value) == (
        "its model is a user's own, net.py:net, whose code is not stored; "
        "name it again if you trust that file: --model net.py:net"
    )
    (folder / "net.py").write_text(NET + "# changed\n")
    with pytest.raises(SettingError, match=r"model net.py:net: net.py has changed \(it was [0-9a-f]{12} and is"):
        recipe_from_json(recipe, "net.py:net")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "its model is a user's own, net.py:net, whose code is not stored"),
        ("net.py:other", "model net.py:other: it was net of that file; name that one"),
        ("gone.py:net", "model gone.py:net: there is no file gone.py"),
        ("mlp:8", "model mlp:8: the stored one is a user's own, net.py:net@"),
        (MLP(widths=(8,)), "model mlp:8: the stored one is a user's own, net.py:net@"),
        (Functions(lambda *_: {"w": 1.0}, lambda *_: np.ones((3, 3))), "does not add up: it holds params/bias"),
    ],
)
def test_another_model_is_refused(stored, given, said):
    with pytest.raises(DataError) as error:
        load(stored[1], given)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{stored[1]}: ")


def test_a_model_that_is_stored_whole_takes_no_other():
    recipe = recipe_to_json(Recipe(model=MLP(widths=(8,))))
    with pytest.raises(SettingError, match="its model is stored whole; leave the other out"):
        recipe_from_json(recipe, "net.py:net")


def test_one_made_in_python_is_given_again_in_python():
    def begin(key, shape, outputs):
        del key
        return {"w": np.zeros((outputs, *shape), "float32")}

    model = Functions(begin, lambda params, rows: rows @ params["w"].T)
    recipe = Recipe(model=model)
    entry = json.loads(json.dumps(recipe_to_json(recipe)))
    assert recipe_from_json(entry, model) == recipe
    with pytest.raises(DataError, match=r"made in Python, whose code is not stored; give it to load\(…, model=…\)"):
        recipe_from_json(entry)


@pytest.mark.parametrize("settings", [None, {}, {"file": "a.py"}, {"file": 1, "of": "x", "sha256": "0"}, [1]])
def test_an_entry_that_is_none_is_refused(settings):
    recipe = {**recipe_to_json(Recipe()), "model": {"name": "own", "settings": settings}}
    with pytest.raises(DataError, match="the stored recipe cannot be read: its model is no name and hash of a file"):
        recipe_from_json(recipe, "net.py:net")
