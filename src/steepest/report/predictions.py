"""Predictions as lines of CSV or JSON."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

Task = tuple[str, Sequence[str]]  # its name and its classes


def entries(
    names: Sequence[str],
    labels: Sequence[Any],
    shares: Any,
    classes: Sequence[str],
    sampled: Any = None,
    tasks: Sequence[Task] = (),
) -> list[dict[str, Any]]:
    """One dict a row; `shares` [rows, classes] or None, `sampled` with `mean` and `spread` [rows, classes] or None.

    Of several tasks a row's labels are a tuple, and what it says is by task, and by class of that.
    """
    made: list[dict[str, Any]] = []
    for i, (name, label) in enumerate(zip(names, labels)):
        one: dict[str, Any] = {"name": str(name)}
        one |= {"labels": dict(zip((task for task, _ in tasks), label))} if tasks else {"label": str(label)}
        if shares is not None:
            one["probabilities"] = _by_class(classes, shares[i], tasks)
        if sampled is not None:
            one["mean"] = _by_class(classes, sampled.mean[i], tasks)
            one["spread"] = _by_class(classes, sampled.spread[i], tasks)
        made.append(one)
    return made


def _by_class(classes: Sequence[str], values: Any, tasks: Sequence[Task]) -> dict[str, Any]:
    if not tasks:
        return {c: float(value) for c, value in zip(classes, values)}
    coming = iter(values)
    return {task: _by_class(own, list(itertools.islice(coming, len(own))), ()) for task, own in tasks}


def csv_lines(
    rows: Sequence[dict[str, Any]],
    classes: Sequence[str],
    probabilities: bool = False,
    sampled: bool = False,
    tasks: Sequence[Task] = (),
) -> Iterator[str]:
    """A heading, then a line a row; a column a class for probabilities, and for mean and spread where `sampled`.

    Of several tasks: a column label(TASK) for each, and p(TASK=CLASS).

    >>> list(csv_lines([{"name": "a, b.jpg", "label": "cat"}], ["cat", "dog"]))
    ['name,label', '"a, b.jpg",cat']
    """
    groups = [("p", "probabilities")] if probabilities else []
    groups += [("mean", "mean"), ("spread", "spread")] if sampled else []
    if tasks:
        first = [f"label({task})" for task, _ in tasks]
        columns = [(f"{task}={c}", (task, c)) for task, own in tasks for c in own]
    else:
        first = ["label"]
        columns = [(c, (c,)) for c in classes]
    yield _csv_line(["name", *first, *(f"{short}({called})" for short, _ in groups for called, _ in columns)])
    for row in rows:
        labels = row["labels"].values() if tasks else [row["label"]]
        yield _csv_line([row["name"], *labels, *(_cell(row[name], keys) for _, name in groups for _, keys in columns)])


def _cell(values: Any, keys: Sequence[str]) -> str:
    for key in keys:
        values = values[key]
    return repr(values)


def jsonl_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A JSON object a row."""
    return (json.dumps(row) for row in rows)


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # what can end a line is what the writer quotes
    return text.getvalue().removesuffix("\r\n")
