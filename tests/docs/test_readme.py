"""What README.md shows must run: its Python, its commands in their order, its make targets; its outputs are today's."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from docs.refresh_readme import LOOK, PAGES, ROOT, printed, quotes
from PIL import Image

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


def shape(line: str) -> str:
    """A line of a report without what a run decides: numbers, signs, blanks and rules."""
    return re.sub(r"[\d.,%±+−\-–\s─━═│┃…]+", " ", line).strip()


@pytest.mark.timeout(600)
def test_the_quoted_comparison_is_what_compare_prints_today(tmp_path):
    """Numbers apart: a short run has every heading, row and table of the quoted one, in its order."""
    [(command, quoted)] = list(quotes(ROOT / "README.md"))
    assert command == "steepest compare digits"
    short = f"{command} --trials 10 --replicates 5 --epochs 1 --methods sgd,adam --penalties none,l2"
    today = [shape(line) for line in printed(short, tmp_path).splitlines()]
    shown = [shape(line) for line in quoted.splitlines()]
    missing = [line for line in headings(today) if line not in shown]
    assert missing == [], "run `make readme`"
    assert "on your data" in quoted


def headings(lines: list[str]) -> list[str]:
    """The lines that no run decides: headings of tables and sections."""
    return [line for line in lines if re.fullmatch(r"[A-Za-z ]+:?", line) and len(line.split()) > 1]


def test_every_line_of_the_documents_fits():
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        long = [line for line in Path(page).read_text(encoding="utf-8").splitlines() if len(line) > 125]
        assert long == [], page
