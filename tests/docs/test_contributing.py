"""CONTRIBUTING.md, "Add a method in five steps": followed to the letter on a copy of the tree, it must work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from docs.refresh_readme import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a method in five steps")[2]
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
# which file each block goes into, and the line it goes after (None: a new file; "": at the end)
PLACES = [
    ("src/steepest/methods/sign_sgd.py", None),
    ("src/steepest/methods/__init__.py", '"sgd": "steepest.methods.sgd:SGD",'),
    ("src/steepest/__init__.py", '"methods.sgd": ('),
    ("src/steepest/__init__.pyi", "from steepest.methods.sgd import SGD as SGD"),
    ("tests/reference/methods.py", ""),
    ("tests/x64/methods/cases.py", '*_same("sgd", "GD"'),
    ("tests/x64/methods/cases.py", '("sgd", "GD"): '),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources and tests in which the five steps were followed."""
    place = tmp_path_factory.mktemp("tree")
    leave_out = shutil.ignore_patterns("__pycache__", "docs", "torture")
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, place / part, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", place)
    assert len(BLOCKS) == len(PLACES)
    for block, (name, after) in zip(BLOCKS, PLACES):
        path = place / name
        assert path.exists() == (after is not None)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if after:
            [line] = [line for line in text.splitlines(keepends=True) if after in line]
            text = text.replace(line, line + block)
        else:
            text += f"\n\n{block}" if text else block
        path.write_text(text, encoding="utf-8")
    return place


def run(tree, *words):
    """Run Python in the copy; its output, with an assertion that it went well."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "NO_COLOR": "1", "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, *words], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_file_named_exists():
    named = set(re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", TEXT)) - {"src/steepest/methods/sign_sgd.py"}
    assert len(named) >= 8
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_it_is_a_method_like_any_other(tree):
    assert "θ ← θ − ε·sign(g)" in run(tree, "-m", "steepest", "methods", "sign-sgd")
    assert "SignSGD()" in run(tree, "-c", "import steepest; print(steepest.SignSGD())")


def test_the_contract_and_the_public_names_hold(tree):
    said = run(tree, "-m", "pytest", "tests/contracts/test_methods.py", "tests/test_public.py", "-k", "sign or public")
    assert int(re.findall(r"(\d+) passed", said)[0]) > 10


def test_it_equals_its_loop_by_hand(tree):
    said = run(tree, "-m", "pytest", "tests/x64/methods/test_reference.py", "-k", "Sign or every_method or sign")
    assert int(re.findall(r"(\d+) passed", said)[0]) >= 4


def test_its_mutants_are_caught(tree):
    assert re.search(r"\d+ mutants: [1-9]\d* caught", run(tree, "tests/mutants/run.py", "sign_sgd"))


def test_style_holds(tree):
    run(tree, "-m", "ruff", "check", "src/steepest/methods", "tests/x64/methods", "tests/reference")
    run(tree, "-m", "ruff", "format", "--check", "src/steepest/methods/sign_sgd.py", "tests/reference/methods.py")
