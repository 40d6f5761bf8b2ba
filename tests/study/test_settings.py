"""The settings of a comparison: what is refused, and what decides trainings."""

import json

import numpy as np
import pytest

from steepest import SettingError
from steepest.study.settings import READING, Settings, candidate_name


def test_the_defaults_are_those_promised():
    made = Settings()
    assert made.methods == ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
    assert made.penalties == ("none", "l1", "l2", "elastic")
    assert (made.trials, made.replicates, made.epochs, made.model, made.metric) == (20, 10, 20, "linear", "accuracy")
    assert (made.test, made.validation, made.margin, made.level) == (0.25, 0.2, 0.005, 0.05)


def test_names_come_as_a_list_or_as_text():
    assert Settings(methods="sgd, adam") == Settings(methods=["sgd", "adam"]) == Settings(methods=("sgd", "adam"))


def test_a_comma_that_belongs_to_a_text_does_not_divide():
    made = Settings(
        techniques="none, dropout:rate=0.3 , augment:shift=0.1,rotate=10+smoothing",
        model="linear,mlp:128,64:tanh,mlp:8",
    )
    assert made.techniques == ("none", "dropout:rate=0.3", "augment:shift=0.1,rotate=10+smoothing")
    assert made.models == ("linear", "mlp:128,64:tanh", "mlp:8")
    assert Settings(techniques=list(made.techniques), model=list(made.models)) == made
    assert (Settings(model=["mlp:64,32"]).model, Settings(model="mlp:64,32").models) == ("mlp:64,32", ("mlp:64,32",))


def test_a_users_own_model_is_kept_with_its_content(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("net = 1")
    first = Settings(model=f"linear,{file}:net")
    file.write_text("net = 2")
    second = Settings(model=f"linear,{file}:net")
    assert first.models[1].startswith(f"{file}:net@")
    assert first.training() != second.training()
    assert candidate_name("sgd", "l2", "none", first.models[1]) == f"sgd+l2, {file}:net"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"techniques": "none,dropuot"}, "unknown technique 'dropuot'; did you mean 'dropout'? Known: none, dropout"),
        ({"techniques": "dropout+smothing"}, "unknown technique 'smothing'; did you mean 'smoothing'?"),
        (
            {"techniques": "none+dropout"},
            "technique none+dropout: none is no technique at all, so it goes with no other",
        ),
        ({"techniques": "dropout+"}, "technique dropout+: there is a plus with nothing beside it"),
        ({"techniques": "dropout,dropout"}, "technique dropout is named twice"),
        ({"techniques": ()}, "no technique to compare; name one"),
        ({"techniques": [0.5]}, "technique 0.5; a comparison takes texts"),
        ({"model": "linear,linear"}, "model linear is named twice"),
        ({"methods": "sgd,adamm"}, "unknown method 'adamm'; did you mean 'adam'? Known: gd, sgd"),
        ({"methods": ()}, "no method to compare; known: gd, sgd"),
        ({"methods": "sgd,sgd"}, "method sgd is named twice"),
        ({"penalties": ["ridge"]}, "unknown penalty 'ridge'"),
        ({"loss": "crossentropy"}, "unknown loss 'crossentropy'; did you mean 'cross-entropy'?"),
        (
            {"loss": "squared"},
            "loss = squared is for numbers to predict; a comparison is of classes: take cross-entropy, hinge …",
        ),
        ({"metric": "f2"}, "unknown metric 'f2'; known: accuracy, balanced, f1"),
        ({"trials": 0}, "trials = 0; it must be a whole number of at least 1"),
        ({"trials": 2.0}, "trials = 2.0; it must be a whole number of at least 1"),
        ({"trials": True}, "trials = True; it must be a whole number of at least 1"),
        ({"replicates": 1}, "replicates = 1; it must be a whole number of at least 2 (5 or more for a verdict)"),
        ({"epochs": 0}, "epochs = 0; it must be a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size = 0; it must be a whole number of at least 1"),
        ({"seed": -1}, "seed = -1; it must be a whole number of at least 0"),
        ({"margin": -0.1}, "margin = -0.1; it must be in [0, 0.2)"),
        ({"margin": float("nan")}, "margin = nan; it must be in [0, 0.2)"),
        ({"level": 0.0}, "level = 0.0; it must be in (0, 1)"),
        ({"test": 1.0}, "test = 1.0; it must be in (0, 1)"),
        ({"test": 0.0}, "test = 0.0; it must be in (0, 1)"),
        ({"test": "all"}, "test = 'all'; it must be a share or given"),
        ({"test": "given", "metric": "f1"}, "metric f1 is no mean over rows, so test = given cannot judge it"),
        ({"validation": 0.0}, "validation = 0.0; it must be in (0, 1)"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(wrong, says):
    with pytest.raises(SettingError) as caught:
        Settings(**wrong)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_whole_numbers_of_numpy_are_whole_numbers():
    made = Settings(trials=np.int64(7), seed=np.uint8(3))
    assert json.loads(json.dumps(made.as_dict()))["trials"] == 7
    assert made == Settings(trials=7, seed=3)


def test_zero_is_a_margin():
    assert Settings(margin=0.0).margin == 0


def test_as_dict_is_json_and_makes_the_same_settings():
    made = Settings(
        methods="sgd",
        techniques="none,dropout",
        model="linear,mlp:8",
        spaces=[("sgd.rate", 1, 2)],
        attack="fgsm",
        seed=7,
    )
    stored = json.loads(json.dumps(made.as_dict()))
    assert stored["spaces"] == {"sgd.rate": [1.0, 2.0]}
    again = {**stored, "spaces": tuple((name, *ends) for name, ends in stored["spaces"].items())}
    assert Settings(**again) == made


def test_a_run_without_what_is_newer_is_the_run_that_it_was():
    values = Settings().training()
    assert not {"techniques", "attack"} & set(values)
    assert values["model"] == "linear"
    for change in (
        {"techniques": "dropout"},
        {"techniques": "none,dropout"},
        {"attack": "fgsm"},
        {"model": "mlp,linear"},
    ):
        assert Settings(**change).training() != values


def test_how_results_are_read_decides_no_training():
    assert set(READING) == {"metric", "margin", "level"}
    assert Settings(metric="f1", margin=0.1, level=0.1).training() == Settings().training()
    for change in ({"seed": 1}, {"epochs": 3}, {"standardize": False}, {"spaces": (("sgd.rate", 1, 2),)}):
        assert Settings(**change).training() != Settings().training()
