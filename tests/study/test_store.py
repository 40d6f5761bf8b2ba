"""The run store's contract: what goes in comes out, in order, once, and under the right name."""

import datetime
import json
import math
import struct

import numpy as np
import pytest

from steepest.core.errors import StoreError
from steepest.study.home import home, make_home
from steepest.study.store import Store, Training


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "home") as opened:
        yield opened


def begin(store, key="k", name="digits", **more):
    return store.begin(key, command="compare", name=name, settings={}, data={}, environment={}, **more)


def training(replicate=0, candidate="adam+l2", trial=0, score=0.5):
    return Training(
        replicate,
        candidate,
        trial,
        {"rate": 0.1},
        "finished",
        100,
        {"loss": score},
        {"accuracy": score},
        (),
        False,
        bytes([trial, 255, 0]),
    )


def bits(value):
    return struct.pack("<d", value)


AWKWARD = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, float(np.float32(0.1)), math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("value", AWKWARD)
def test_floats_come_back_bit_for_bit(store, value):
    run = begin(store).id
    scores = {"loss": value}
    store.add(run, [Training(0, "a", 0, {"rate": value}, "diverged", 7, scores, scores, (value, 1.0))])
    store.finish(run, {"mean": value}, 1.0)
    (back,) = store.trainings(run)
    result = store.get(run).result
    assert result is not None
    got = [back.hyperparameters["rate"], back.validation["loss"], back.test["loss"], back.curve[0], result["mean"]]
    assert [bits(x) for x in got] == [bits(value)] * 5


def test_random_bit_patterns_come_back(store):
    patterns = np.random.default_rng(0).integers(0, 2**64, 2000, dtype=np.uint64).view(np.float64)
    values = patterns[np.isfinite(patterns)]
    run = begin(store).id
    scores = {str(i): value for i, value in enumerate(values)}
    store.add(run, [Training(0, "a", 0, {}, "finished", 1, scores, {}, tuple(values))])
    (back,) = store.trainings(run)
    np.testing.assert_array_equal(np.array(list(back.validation.values())).view(np.uint64), values.view(np.uint64))
    np.testing.assert_array_equal(np.array(back.curve).view(np.uint64), values.view(np.uint64))


def test_numpy_numbers_are_taken(store):
    run = begin(store).id
    loss = np.float32(0.1)
    scores = {"loss": loss}
    curve = np.array([0.5, 0.25], np.float32)
    given = Training(np.int64(1), "a", np.int32(2), scores, "finished", np.int64(3), scores, scores, curve)  # type: ignore
    store.add(run, [given])
    (back,) = store.trainings(run)
    assert (back.replicate, back.trial, back.step, back.curve) == (1, 2, 3, (0.5, 0.25))
    assert back.test["loss"] == float(loss)


def test_a_training_comes_back_equal_after_the_store_was_closed(tmp_path):
    given = Training(
        3, "sgd+none", 2, {"rate": 0.3, "strength": 1e-4}, "stopped", 40, {"loss": 1.5}, {"f1": 0.25}, (2.0,)
    )
    with Store.open(tmp_path) as store:
        run = begin(store).id
        store.add(run, [given])
    with Store.open(tmp_path) as store:
        assert store.trainings(run) == [given]


def test_trainings_come_in_order_and_done_names_them(store):
    run, other = begin(store).id, begin(store, "other").id
    places = [(1, "b", 0), (0, "b", 10), (0, "b", 9), (1, "a", 0), (0, "ü+l1", 0)]
    store.add(run, [training(*place) for place in places])
    store.add(other, [training(5)])
    assert [(t.replicate, t.candidate, t.trial) for t in store.trainings(run)] == sorted(places)
    assert store.done(run) == set(places)
    assert store.get(run).trainings == 5


def test_the_first_committed_training_stays(store):
    run = begin(store).id
    store.add(run, [training(score=0.5)])
    store.add(run, [training(score=0.9), training(trial=1, score=0.7), training(trial=1, score=0.8)])
    assert [t.test["accuracy"] for t in store.trainings(run)] == [0.5, 0.7]


def test_a_batch_is_added_whole_or_not_at_all(store):
    run = begin(store).id
    wrong = Training(1, "a", 0, {}, "lost", 1, {}, {})  # type: ignore[arg-type]
    with pytest.raises(Exception, match="CHECK constraint failed"):
        store.add(run, [training(), wrong])
    assert store.trainings(run) == []
    store.add(run, [training()])
    assert len(store.done(run)) == 1


def test_begin_finds_the_newest_run_of_a_key(store):
    first = begin(store)
    assert (first.status, first.trainings, first.seconds, first.result) == ("running", 0, 0.0, None)
    assert begin(store).id == first.id
    assert begin(store, "other").id != first.id
    again = begin(store, fresh=True)
    assert again.id > first.id
    assert begin(store).id == again.id
    store.remove(again.id)
    assert begin(store).id == first.id


def test_a_number_is_not_given_again(store):
    run = begin(store).id
    store.remove(run)
    assert begin(store).id == run + 1


def test_a_run_keeps_what_it_was_begun_with(store):
    settings = {"methods": ["sgd", "adam"], "epochs": 20, "margin": 0.005, "deep": {"x": None}}
    name = "Füße \n 数字 \udcff"  # \udcff: a byte of a file name that is not Unicode
    store.begin("k", command="compare", name=name, settings=settings, data={"rows": 3}, environment={"jax": "0.10"})
    (row,) = store.runs()
    assert (row.name, row.settings, row.data, row.environment) == (name, settings, {"rows": 3}, {"jax": "0.10"})
    assert datetime.datetime.fromisoformat(row.created).tzinfo is not None


def test_seconds_add_up_and_a_finished_run_stays_finished(store):
    run = begin(store).id
    store.interrupted(run, 2.5)
    assert (store.get(run).status, store.get(run).seconds) == ("interrupted", 2.5)
    with store.lock(run):
        assert store.get(run).status == "running"
        store.finish(run, {"verdict": "undetermined"}, 1.5)
    store.interrupted(run, 100.0)
    with store.lock(run):
        row = store.get(run)
    assert (row.status, row.seconds, row.result) == ("finished", 4.0, {"verdict": "undetermined"})


def test_runs_are_in_the_order_of_their_numbers_whatever_the_clock_says(store, monkeypatch):
    begin(store, "a")

    class Back(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime(1970, 1, 1, tzinfo=tz)

    monkeypatch.setattr(datetime, "datetime", Back)
    later = begin(store, "a", fresh=True)
    assert later.created.startswith("1970")
    assert [row.id for row in store.runs()] == [1, 2]
    assert store.get("latest").id == begin(store, "a").id == later.id


def test_get_takes_a_number_latest_or_the_beginning_of_a_name(store):
    digits, photos, more = (begin(store, name, name).id for name in ("digits", "photos", "photos-grey"))
    assert store.get(photos).id == store.get(str(photos)).id == photos
    assert store.get("latest").id == more
    assert store.get("dig").id == digits
    assert store.get("photos-").id == more
    with pytest.raises(StoreError, match=r"run 'photos' may be 2, 3; give the number, or 'latest'"):
        store.get("photos")
    for which in (12, "12", "wine", "", 10**30, -1):
        with pytest.raises(StoreError, match=r"no run .* in .*runs\.sqlite; there are 1, 2, 3$"):
            store.get(which)


def test_an_unknown_run_is_named_by_every_call(store):
    calls = [
        lambda: store.get("latest"),
        lambda: store.add(4, [training()]),
        lambda: store.trainings(4),
        lambda: store.done(4),
        lambda: store.finish(4, {}, 0.0),
        lambda: store.interrupted(4, 0.0),
        lambda: store.remove(4),
    ]
    for call in calls:
        with pytest.raises(StoreError, match=r"^no run ('latest'|4) in .*; there are no runs yet$"):
            call()


def test_remove_takes_the_trainings_along(store):
    run = begin(store).id
    store.add(run, [training()])
    store.remove(run)
    assert store.runs() == []
    assert store._connection.execute("SELECT count(*) FROM trainings").fetchone() == (0,)


def test_what_is_not_json_is_refused_and_changes_nothing(store):
    run = begin(store).id
    with pytest.raises(TypeError):
        store.finish(run, {"values": object()}, 1.0)
    assert (store.get(run).result, store.get(run).seconds) == (None, 0.0)


def test_reading_makes_nothing_on_the_disk(tmp_path):
    folder = tmp_path / "none"
    with Store.open(folder, create=False) as store:
        assert store.runs() == []
        with pytest.raises(StoreError, match=r"no run 1 in .*; there are no runs yet"):
            store.get(1)
        with pytest.raises(StoreError, match="cannot be opened or written"):
            begin(store)
    assert not folder.exists()


def test_home_is_the_setting_or_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEEPEST_HOME", raising=False)
    assert home().absolute() == tmp_path / ".steepest"
    monkeypatch.setenv("STEEPEST_HOME", "")
    assert home().absolute() == tmp_path / ".steepest"
    monkeypatch.setenv("STEEPEST_HOME", str(tmp_path / "é ?#%20"))
    with Store.open() as store:
        begin(store)
        assert store.path == tmp_path / "é ?#%20" / "runs.sqlite"
    assert store.path.stat().st_size > 0
    assert not (tmp_path / ".steepest").exists()
    assert make_home(home()) == home()  # a home that is there is fine


def test_the_rows_are_plain_to_read_without_steepest(store):
    run = begin(store).id
    store.add(run, [training()])
    row = store._connection.execute("SELECT candidate, status, test FROM trainings").fetchone()
    assert (row[0], row[1], json.loads(row[2])) == ("adam+l2", "finished", {"accuracy": 0.5})
