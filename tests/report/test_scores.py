"""Tables of scores: aligned, folded to the width there is, harmless whatever a class is called."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from steepest.metrics import report
from steepest.report import scores


def about(classes: list[str], rows: int = 400, seed: int = 0) -> dict:
    chance = np.random.default_rng(seed)
    y = chance.integers(0, len(classes), rows)
    said = np.where(chance.random(rows) < 0.7, y, chance.integers(0, len(classes), rows))
    return scores.scores_dict(report(y, said, classes), "m.safetensors", "photos", ())


def drawn(renderables: list, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(*renderables, sep="\n")
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize(
    "classes",
    [
        ["cat", "dog"],
        [str(k) for k in range(30)],
        [f"a rather long name of class {k}" for k in range(12)],
        ["猫", "犬", "鳥"],
    ],
)
def test_no_count_is_lost_where_the_matrix_is_folded(width, classes):
    found = about(classes)
    lines = drawn(scores.confusion_tables(found, width), width)
    assert max(cell_len(line) for line in lines) <= width
    counts: list[list[int]] = [[] for _ in classes]
    for start in [k for k, line in enumerate(lines) if line.startswith("─")]:
        for i, line in enumerate(lines[start + 1 : start + 1 + len(classes)]):
            label = scores.brief(classes[i])
            label = f"{i} {label}" if line.startswith(f"{i} {label}") else label
            assert line.startswith(label)
            counts[i] += [0 if cell == "·" else int(cell) for cell in line.removeprefix(label).split()]
    assert counts == found["confusion"]


def test_long_matrices_are_headed_by_numbers_that_lead_to_names():
    lines = drawn(scores.confusion_tables(about([f"a rather long name of class {k}" for k in range(12)]), 80), 80)
    assert any(line.startswith("11 a rather long name of c") for line in lines)


def test_the_table_by_class_says_what_was_counted():
    found = scores.scores_dict(report([0, 0, 1, 1], [0, 1, 1, 1], ["cat", "dog"]), "m", "d", ())
    lines = drawn([scores.classes_table(found)], 80)
    assert [line.split() for line in lines if line.startswith(("cat", "dog"))] == [
        ["cat", "100.0", "50.0", "66.7", "2"],
        ["dog", "66.7", "100.0", "80.0", "2"],
    ]
    assert scores.summary(found).plain == "4 rows: accuracy 75.0 %, balanced 75.0 %, macro F1 73.3 %"


def test_hostile_and_long_class_names():
    assert scores.brief("\x1b[2Jcat") == "\\x1b[2Jcat"
    assert scores.brief("x" * 60) == "x" * 23 + "…"
    lines = drawn(scores.scores_lines(about(["[bold]cat[/bold]", "dog"]), 80), 80)
    assert sum("[bold]cat[/bold]" in line for line in lines) >= 2


def test_a_class_without_rows_does_not_count_in_the_means():
    found = scores.scores_dict(report([0, 0, 1, 1], [0, 2, 1, 1], ["cat", "dog", "panda"]), "m", "d", ())
    assert found["macro"]["recall"] == found["balanced"] == 0.75
    assert found["macro"]["precision"] == 1.0
