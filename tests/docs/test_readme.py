"""What README.md shows must run: its Python, its commands in their order, its make targets; its outputs are today's."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from docs.refresh_readme import LOOK, PAGES, ROOT, printed, quotes
from PIL import Image

from steepest.study.settings import DEFAULT_METHODS, DEFAULT_PENALTIES, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
COMMANDS = [line for line in SHELL if line.startswith("steepest ")]
QUICK = {"STEEPEST_COMPARE_TRIALS": "1", "STEEPEST_COMPARE_REPLICATES": "2", "STEEPEST_COMPARE_EPOCHS": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the README's examples take for granted: photos of two classes, new ones, and a table."""
    place = tmp_path_factory.mktemp("readme")
    rng = np.random.default_rng(0)
    for i in range(60):
        kind = ("cat", "dog")[i % 2]
        pixels = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8) // (1 + i % 2)
        for where in [place / "photos" / kind, *([place / "new"] if i < 4 else [])]:
            where.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(where / f"{i}.png")
    rows = [f"{rng.normal():.3f},{rng.choice(['north', 'south'])},{'yes' if i % 3 else 'no'}\n" for i in range(90)]
    (place / "customers.csv").write_text("age,region,churned\n" + "".join(rows))
    return place


def test_the_two_commands_come_first():
    assert SHELL[:2] == ["make demo", "make test"]


def test_five_examples():
    section = README.partition("## Five examples")[2].partition("\n## ")[0]
    assert len(re.findall(r"```(?:console|python)\n", section)) == 5


@pytest.mark.timeout(600)
def test_the_commands_run_in_their_order(folder):
    assert len(COMMANDS) >= 4
    environment = {**os.environ, **LOOK, **QUICK, "STEEPEST_HOME": str(folder / "runs")}
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert done.stdout.strip(), command


@pytest.mark.timeout(600)
@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_the_python_runs_and_prints_what_it_says(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    said = re.findall(r"^print\(.*?# → (.*)$", block, re.MULTILINE)
    assert said
    lines = out.getvalue().splitlines()
    assert [line for line in lines if line in said] == said, lines


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_make_target_named_exists(page):
    named = set(re.findall(r"`make ([a-z ]+)`|^\$ make ([a-z]+)", (ROOT / page).read_text("utf-8"), re.MULTILINE))
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {target for pair in named for words in pair for target in words.split()} <= set(targets)


def frame(report: str) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """What no run decides of a report: titles and headings of its tables, how the lines after the verdict begin."""
    lines = report.splitlines()
    rules = [i for i, line in enumerate(lines) if line and set(line) == {"─"}]
    end = next(i for i, line in enumerate(lines) if line.startswith("╰"))
    said = [line.partition(":")[0] for line in lines[end:] if ": " in line]
    titles = [lines[i - 2].partition(";")[0] for i in rules]  # after it: whether any training diverged
    heads = [[word for word in lines[i - 1].split() if word != "diverged"] for i in rules]
    return list(zip(titles, heads)), said


@pytest.mark.timeout(600)
def test_the_quoted_comparison_looks_like_one_of_today(tmp_path):
    [(command, quoted)] = list(quotes(ROOT / "README.md"))
    assert command == "steepest compare digits"
    short = f"{command} --trials 10 --replicates 5 --epochs 1 --methods sgd,adam --penalties none,l2"
    today = printed(short, tmp_path)
    assert len(frame(today)[0]) == 3
    assert frame(quoted) == frame(today), "run `make readme`"


def test_the_quoted_comparison_is_of_all_defaults():
    [(_, quoted)] = list(quotes(ROOT / "README.md"))
    rows = [line.split()[:3] for line in quoted.splitlines()]
    assert all([method, "+", penalty] in rows for method in DEFAULT_METHODS for penalty in DEFAULT_PENALTIES)
    trainings = len(DEFAULT_METHODS) * len(DEFAULT_PENALTIES) * (Settings().trials + 1) * Settings().replicates
    assert f"{trainings:,} trainings" in " ".join(quoted.split())
    assert f"{trainings:,} trainings" in README.partition("## What it prints")[0]


def test_what_is_said_of_the_quoted_verdict():
    [(_, quoted)] = list(quotes(ROOT / "README.md"))
    verdict = " ".join(quoted.partition("─ verdict ─")[2].replace("│", " ").split())
    assert "it is undetermined which of" in verdict
    assert "That is a finding" in README
