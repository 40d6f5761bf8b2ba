"""`--model file.py:name` on the command line: compared, trained from a run, predicted with; and refused in one line."""

# ruff: noqa: ARG001 - a file is there by being asked for

from __future__ import annotations

import pytest

NET = """\
import jax.numpy as jnp

def init(key, shape, outputs):
    return {"W": jnp.zeros((outputs, *shape)), "b": jnp.zeros(outputs)}

def apply(params, rows):
    return rows @ params["W"].T + params["b"]

net = (init, apply)
"""
COMPARE = "compare iris --model linear,net.py:net --methods sgd --penalties none --trials 1 --replicates 2 --epochs 2"


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def test_a_comparison_holds_it_against_ours_and_fit_takes_it_from_the_run(steepest, net):
    found = steepest(f"{COMPARE} --json").json
    by_model = {cell["model"].partition("@")[0]: cell for cell in found["cells"]}
    assert set(by_model) == {"linear", "net.py:net"}
    # ours from zero is theirs from zero; each draws its own trials, but the defaults are the same
    assert by_model["linear"]["default"] == by_model["net.py:net"]["default"]
    again = steepest(f"{COMPARE} --json").json
    assert (again["run"], again["cells"]) == (found["run"], found["cells"])
    assert steepest("fit iris --from 1 --model net.py:net --epochs 1 -q").code == 0


def test_a_file_that_changed_is_another_comparison_and_no_recommendation(steepest, net):
    alone = COMPARE.replace("linear,", "")
    assert steepest(f"{alone} -q").code == 0
    assert steepest("fit iris --from 1 --epochs 1 -q").code == 0
    net.write_text(NET + "# changed\n")
    done = steepest("fit iris --from 1 --epochs 1 -q")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "model net.py:net: net.py has changed (it was " in done.err
    assert steepest(f"{alone} --json").json["run"] == 2


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("nett.py:net", "model nett.py:net: there is no file nett.py; did you mean net.py?"),
        ("net.py:nett", "unknown name in net.py 'nett'; did you mean 'net'?"),
        ("net.py:apply", "model net.py:apply: apply is a function of (params, rows)"),
    ],
)
@pytest.mark.parametrize("command", ["fit iris -q --model", "compare iris -q --model"])
def test_what_is_wrong_is_said_in_one_line(steepest, net, command, model, said):
    done = steepest(command, model)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_model_that_cannot_train_says_why_before_anything_trains(steepest, net):
    net.write_text(NET.replace("return rows @", "return rows if params['b'].sum() > 0 else rows @"))
    done = steepest("fit iris --model net.py:net -q")
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        "steepest: model net.py:net: cannot train as a population: it decides (if, while, and, or) by a number that is "
        "another one for each member; use jnp.where (net.py, line 7)"
    )
