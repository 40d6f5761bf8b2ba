"""Predictions as lines of CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

FIRST = ("name", "label")


def entries(names: Sequence[str], labels: Sequence[str], shares: Any, classes: Sequence[str]) -> list[dict[str, Any]]:
    """One dict a row; `shares` [rows, classes] or None."""
    made: list[dict[str, Any]] = []
    for i, (name, label) in enumerate(zip(names, labels)):
        one: dict[str, Any] = {"name": str(name), "label": str(label)}
        if shares is not None:
            one["probabilities"] = {c: float(share) for c, share in zip(classes, shares[i])}
        made.append(one)
    return made


def csv_lines(rows: Sequence[dict[str, Any]], classes: Sequence[str] | None) -> Iterator[str]:
    """A heading, then a line a row; a column a class where there are probabilities.

    >>> list(csv_lines([{"name": "a, b.jpg", "label": "cat"}], None))
    ['name,label', '"a, b.jpg",cat']
    """
    yield _csv_line([*FIRST, *(f"p({c})" for c in classes or ())])
    for row in rows:
        shares = [repr(row["probabilities"][c]) for c in classes or ()]
        yield _csv_line([row["name"], row["label"], *shares])


def jsonl_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A JSON object a row."""
    return (json.dumps(row) for row in rows)


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # what can end a line is what the writer quotes
    return text.getvalue().removesuffix("\r\n")
