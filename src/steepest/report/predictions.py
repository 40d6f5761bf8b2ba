"""Predictions as lines of CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

FIRST = ("name", "label")


def entries(
    names: Sequence[str], labels: Sequence[str], shares: Any, classes: Sequence[str], sampled: Any = None
) -> list[dict[str, Any]]:
    """One dict a row; `shares` [rows, classes] or None, `sampled` with `mean` and `spread` [rows, classes] or None."""
    made: list[dict[str, Any]] = []
    for i, (name, label) in enumerate(zip(names, labels)):
        one: dict[str, Any] = {"name": str(name), "label": str(label)}
        if shares is not None:
            one["probabilities"] = _by_class(classes, shares[i])
        if sampled is not None:
            one |= {"mean": _by_class(classes, sampled.mean[i]), "spread": _by_class(classes, sampled.spread[i])}
        made.append(one)
    return made


def _by_class(classes: Sequence[str], values: Any) -> dict[str, float]:
    return {c: float(value) for c, value in zip(classes, values)}


def csv_lines(
    rows: Sequence[dict[str, Any]], classes: Sequence[str], probabilities: bool = False, sampled: bool = False
) -> Iterator[str]:
    """A heading, then a line a row; a column a class for probabilities, and for mean and spread where `sampled`.

    >>> list(csv_lines([{"name": "a, b.jpg", "label": "cat"}], ["cat", "dog"]))
    ['name,label', '"a, b.jpg",cat']
    """
    groups = [("p", "probabilities")] if probabilities else []
    groups += [("mean", "mean"), ("spread", "spread")] if sampled else []
    yield _csv_line([*FIRST, *(f"{short}({c})" for short, _ in groups for c in classes)])
    for row in rows:
        yield _csv_line([row["name"], row["label"], *(repr(row[name][c]) for _, name in groups for c in classes)])


def jsonl_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A JSON object a row."""
    return (json.dumps(row) for row in rows)


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # what can end a line is what the writer quotes
    return text.getvalue().removesuffix("\r\n")
