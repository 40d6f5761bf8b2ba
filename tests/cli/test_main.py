"""Every way a command can end: its exit code, and one line on standard error."""

from __future__ import annotations

import subprocess
import sys

import pytest

from steepest.cli import app as application
from steepest.cli import main
from steepest.core.version import __version__

HEAVY = ("jax", "numpy", "polars", "sklearn", "matplotlib", "optax", "PIL")


def test_help_imports_nothing_heavy_and_is_quick():
    """Measured in a process of its own; 0.4 s of CPU is the promise, and this machine may be busy, so CPU it is."""
    code = (
        "import resource, sys; from steepest.cli import main; code = main(['--help']);"
        "used = resource.getrusage(resource.RUSAGE_SELF);"
        f"heavy = [name for name in {HEAVY} if name in sys.modules];"
        "print(code, heavy, used.ru_utime + used.ru_stime, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.startswith("0 [] ")
    assert float(done.stderr.split()[-1]) < 0.4
    for command in ("compare", "fit", "evaluate", "predict", "runs", "data", "methods"):
        assert f" {command} " in done.stdout


@pytest.mark.parametrize(
    "command", ["", "compare", "fit", "evaluate", "predict", "runs list", "data check", "methods", "runs remove"]
)
def test_every_help_has_two_examples(steepest, command):
    done = steepest(f"{command} --help")
    assert (done.code, done.err) == (0, "")
    examples = done.out.partition("Examples:")[2]
    assert examples.count("steepest ") >= 2
    assert max(len(line) for line in done.out.splitlines()) <= 80


def test_version(steepest):
    assert steepest("--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("compar", 2, 'Did you mean "compare"?'),
        ("compare --trails 3", 2, "Did you mean --trials?"),
        ("compare --trials few", 2, "trials = few; it must be a whole number"),
        ("compare --trials", 2, "requires an argument"),
        ("compare --metric acc", 2, '"accuracy", "balanced", "f1"'),
        ("compare --margin=-1", 2, "--margin"),
        ("compare wine iris", 2, "more arguments than it takes: iris"),
        ("compare wine --methods adamm", 2, "did you mean 'adam'?"),
        ("compare wine --penalties l3", 2, "unknown penalty 'l3'"),
        ("compare wine --model mlp:x", 2, "model 'mlp:x': unknown activation 'x'"),
        ("compare wine --trials 0", 2, "trials = 0"),
        ("compare wine --space sgd.rate=1", 2, "write it as adam.rate=1e-4:1"),
        ("compare wine --space sgd.rat=1e-3:1 --methods sgd", 2, "did you mean 'sgd.rate'?"),
        ("compare wine --methods coordinate --penalties l1", 2, "solver"),
        ("compare nowhere", 1, "nowhere: no such file"),
        ("compare wine --label species", 2, "label"),
        ("fit wine --method adam:rat=1", 2, "did you mean 'rate'?"),
        ("fit wine --method adam:rate=-1", 2, "above 0"),
        ("fit wine --size 0", 2, "size = 0; it must be a whole number of pixels"),
        ("fit wine --max-categories 0", 2, "max_categories = 0"),
        ("fit --from 7", 1, "no run 7"),
        ("evaluate nowhere.safetensors iris", 1, "nowhere.safetensors"),
        ("predict", 2, "MODEL"),
        ("runs show 99", 1, "no run 99"),
        ("runs remove", 2, "RUN"),
        ("data check --missing maybe", 2, "maybe"),
        ("methods adamm", 2, "did you mean 'adam'?"),
    ],
)
def test_misuse_and_faults_are_one_line(steepest, arguments, code, said):
    done = steepest(arguments)
    assert done.code == code
    assert done.out == ""
    assert said in done.err
    assert done.err.startswith("steepest: ")
    assert done.err.count("\n") == 1, done.err


def test_an_unforeseen_error_is_one_line_and_a_traceback_with_debug(steepest, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of all\nthings")

    monkeypatch.setattr("steepest.study.store.Store.open", broken)
    done = steepest("runs list")
    assert (done.code, done.out) == (1, "")
    assert done.err == "steepest: internal error: ZeroDivisionError: of all things; run again with --debug\n"
    done = steepest("runs list --debug")
    assert done.code == 1
    assert "Traceback" in done.err
    assert "ZeroDivisionError" in done.err


def test_debug_shows_where_an_expected_error_came_from(steepest):
    done = steepest("runs show 99 --debug")
    assert done.code == 1
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1].startswith("steepest: no run 99")


def test_a_full_disk_under_the_output_is_one_line(steepest, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("steepest.cli.console.Terminal.line", full)
    done = steepest("runs list")
    assert done.code == 1
    assert done.err == "steepest: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("command", [["methods"], ["--help"], ["methods", "--json"]])
def test_the_end_of_a_pipe_is_quiet(tmp_path, command):
    """The reader is gone before the first byte is written."""
    process = subprocess.Popen(
        [sys.executable, "-m", "steepest", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert (process.wait(), err) == (application.BROKEN_PIPE, b"")


def test_an_interrupt_before_any_command_is_quiet(monkeypatch, capsys):
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(application, "run", interrupted)
    assert main(["runs", "list"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("option", ["trials", "replicates", "epochs", "batch-size", "seed", "size", "samples"])
def test_a_fraction_is_not_rounded_to_a_count(steepest, option):
    done = steepest(f"compare blobs --dry-run --{option} 2.5")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"steepest: {option} = 2.5; it must be a whole number of at least ")


def test_a_closed_standard_output_is_no_error(steepest, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    assert steepest("data list")[::2] == (0, "")
