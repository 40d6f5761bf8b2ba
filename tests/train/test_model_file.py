"""Model files: everything comes back, and nothing that is damaged, foreign or hostile does."""

import json
import os
import struct
import tracemalloc
from dataclasses import replace

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from steepest.core import atomic
from steepest.core.errors import DataError, SteepestError
from steepest.data.schema import Column, Schema
from steepest.data.standard import Standard
from steepest.losses.margin import Hinge
from steepest.losses.sigmoid import OneVsRest
from steepest.methods.adam import Adam
from steepest.models.cnn import CNN
from steepest.models.mlp import MLP
from steepest.penalties.norms import ElasticNet
from steepest.train import model_file
from steepest.train.fitted import Fitted
from steepest.train.model_file import load, save
from steepest.train.recipe import Recipe
from steepest.train.recipe_json import recipe_to_json

RNG = np.random.default_rng(0)
NAMES = ("cat", "猫 <script>", "a\nb\udcff")


DEFAULT = Recipe(method=Adam(rate=0.1 + 0.2), penalty=ElasticNet())


def fitted(recipe=DEFAULT, shape=(4,), classes=NAMES, standard=True):
    outputs = recipe.loss.outputs(len(classes))
    made = recipe.model.init(jax.random.key(0), shape, outputs, recipe.initial, "float32")
    params = jax.tree.map(lambda leaf: RNG.normal(size=leaf.shape).astype(recipe.dtype), made)
    if "running" in params:
        params["running"] = jax.tree.map(np.abs, params["running"])  # variances
    columns = tuple(Column(f"größe {i}\n") for i in range(int(np.prod(shape)))) if len(shape) == 1 else ()
    return Fitted(
        recipe=recipe,
        params=params,
        classes=classes,
        schema=Schema("table" if columns else "images", shape, columns, label="art"),
        standard=Standard.fit(RNG.normal(size=(9, int(np.prod(shape))))) if standard else None,
        shape=shape,
        scores={"train": {"loss": float("inf"), "accuracy": 1 / 3}, "validation": {}, "test": {"loss": 0.1}},
        curves={"train_loss": np.array([1 / 3, np.nan]), "validation_loss": np.array([np.nan, np.inf])},
        status="diverged",
        step=7,
        epochs=1,
        seed=2**40,
        data={"name": "a\udcff/ö", "rows": 9, "classes": list(classes), "fingerprint": "ab"},
        notes=("one", "zwölf"),
        limits=(np.full(shape, -1 / 3), np.full(shape, 3.0)) if columns else None,
    )


MODELS = {
    "linear": fitted(),
    "one score, float64": fitted(Recipe(loss=OneVsRest(), dtype="float64"), classes=("no", "yes")),
    "mlp on images, not standardised": fitted(Recipe(model=MLP((5, 3))), shape=(2, 3, 1), standard=False),
    "hinge": fitted(Recipe(loss=Hinge())),
    "batch norm": fitted(Recipe(model=MLP((5,), norm=True))),
    "cnn on grey images": fitted(Recipe(model=CNN((2,), dense=3)), shape=(4, 5)),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_everything_comes_back(tmp_path, model):
    path = save(model, tmp_path / "ein modell")
    assert path == tmp_path / "ein modell.safetensors"
    again = load(path)
    for name in ("recipe", "classes", "schema", "shape", "scores", "status", "step", "epochs", "seed", "data", "notes"):
        assert getattr(again, name) == getattr(model, name), name
    if model.limits is None:
        assert again.limits is None
    else:
        np.testing.assert_array_equal(again.limits, model.limits)
    assert again.curves.keys() == model.curves.keys()
    for name, curve in model.curves.items():
        np.testing.assert_array_equal(again.curves[name], curve)
    mine, theirs = model_file.named(model.params), model_file.named(again.params)
    assert mine.keys() == theirs.keys()
    for name in mine:
        assert mine[name].dtype == theirs[name].dtype
        assert mine[name].tobytes() == theirs[name].tobytes()
    rows = RNG.normal(size=(50, int(np.prod(model.shape)))).astype("f4")
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))
    assert again.labels(rows).tolist() == [model.classes[k] for k in model.predict(rows)]
    if model.recipe.loss.probabilistic:
        np.testing.assert_array_equal(again.probabilities(rows), model.probabilities(rows))
    else:
        assert again.probabilities(rows) is None


def test_predictions_are_what_the_weights_say_by_hand():
    model = MODELS["linear"]
    rows = RNG.normal(size=(37, 4)).astype("f4")
    standard = ((rows - model.standard.center) / model.standard.scale).astype("f4").astype(float)
    scores = standard @ model.params["W"].astype(float).T + model.params["b"]
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(model.probabilities(rows), odds / odds.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(rows), scores.argmax(axis=1))
    one_by_one = np.concatenate([model.probabilities(rows[i : i + 1]) for i in range(37)])
    np.testing.assert_allclose(model.probabilities(rows), one_by_one, rtol=1e-13)
    assert model.predict(rows[:0]).shape == (0,)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"rows have shape \(2, 5\); the model reads \[rows, 4\]"):
        MODELS["linear"].predict(np.zeros((2, 5)))
    with pytest.raises(DataError, match="row 2, feature 1 is inf; the model needs finite numbers"):
        MODELS["mlp on images, not standardised"].predict([[0.0] * 6, [np.inf] + [0.0] * 5])


def test_a_file_is_the_same_each_time_and_holds_no_more_than_tensors_and_json(tmp_path):
    one, two = save(MODELS["linear"], tmp_path / "1"), save(MODELS["linear"], tmp_path / "2")
    assert one.read_bytes() == two.read_bytes()
    assert set(load_file(one)) >= {"params/W", "params/b", "standard/center", "curves/train_loss"}


def test_a_failed_write_leaves_the_old_model(tmp_path, monkeypatch):
    path = save(MODELS["linear"], tmp_path / "m")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(SteepestError, match=r"m\.safetensors: cannot be written \(No space left"):
        save(MODELS["hinge"], path)
    monkeypatch.undo()
    assert load(path).recipe == MODELS["linear"].recipe
    assert os.listdir(tmp_path) == ["m.safetensors"]  # noqa: PTH208


def test_a_file_from_before_a_setting_is_read_with_its_default(tmp_path):
    model = MODELS["mlp on images, not standardised"]
    stored = recipe_to_json(model.recipe)
    older = {name: value for name, value in stored.items() if name != "techniques"}
    older["model"] = {"name": "mlp", "settings": {"widths": [5, 3]}}
    again = load(rewritten(tmp_path, model, header={"recipe": older}))
    assert again.recipe == model.recipe
    rows = RNG.normal(size=(9, 6)).astype("f4")
    np.testing.assert_array_equal(again.probabilities(rows), model.probabilities(rows))
    older["model"]["settings"]["wide"] = 3
    refused(rewritten(tmp_path, model, header={"recipe": older}), "unknown setting of MLP 'wide'")
    refused(rewritten(tmp_path, model, header={"recipe": {**stored, "more": 3}}), "unknown part of a recipe 'more'")


def test_a_file_from_before_limits_is_read_without(tmp_path):
    gone = {"limits/low": None, "limits/high": None}
    assert load(rewritten(tmp_path, tensors=gone, header={"limits": KeyError})).limits is None
    refused(rewritten(tmp_path, tensors={"limits/low": None}), "limits/low is missing")
    for wrong in (np.full(4, np.nan), np.full(4, 9.0)):
        refused(rewritten(tmp_path, tensors={"limits/low": wrong}), "its features' limits are no ranges")
    refused(rewritten(tmp_path, tensors={"limits/high": np.ones(5)}), r"limits/high is F64 of shape \(5,\)")


# --- what is no model -----------------------------------------------------------------------------------------------


def rewritten(tmp_path, model=MODELS["linear"], tensors=None, header=None, text=None):
    """A saved model with some tensors (None: left out) and some of its header changed."""
    path = save(model, tmp_path / "m")
    held = load_file(path)
    start = path.read_bytes()
    size = struct.unpack("<Q", start[:8])[0]
    stored = json.loads(json.loads(start[8 : 8 + size])["__metadata__"]["steepest"])
    for name, value in (tensors or {}).items():
        held[name] = value
        if value is None:
            del held[name]
    for name, value in (header or {}).items():
        stored[name] = value
        if value is KeyError:
            del stored[name]
    save_file(held, path, {"steepest": json.dumps(stored) if text is None else text})
    return path


def refused(path, message):
    with pytest.raises(DataError, match=message) as error:
        load(path)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(path))


W = MODELS["linear"].params["W"]


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"params/W": None}, "params/W is missing"),
        ({"standard/scale": None}, "standard/scale is missing"),
        ({"curves/train_loss": None}, "curves/train_loss is missing"),
        ({"params/W": W.T.copy()}, r"params/W is F32 of shape \(4, 3\), and must be float32 of shape \(3, 4\)"),
        ({"params/W": W.astype("f8")}, "params/W is F64"),
        ({"params/W": W.astype("i4")}, "params/W is I32"),
        ({"params/W": np.where(W > 0, np.nan, W)}, "the weights params/W hold NaN or infinity"),
        ({"params/b": np.full(3, np.inf, "f4")}, "the weights params/b hold NaN or infinity"),
        ({"params/evil\n": W}, r"it holds params/evil\\n, which the model lacks"),
        ({"standard/scale": np.zeros(4)}, "scales must be above 0"),
        ({"standard/center": np.full(4, np.nan)}, "standardisation's array 'center'"),
        ({"standard/fill": np.zeros(5)}, r"standard/fill is F64 of shape \(5,\)"),
        ({"curves/train_loss": np.zeros((2, 2))}, "one number an epoch"),
    ],
)
def test_tensors_that_do_not_add_up(tmp_path, tensors, message):
    refused(rewritten(tmp_path, tensors=tensors), message)


RECIPE = json.loads(json.dumps(model_file.recipe_to_json(Recipe())))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"schema": "steepest.model/2"}, "newer steepest"),
        ({"schema": "other/1"}, "its schema is 'other/1'"),
        *(({name: KeyError}, f"its header lacks '{name}'") for name in model_file.NEEDED),
        *(({name: 0.5}, "is no|cannot be read") for name in model_file.NEEDED if name != "standard"),
        ({"classes": ["a"]}, "at least two classes"),
        ({"classes": ["a", "a", "b"]}, "each named once"),
        ({"classes": ["a", "b"]}, r"params/W is F32 of shape \(3, 4\)"),
        ({"classes": ["a", "b", 3]}, "classes is no list of texts"),
        ({"shape": [5], "data_schema": None}, "params/W is F32"),
        ({"shape": [2]}, r"rows of shape \(2,\), but data of shape \(4,\)"),
        ({"shape": [-4], "data_schema": None}, "no whole number"),
        ({"shape": [10**6] * 9, "data_schema": None}, "cannot be a row's"),
        ({"shape": [2**31 - 1], "data_schema": None}, "the model has more weights than the file has bytes"),
        ({"data_schema": {"kind": "table"}}, "schema cannot be read"),
        ({"recipe": {**RECIPE, "schema": "steepest.recipe/9"}}, "newer steepest"),
        ({"recipe": {**RECIPE, "method": {"name": "os.system", "settings": {}}}}, "unknown method 'os.system'"),
        ({"recipe": {**RECIPE, "dtype": "float64"}}, "must be float64"),
        ({"recipe": {**RECIPE, "loss": {"name": "squared", "settings": {"half": True}}}}, "Squared is for numbers"),
        (
            {
                "recipe": {
                    **RECIPE,
                    "model": {
                        "name": "mlp",
                        "settings": {"widths": [10**12], "activation": "relu", "slope": 0, "norm": False},
                    },
                }
            },
            "the model has more weights than the file has bytes",
        ),
        ({"status": "fine"}, "its status is 'fine'"),
        ({"step": -1}, "step = -1 is no whole number"),
        ({"scores": {"test": {"loss": "much"}}}, "a score is no number"),
    ],
)
def test_headers_that_do_not_add_up(tmp_path, header, message):
    refused(rewritten(tmp_path, header=header), message)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "its header is no JSON"), ("[]", "its schema is None"), ("[" * 100_000, "no JSON|nested too deeply")],
)
def test_headers_that_are_no_json(tmp_path, text, message):
    refused(rewritten(tmp_path, text=text), message)


def test_files_that_are_no_models(tmp_path):
    path = tmp_path / "x.safetensors"
    refused(path, "cannot be read \\(No such file")
    path.mkdir()
    refused(path, "is a folder")
    path.rmdir()
    for content in (b"", b"1234567", b"\x80\x04pickled......", b"\xff" * 64, struct.pack("<Q", 2**40) + b"{}"):
        path.write_bytes(content)
        refused(path, "is no safetensors file, or damaged")
    save_file({"a": np.zeros(2)}, path)
    refused(path, "a safetensors file, but no model of steepest")


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = save(MODELS["linear"], tmp_path / "m")
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        refused(path, "is no safetensors file, or damaged")


def test_no_memory_is_taken_for_what_a_hostile_file_only_declares(tmp_path):
    path = tmp_path / "bomb.safetensors"
    header = json.dumps({"params/W": {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    wide = {"name": "mlp", "settings": {"widths": [2000] * 500, "activation": "relu", "slope": 0.0, "norm": False}}
    other = rewritten(tmp_path, header={"recipe": {**RECIPE, "model": wide}})
    tracemalloc.start()
    refused(path, "is no safetensors file, or damaged")
    refused(other, "the model has more weights than the file has bytes")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6  # 500 layers of 2000×2000 would be 8 GB


def test_a_recipe_too_large_for_a_header_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "HEADER_BYTES", (1 << 20) + 100)
    with pytest.raises(SteepestError, match=r"m\.safetensors: the recipe is too large to be stored"):
        save(MODELS["linear"], tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_names_with_dots_keep_their_dots(tmp_path):
    assert save(replace(MODELS["linear"], notes=()), tmp_path / "v1.2").name == "v1.2.safetensors"
