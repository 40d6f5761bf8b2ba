"""The commands that only look: runs, data, methods."""

from __future__ import annotations

import signal

import pytest
from rich.cells import cell_len
from tests.data.loopback import CONTENT, offered, serving

from steepest.data import download, named
from steepest.study.parts import REGISTRIES
from steepest.study.store import Store, Training


@pytest.fixture
def stored(steepest, tmp_path):
    """Two runs that were begun, the second with two trainings."""
    with Store.open(tmp_path / "home") as store:
        for name in ("digits", "my [red] photos"):
            row = store.begin(name, command="compare", name=name, settings={"trials": 20},
                              data={"fingerprint": "f00"}, environment={"python": "3"})  # fmt: skip
        store.add(row.id, [Training(0, "sgd+l2", t, {"rate": 0.1}, "finished", 9, {}, {}) for t in (0, 1)])
    return steepest


def test_no_runs_yet(steepest, tmp_path):
    done = steepest("runs")
    assert "list" in done.out
    done = steepest("runs list")
    assert (done.code, done.err) == (0, "")
    assert "no runs yet" in done.out
    assert steepest("runs list --json").json["runs"] == []
    assert not (tmp_path / "home").exists()


def test_runs_are_listed_and_shown(stored):
    lines = stored("runs list").out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["1", "2"]
    assert lines[3].split("  ")[2].strip() == "my [red] photos", lines
    assert "2/5,040" in lines[3]
    found = stored("runs list --json").json
    assert found["schema"] == "steepest.runs/1"
    assert [(row["id"], row["status"], row["trainings"]) for row in found["runs"]] == [
        (1, "interrupted", 0),
        (2, "interrupted", 2),
    ]
    assert "2 (compare, interrupted)" in stored("runs show").out
    assert stored("runs show dig --json").json["run"]["id"] == 1


@pytest.mark.parametrize("command", ["runs list", "methods", "methods --kind techniques"])
def test_a_narrow_terminal_still_says_all_there_is(stored, monkeypatch, command):
    wide = stored(command).out.splitlines()
    monkeypatch.setenv("COLUMNS", "50")
    narrow = stored(command).out.splitlines()
    assert max(map(cell_len, narrow)) <= 50
    words = [sorted(" ".join(lines[2:]).replace(",", "").split()) for lines in (wide, narrow)]
    assert words[0] == words[1]


def test_an_unfinished_run_says_how_far_it_is_and_how_to_go_on(stored):
    said = " ".join(stored("runs show").out.split())
    assert "work 2 of 5,040 trainings" in said
    assert said.endswith("Go on with it: steepest compare PATH")


def test_a_run_says_how_its_data_were_read_and_the_command_that_repeats_it(steepest, tmp_path):
    rows = [f"{k % 7},{k % 5},{k},{'ab'[k % 2]}" for k in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["one,two,id,kind", *rows, ""]))
    given = (
        "--label kind --drop id --methods adam --penalties none --trials 1 --replicates 2 --epochs 1 --margin 1.5 "
        "--raw --space adam.rate=0.001:0.1"
    )
    assert steepest(f"compare t.csv {given}").code == 0
    said = " ".join(steepest("runs show latest").out.split())
    assert "read with label kind; raw; drop id" in said
    assert "margin 1.5 points" in said
    assert "work 4 trainings" in said
    command = said.partition("Its command: ")[2]  # on one line, to be copied
    assert command == steepest("runs show latest").out.splitlines()[-1].removeprefix("Its command: ")
    assert command.startswith(f"steepest compare {tmp_path / 't.csv'} --label kind")
    again = steepest(command.removeprefix("steepest "))
    assert "this is the stored result of run 1" in again.err
    stored = steepest("runs show latest --json").json["run"]
    fitted = steepest("fit --from latest --epochs 1 --json")  # where its data lay is known
    assert (fitted.code, fitted.json["data"]["name"]) == (0, "t.csv"), fitted.err
    (tmp_path / "t.csv").unlink()
    assert f"{tmp_path / 't.csv'}: no such" in steepest("fit --from latest").err
    assert (stored["settings"]["margin"], stored["data"]["reading"]["drop"]) == (0.015, ["id"])


def test_runs_are_removed(stored):
    done = stored("runs remove latest 1 --json")
    assert done.json["removed"] == [2, 1]
    assert "removed run 2 (my [red] photos, 2 trainings)" in done.err
    assert stored("runs list --json").json["runs"] == []


def test_none_is_removed_where_one_is_unknown(stored):
    assert stored("runs remove 1 9").code == 1
    assert len(stored("runs list --json").json["runs"]) == 2


def test_built_in_data_and_kinds_of_files(steepest):
    done = steepest("data list")
    for word in ("digits", "blobs", "cifar100", "Parquet", "NPZ", "IDX", "tar"):
        assert word in done.out
    assert steepest("data list --json").json["sources"]["iris"].startswith("150 flowers")


def test_check_says_what_a_source_holds(steepest):
    done = steepest("data check iris")
    assert done.code == 0
    assert "2 rows in 1 group" in done.out
    assert "setosa" in done.out
    assert done.out.splitlines()[-1] == "iris can be used"
    found = steepest("data check iris --json").json
    assert (found["schema"], found["usable"], found["rows"]) == ("steepest.data/1", True, 150)


def test_check_reports_every_problem_and_fails(steepest, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b,label\n1,,x\n2,3,x\n3,4,y\n4,5,x\n")
    done = steepest("data check bad.csv --label label")
    assert done.code == 1
    assert "Problems" in done.out
    assert "b" in done.out
    assert done.out.splitlines()[-1].startswith("bad.csv cannot be used yet: 2 problems")
    assert steepest("data check bad.csv --label label --json").json["usable"] is False


def test_problems_that_are_alike_are_listed_in_part_and_all_counted(steepest, tmp_path):
    (tmp_path / "few.csv").write_text("a,label\n" + "".join(f"{k},class {k}\n" for k in range(8)))
    done = steepest("data check few.csv --label label")
    assert done.out.splitlines()[-1] == "few.csv cannot be used yet: 8 problems"
    assert "and 5 more like it" in done.out
    assert "class 3" not in done.out.partition("Problems")[2]
    assert len(steepest("data check few.csv --label label --json").json["problems"]) == 8


@pytest.fixture
def server(monkeypatch):
    """A server on this machine that offers the data set `tiny`."""
    with serving() as made:
        monkeypatch.setitem(named.NAMED, "tiny", offered(made.address, CONTENT))
        monkeypatch.setattr(download, "PAUSES", (0.0, 0.0, 0.0))
        yield made


def test_downloads_are_listed_and_got(steepest, server, tmp_path):
    entry = steepest("data list --json").json["downloads"]["tiny"]
    assert entry == {"about": "a test", "bytes": 600_001, "here": False, "folder": None}
    assert "get it: steepest data get tiny" in steepest("compare tiny").err
    done = steepest("data get tiny")
    folder = tmp_path / "home" / "data" / "tiny"
    assert (done.code, done.out) == (0, f"{folder}\n")
    assert done.err == "next: steepest compare tiny\n"
    assert {path.name for path in folder.iterdir()} == set(CONTENT)
    assert steepest("data list --json").json["downloads"]["tiny"]["folder"] == str(folder)
    found = steepest("data get tiny --json --to", "my data").json
    assert found == {"schema": "steepest.data/1", "name": "tiny", "folder": "my data/tiny", "files": list(CONTENT)}
    assert "next: steepest compare 'my data/tiny'" in steepest("data get tiny --to", "my data").err
    assert len(server.asked) == 4


def test_what_goes_wrong_with_a_download_is_one_line(steepest, server):
    server.status = [404]
    done = steepest("data get tiny")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("steepest: http://127.0.0.1")
    assert done.err.count("\n") == 1
    assert "404 Not Found" in done.err
    assert steepest("data get tyni").code == 2
    assert steepest("data get tiny --mirror nowhere").code == 2


def test_an_interrupted_download_says_how_to_go_on(steepest, server, tmp_path, monkeypatch):
    real = download._append

    def interrupted(part, block):
        real(part, block)
        if part.stat().st_size > 150_000:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(download, "_append", interrupted)
    done = steepest("data get tiny")
    assert done.code == 130
    assert done.err.endswith("kB of 600 kB are kept; the same command goes on from there\n")
    monkeypatch.setattr(download, "_append", real)
    kept = (tmp_path / "home" / "data" / "tiny" / "one.bin.part").stat().st_size
    assert kept > 150_000
    assert steepest("data get tiny").code == 0
    assert server.asked[1] == ("one.bin", f"bytes={kept}-")


@pytest.mark.parametrize("kind", list(REGISTRIES))
def test_every_part_is_listed_with_its_equation_and_ranges(steepest, kind):
    found = steepest(f"methods --kind {kind} --json").json
    assert found["schema"] == "steepest.methods/1"
    assert [one["name"] for one in found["entries"]] == REGISTRIES[kind].names()
    shown = steepest(f"methods --kind {kind}").out
    for one in found["entries"]:
        assert one["about"]
        assert one["name"] in shown
        assert steepest(f"methods {one['name']} --kind {kind}").code == 0
        for number in one["hyperparameters"]:
            assert "number" in number["range"]


def test_one_method_in_full(steepest):
    out = steepest("methods adam").out
    for text in ("s ← ρ₁s + (1−ρ₁)g", "Kingma & Ba 2015", "contains", "log-uniform 1e-05 … 0.1", "[0, 1)"):
        assert text in out


def test_techniques_are_listed_with_what_they_need(steepest):
    from steepest.techniques import TECHNIQUES

    found = steepest("methods --kind techniques --json").json
    assert (found["kind"], [one["name"] for one in found["entries"]]) == ("techniques", TECHNIQUES.names())
    said = steepest("methods augment").out  # found by name, whatever its kind
    assert "needs      images" in said
    assert "uniform 0 … 20" in said
    assert "settings   layers=all" in steepest("methods dropout").out
    assert "settings  form=look-ahead (or torch, keras)" in steepest("methods nesterov").out
    assert "spread=all (or others)" in steepest("methods smoothing").out


def test_attacks_are_listed_with_their_settings(steepest):
    found = steepest("methods --kind attacks --json").json
    settings = {one["name"]: [own["name"] for own in one["settings"]] for one in found["entries"]}
    assert settings == {"fgsm": ["norm"], "pgd": ["norm", "steps"]}
    assert "settings  norm=inf (or 2), steps=10" in steepest("methods pgd").out
    listed = steepest("methods --kind attacks").out
    assert "size=0.1" in listed
    assert "--kind attacks" in listed


def test_a_name_nobody_knows_is_looked_for_among_all_kinds(steepest):
    done = steepest("methods dropuot")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "unknown name 'dropuot'; did you mean 'dropout'? See: steepest methods dropout" in done.err
    none = steepest("methods qqqq")
    assert none.code == 2
    assert "list what there is with --kind: methods, penalties, losses" in none.err
