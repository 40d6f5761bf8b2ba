"""Whole comparisons on small real data: the promised object, the store, interrupts, and the gate on false findings."""

import dataclasses
import json
from collections import Counter
from math import sqrt

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from steepest import METHODS, DataError, SettingError, Store, compare
from steepest.data.arrays import from_arrays
from steepest.data.opening import open as open_data
from steepest.study import compare as compare_
from steepest.study import run as run_
from steepest.study.compare import plan, run_study
from steepest.study.crossed import compare_crossed, interval_crossed
from steepest.study.settings import Settings

IRIS = load_iris(return_X_y=True)
SMALL = {"methods": ["sgd", "adam"], "penalties": ["none", "l2"], "trials": 3, "replicates": 5, "epochs": 2, "seed": 4}
DIGITS = tuple(part[:300] for part in load_digits(return_X_y=True))


@pytest.fixture(scope="module")
def once():
    return compare(*IRIS, **SMALL)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path) as opened:
        yield opened


def study(**more):
    return plan(from_arrays(*IRIS), Settings(**{**SMALL, **more}))


def told(comparison):
    """All that a comparison says but how long it took and where it is kept, to the bit."""
    return {name: value for name, value in comparison.as_dict().items() if name not in ("seconds", "run")}


def test_the_json_object_is_as_promised(once):
    said = once.as_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    promised = {"schema", "data", "settings", "cells", "pairs", "verdict", "trainings", "seconds"}
    assert promised <= said.keys()
    assert said["schema"] == "steepest.compare/1"
    assert said["data"].items() >= {"rows": 150, "classes": ["0", "1", "2"]}.items()
    assert set(said["data"]) >= {"name", "rows", "classes", "fingerprint"}
    assert said["trainings"] == 4 * (1 + 3) * 5
    assert [(cell["method"], cell["penalty"]) for cell in said["cells"]] == [
        ("sgd", "none"), ("sgd", "l2"), ("adam", "none"), ("adam", "l2"),
    ]  # fmt: skip
    for cell in said["cells"]:
        assert set(cell) == {
            "method", "penalty", "technique", "model", "default", "tuned", "test", "expected_best", "diverged",
            "warnings",
        }  # fmt: skip
        assert set(cell["default"]) == {"mean", "values"}
        assert set(cell["tuned"]) == {"hyperparameters", "validation"}
        assert set(cell["test"]) == {"mean", "low", "high", "values"}
        assert len(cell["default"]["values"]) == len(cell["test"]["values"]) == 5
        assert len(cell["expected_best"]) == 3
        assert cell["expected_best"] == sorted(cell["expected_best"]), "more trials are no worse"
        assert cell["test"]["low"] <= cell["test"]["mean"] <= cell["test"]["high"]
    fields = {"factor", "a", "b", "difference", "low", "high", "p", "verdict"}
    assert all(set(pair) == fields for pair in said["pairs"])
    assert Counter(pair["factor"] for pair in said["pairs"]) == {"method": 1, "penalty": 1, "cell": 6}
    assert [(p["a"], p["b"]) for p in said["pairs"][:3]] == [("sgd", "adam"), ("none", "l2"), ("sgd+none", "sgd+l2")]
    assert set(said["settings"]["search"]["adam+l2"]) == {"rate", "strength"}


def test_techniques_and_models_are_compared_under_the_same_protocol():
    found = compare(
        *IRIS, methods="adam", penalties="l2", techniques="none,input-dropout+smoothing", model="linear,linear:no-bias",
        trials=2, replicates=2, epochs=1, seed=4, attack="fgsm:size=0.5",
    )  # fmt: skip
    said = found.as_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["trainings"] == 4 * 3 * 2
    assert [(cell["technique"], cell["model"]) for cell in said["cells"]] == [
        ("none", "linear"), ("none", "linear:no-bias"),
        ("input-dropout+smoothing", "linear"), ("input-dropout+smoothing", "linear:no-bias"),
    ]  # fmt: skip
    searched = set(said["cells"][2]["tuned"]["hyperparameters"])
    assert searched == {"rate", "strength", "input-dropout.rate", "smoothing.amount"}
    assert set(said["settings"]["search"]["adam+l2, input-dropout+smoothing, linear"]) == searched
    assert Counter(pair["factor"] for pair in said["pairs"]) == {"technique": 1, "model": 1, "cell": 6}
    assert {"technique", "model"} < set(said["recommended"])
    for cell in said["cells"]:
        assert set(cell["attacked"]) == {"mean", "low", "high", "values"}
        assert len(cell["attacked"]["values"]) == 2
        assert all(0 <= hit <= clean for hit, clean in zip(cell["attacked"]["values"], cell["test"]["values"]))
    assert "no technique" in said["verdict"]


def test_a_candidates_scores_do_not_depend_on_the_techniques_beside_it():
    small = {**SMALL, "methods": ["adam"], "penalties": ["l2"]}
    alone, beside = compare(*IRIS, **small), compare(*IRIS, **small, techniques="none,smoothing")
    assert beside.cells[0] == alone.cells[0]
    assert beside.cells[1]["test"]["values"] != alone.cells[0]["test"]["values"]


def test_an_attack_of_no_size_changes_nothing_and_is_kept_in_the_store(store):
    settings = {"methods": ["adam"], "penalties": ["none"], "attack": "fgsm:size=0"}
    first, again = run_study(study(**settings), store), run_study(study(**settings), store)
    assert first.cells[0]["attacked"] == first.cells[0]["test"]
    assert (again.stored, told(again)) == (True, told(first))
    other = run_study(study(**settings, metric="f1"), store)
    assert other.stored
    assert other.cells[0]["attacked"] == other.cells[0]["test"] != first.cells[0]["test"]


def given_iris():
    """Iris, of which every fourth row came as the test set."""
    data = from_arrays(*IRIS)
    return dataclasses.replace(data, given_test=np.arange(150) % 4 == 0)


def test_a_given_test_set_is_judged_over_seeds_and_rows(store):
    settings = Settings(**{**SMALL, "penalties": ["none"], "trials": 10, "test": "given", "attack": "fgsm:size=0.1"})
    found = run_study(plan(given_iris(), settings), store)
    assert found.verdict.startswith("for this training set, ")
    y = IRIS[1][np.arange(150) % 4 == 0]
    picked = [pick_rows(found, store, y, c) for c in ("sgd+none", "adam+none")]
    for cell, rows in zip(found.cells, picked):
        assert cell["test"]["values"] == rows.mean(axis=1).tolist()
        assert (cell["test"]["low"], cell["test"]["high"]) == interval_crossed(rows)[1:]
    (want,) = compare_crossed(np.stack(picked, axis=1))
    pair = found.pairs[0]
    assert (pair["difference"], pair["low"], pair["p"]) == (want["difference"], want["low"], want["p"])
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False)) == found.as_dict()
    attacked = [pick_rows(found, store, y, c, attacked=True) for c in ("sgd+none", "adam+none")]
    for cell, rows, as_they_are in zip(found.cells, attacked, picked):
        assert cell["attacked"]["values"] == pytest.approx(rows.mean(axis=1))
        assert (cell["attacked"]["low"], cell["attacked"]["high"]) == interval_crossed(rows)[1:]
        assert rows.mean() < as_they_are.mean()
    (want,) = compare_crossed(np.stack(attacked, axis=1))
    pair = found.attacked_pairs[0]
    assert (pair["difference"], pair["low"], pair["p"]) == (want["difference"], want["low"], want["p"])
    balanced = run_study(plan(given_iris(), dataclasses.replace(settings, metric="balanced")), store)
    assert balanced.stored
    assert balanced.cells[0]["test"]["mean"] == pytest.approx(np.mean(balanced.cells[0]["test"]["values"]))


def pick_rows(found, store, y, candidate, attacked=False):
    """[replicates, rows] which test rows the trial that validation rows choose got right, by the stored trainings."""
    trainings = [t for t in store.trainings(found.run) if t.candidate == candidate and t.trial]
    made = []
    for replicate in range(5):
        own = [t for t in trainings if t.replicate == replicate]
        best = min(own, key=lambda t: (-t.validation["accuracy"], t.validation["loss"], t.trial))
        bits = np.unpackbits(np.frombuffer(best.hits, np.uint8))
        kept = len(bits) // 2 if attacked else 0  # those under attack come after the others
        made.append(bits[kept : kept + len(y)])
    return np.array(made, float)


def test_which_rows_were_given_decides_the_trainings():
    data, other = given_iris(), dataclasses.replace(given_iris(), given_test=np.arange(150) % 4 == 1)
    settings = Settings(**SMALL, test="given")
    assert plan(data, settings).key != plan(other, settings).key
    assert plan(data, Settings(**SMALL)).key == plan(other, Settings(**SMALL)).key == study().key
    with pytest.raises(SettingError, match="test = 'given', but arrays comes without a test set"):
        plan(from_arrays(*IRIS), settings)


def test_few_trials_or_replicates_give_estimates_and_no_verdict(once):
    assert once.verdict.startswith("estimates only, no verdict (5 paired replicates, 3 trials each;")
    assert {pair["verdict"] for pair in once.pairs} == {"undetermined"}
    few = compare(*IRIS, **{**SMALL, "trials": 10, "replicates": 4, "methods": ["sgd"]})
    assert few.verdict.startswith("estimates only, no verdict (4 paired replicates")
    enough = compare(*IRIS, **{**SMALL, "trials": 10, "replicates": 5, "methods": ["sgd"]})
    assert enough.verdict.startswith("on your data, ")


def test_the_same_seed_gives_the_same_answer_and_another_another(once):
    assert told(compare(*IRIS, **SMALL)) == told(once)
    other = compare(*IRIS, **{**SMALL, "seed": 5})
    assert [cell["test"]["values"] for cell in other.cells] != [cell["test"]["values"] for cell in once.cells]


def test_a_candidates_trainings_do_not_depend_on_the_others(once):
    alone = compare(*IRIS, **{**SMALL, "methods": ["adam"], "penalties": ["l2"]})
    assert alone.cells[0]["test"]["values"] == once.cells[3]["test"]["values"]
    assert alone.cells[0]["default"] == once.cells[3]["default"]
    assert alone.verdict.startswith("nothing was compared")


def test_a_finished_run_is_read_again_and_fresh_repeats_it(once, store, monkeypatch):
    first = run_study(study(), store)
    assert (first.stored, told(first)) == (False, told(once))
    with monkeypatch.context() as patch:
        patch.setattr(compare_, "run", _never)
        again = run_study(study(), store)
        assert (again.stored, again.run, told(again)) == (True, first.run, told(once))
        assert again.seconds == first.seconds
    repeated = run_study(study(), store, fresh=True)
    assert (repeated.stored, told(repeated)) == (False, told(once))
    assert repeated.run != first.run
    assert store.get(first.run).trainings == store.get(repeated.run).trainings == 80


def _never(*_):
    raise AssertionError("something was trained")


def test_another_metric_reads_the_trainings_that_are_there(store, monkeypatch):
    accuracy = run_study(study(), store)
    monkeypatch.setattr(compare_, "run", _never)
    for metric in ("balanced", "f1"):
        other = run_study(study(metric=metric), store)
        assert other.stored
        assert other.as_dict()["settings"]["metric"] == metric
        assert [c["default"]["values"] for c in other.cells] != [c["default"]["values"] for c in accuracy.cells]
    assert run_study(study(margin=0.1, level=0.2), store).stored
    with pytest.raises(AssertionError, match="trained"):
        run_study(study(epochs=3), store)


@pytest.mark.parametrize("after", [1, 35, 79])
def test_an_interrupted_run_goes_on_and_ends_the_same_to_the_bit(once, store, monkeypatch, after):
    add, given = store.add, []

    def interrupted(run, trainings):
        given.extend(trainings)
        add(run, trainings)
        if len(given) >= after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_study(study(), store)
    (row,) = store.runs()
    assert row.status == "interrupted"
    assert row.trainings == len(given) >= after
    trained = []
    with monkeypatch.context() as patch:
        patch.setattr(store, "add", lambda run, trainings: (trained.extend(trainings), add(run, trainings)))
        found = run_study(study(), store)
    assert len(trained) + len(given) == 80, "nothing is trained twice"
    assert told(found) == told(once)
    assert store.get(found.run).status == "finished"
    assert json.loads(json.dumps(store.get(found.run).result)) == found.as_dict()


def test_blocks_narrowed_for_want_of_memory_are_noted_and_remembered(once, store, monkeypatch):
    def short(recipes, replicate, epochs, width, on_epoch):
        if width > 8:
            raise MemoryError
        return train(recipes, replicate, epochs, width, on_epoch)

    train = run_.train
    monkeypatch.setattr(run_, "train", short)
    found = run_study(study(), store)
    assert len(once.notes) == 1
    assert found.notes == (
        once.notes[0],  # of the data: iris holds one row twice
        "80 trainings ran in blocks narrower than usual for want of memory: "
        "equal to other runs to rounding, not bit for bit",
    )
    assert found.as_dict()["notes"] == run_study(study(), store).as_dict()["notes"] == list(found.notes)


def test_spaces_can_be_changed_and_decide_what_is_drawn():
    made = study(spaces=(("adam.rate", 0.2, 0.3), ("l2.strength", 0.5, 0.9)))
    assert made.spaces()["adam+l2"]["rate"] == "log-uniform 0.2 … 0.3"
    drawn = [values for c in made.candidates for values in c.trials(2)[1:]]
    assert all(0.2 <= v["rate"] <= 0.3 for v in drawn[6:])
    assert all(0.5 <= v["strength"] <= 0.9 for v in drawn if "strength" in v)
    assert min(v["rate"] for v in drawn[:6]) < 0.2
    assert made.key != study().key


def test_what_decides_the_trainings_decides_the_key():
    keys = {study(**change).key for change in ({}, {"metric": "f1"}, {"margin": 0.1}, {"level": 0.1})}
    assert len(keys) == 1
    other = ({"seed": 5}, {"epochs": 3}, {"trials": 4}, {"test": 0.3}, {"standardize": False}, {"model": "mlp:8"})
    keys |= {study(**change).key for change in other}
    X, y = IRIS
    keys |= {plan(from_arrays(X * 1.001, y), Settings(**SMALL)).key, plan(from_arrays(X, 2 - y), Settings(**SMALL)).key}
    assert len(keys) == 1 + len(other) + 2


def test_before_it_starts_it_says_how_much_it_will_do():
    made = study()
    assert (made.trainings, made.each) == (80, 4)
    assert 0 < made.estimate(cores=2) < 60
    assert made.estimate(cores=1) > made.estimate(cores=4)
    two, four, eight = (study(epochs=epochs).estimate(cores=2) for epochs in (2000, 4000, 8000))
    assert eight - four == pytest.approx(2 * (four - two))
    assert four > two


def test_the_estimate_knows_what_each_candidate_costs():
    def trained(**more):  # without compiling
        return study(epochs=20_000, **more).estimate(cores=1) - study(epochs=1, **more).estimate(cores=1)

    one, wide = trained(model="mlp:256"), trained(model="mlp:512")
    assert 1.5 < wide / one < 2.5, "weights × rows"
    assert trained(model="mlp:256,mlp:512") == pytest.approx(one + wide)
    full = trained(model="mlp:256", trials=15)  # 32 members fill two blocks
    bags = trained(model="mlp:256", trials=15, techniques="none,bagging:bags=4")
    assert bags == pytest.approx(5 * full, rel=0.1)
    assert trained(model="mlp:256", replicates=10) == pytest.approx(2 * one)
    assert trained(model="mlp:256", trials=16) > trained(model="mlp:256", trials=7), "17 members fill two blocks, 8 one"
    linear, network = study(methods=["adam"]), study(methods=["adam"], model="mlp:8,8")
    both = study(methods=["adam"], model="linear,mlp:8,8", techniques="none,smoothing")
    assert both.estimate(cores=1) == pytest.approx(2 * (linear.estimate(cores=1) + network.estimate(cores=1)), rel=0.1)
    assert 2 * linear.estimate(cores=1) < network.estimate(cores=1), "six arrays of weights take longer to compile"


@pytest.mark.parametrize(
    ("technique", "passes"),
    [("adversarial", 4), ("adversarial:kind=pgd,steps=7", 17), ("tangent-prop:along=shift", 6), ("smoothing", 0)],
)
def test_the_estimate_knows_what_techniques_add(technique, passes):
    def trained(techniques):
        each = Settings(**{**SMALL, "trials": 15, "model": "mlp:256", "techniques": techniques})
        made = plan(open_data("digits"), each)
        longer = dataclasses.replace(made, settings=dataclasses.replace(each, epochs=20_000))
        return longer.estimate(cores=1) - made.estimate(cores=1), made

    (plain, made), (more, _) = trained(["none"]), trained([technique])
    train, validation = made.draw.sizes.train, made.draw.sizes.validation
    want = ((3 + passes) * train + validation) / (3 * train + validation)
    assert more / plain == pytest.approx(want, rel=0.02)


def test_the_estimate_knows_what_an_attack_costs():
    plain, fgsm, pgd = (
        study(model="mlp:256", attack=attack).estimate(cores=1) for attack in (None, "fgsm:size=1", "pgd:steps=20")
    )
    assert pgd - plain == pytest.approx(41 / 3 * (fgsm - plain)), "each step forward and back, then forward once"
    epochs = study(model="mlp:256", epochs=3).estimate(cores=1) - plain
    sizes = study().draw.sizes
    want = 2 * 41 * sizes.test / (3 * sizes.train + sizes.validation)  # in float64
    assert (pgd - plain) / epochs == pytest.approx(want, rel=0.05)


def test_diverged_trainings_count_and_an_edge_is_warned_of():
    hot = compare(
        *IRIS, methods=["sgd"], penalties=["l2"], trials=4, replicates=5, epochs=6,
        spaces=(("sgd.rate", 5.0, 6.0), ("l2.strength", 300.0, 400.0)),
    )  # fmt: skip
    assert hot.cells[0]["diverged"] == 20  # every trial, none of the defaults
    assert all(0 <= value <= 1 for value in hot.cells[0]["test"]["values"])
    cold = compare(
        *DIGITS, methods=["sgd"], penalties=["none"], trials=10, replicates=5, epochs=3,
        spaces=(("sgd.rate", 1e-6, 1e-2),),
    )  # fmt: skip
    (warning,) = cold.cells[0]["warnings"]
    assert warning == (
        "best rate lies at the high edge of its space (log-uniform 1e-06 … 0.01); widen it: --space sgd.rate=LOW:HIGH"
    )
    assert cold.warnings == [f"sgd+none: {warning}"]


# The gate: statistics.md, "whole studies of a candidate against itself with independent searches".

STUDIES = 80


@pytest.fixture
def twin(monkeypatch):
    """SGD under a second name: the same trainings, but trials of its own."""
    assert "sgd-twin" not in METHODS
    monkeypatch.setitem(METHODS._paths, "sgd-twin", "steepest.methods.sgd:SGD")


def verdicts(count, epochs, **more):
    """What studies of SGD against its twin find, each with splits and searches of its own."""
    said = Counter()
    for seed in range(count):
        found = compare(
            *DIGITS, methods=["sgd", "sgd-twin"], penalties=["none"], trials=10, replicates=10, epochs=epochs,
            seed=1000 + seed, **more,
        )  # fmt: skip
        assert found.cells[0]["tuned"] != found.cells[1]["tuned"], "the twin searches for itself"
        said[found.pairs[0]["verdict"]] += 1
    return said


@pytest.mark.usefixtures("twin")
def test_a_candidate_against_itself_is_hardly_ever_called_different():
    said = verdicts(STUDIES, epochs=3)
    wrong = said["better"] + said["worse"]
    assert wrong / STUDIES <= 0.05 + 2 * sqrt(0.05 * 0.95 / STUDIES), said


@pytest.mark.usefixtures("twin")
def test_a_candidate_whose_rates_are_capped_far_too_low_is_found_worse():
    said = verdicts(15, epochs=5, spaces=(("sgd-twin.rate", 1e-4, 3e-3),))
    assert said["better"] >= 12, said  # sgd is better than its capped twin
    assert said["worse"] == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"methods": ["sgd", "adamm"]}, "unknown method 'adamm'; did you mean 'adam'?"),
        (
            {"methods": ["delta-bar-delta"], "penalties": ["l1"]},
            r"delta-bar-delta\+l1: L1: needs a method with",
        ),
        ({"methods": ["coordinate"]}, "Coordinate: is a solver .*; a comparison cannot run it"),
        ({"trials": 0}, "trials = 0; it must be a whole number of at least 1"),
        ({"spaces": (("sgd.momentum", 0.1, 0.2),)}, "unknown search space 'sgd.momentum'"),
        ({"learning_rate": 0.1}, "learning_rate"),
        ({"techniques": "dropout"}, r"^sgd\+none, dropout: Dropout: acts on hidden units, and Linear\(\) has none"),
        ({"techniques": "augment"}, r"^sgd\+none, augment: Augment: needs images"),
        ({"attack": "fgms"}, "unknown attack 'fgms'; did you mean 'fgsm'"),
        ({"attack": "fgsm:size=-1"}, "size = -1; it must be"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_runs(monkeypatch, wrong, says):
    monkeypatch.setattr(compare_, "run", _never)
    with pytest.raises((SettingError, TypeError), match=says) as caught:
        compare(*IRIS, **{**SMALL, **wrong})
    assert "\n" not in str(caught.value)


def test_a_search_too_narrow_for_the_larger_method_is_suspect():
    found = compare(
        *DIGITS, methods=["sgd", "momentum"], penalties=["none"], trials=10, replicates=10, epochs=4,
        spaces=(("momentum.rate", 1e-5, 1e-4), ("momentum.momentum", 0.0, 0.1)),
    )  # fmt: skip
    (suspect,) = [text for text in found.warnings if "suspect" in text]
    assert suspect.startswith("search space suspect: momentum contains sgd, yet is worse by ")
    assert found.recommended["method"] == "sgd"
    assert np.mean(found.cells[0]["test"]["values"]) > np.mean(found.cells[1]["test"]["values"])


def test_which_columns_are_scaled_decides_the_trainings():
    """A text column one-hot encoded and the same numbers given as a column are the same rows, scaled differently."""
    pl = pytest.importorskip("polars")
    text = ["a", "b", "b", "a", "a", "b"] * 10
    label = ["x", "y"] * 30
    number = {"z": np.linspace(0.0, 1.0, 60), "y": label}
    one_hot = pl.DataFrame({"z": number["z"], "f": text, "y": label})
    dummies = pl.DataFrame(
        {"z": number["z"], "f_a": [float(t == "a") for t in text], "f_b": [float(t == "b") for t in text], "y": label}
    )
    keys = {plan(from_arrays(frame, "y"), Settings()).key for frame in (one_hot, dummies)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"trails": 3}, "did you mean 'trials'"),
        ({"margin": 0.5}, "it is a share: half a point is 0.005"),
        ({"spaces": {"adam.rate": 1.0}}, r"spaces = .* write them as"),
        ({"methods": [METHODS["adam"]()]}, "a comparison takes names"),
    ],
)
def test_settings_of_the_wrong_form_are_refused_in_one_line(settings, says):
    with pytest.raises(SettingError, match=says) as caught:
        compare("iris", **settings)
    assert "\n" not in str(caught.value)


def test_rows_that_are_few_and_contradict_each_other_are_refused_before_anything_runs():
    """Five different rows, each with every label: each class has five, and a split finds none to validate on."""
    X = (np.arange(120.0) % 5)[:, None]
    with pytest.raises(DataError, match="its 120 rows are 5 different ones, with labels that contradict each other"):
        plan(from_arrays(X, np.arange(120) % 3))


def test_names_in_one_text_and_spaces_by_name():
    settings = Settings(methods="sgd, adam", spaces={"adam.rate": (1e-3, 1.0)})
    assert settings.methods == ("sgd", "adam")
    assert settings.spaces == (("adam.rate", 1e-3, 1.0),)
