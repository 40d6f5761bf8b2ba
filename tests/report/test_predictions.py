"""Predictions as CSV and JSON lines that any reader reads back."""

from __future__ import annotations

import csv
import io
import json

import numpy as np

from steepest.report.predictions import csv_lines, entries, jsonl_lines

NAMES = ['a, "b".jpg', "zwei\nlines.png", "=1+1", "ümlaut"]
LABELS = ["cat", "dog, big", "cat", "dog, big"]
CLASSES = ["cat", "dog, big"]


def test_csv_reads_back_whatever_the_names_are():
    shares = np.array([[0.9, 0.1], [1 / 3, 2 / 3], [1.0, 0.0], [1e-17, 1.0]])
    rows = entries(NAMES, LABELS, shares, CLASSES)
    read = list(csv.reader(io.StringIO("\n".join(csv_lines(rows, CLASSES, probabilities=True)) + "\n", newline="")))
    assert read[0] == ["name", "label", "p(cat)", "p(dog, big)"]
    assert [row[:2] for row in read[1:]] == [list(pair) for pair in zip(NAMES, LABELS)]
    assert [[float(cell) for cell in row[2:]] for row in read[1:]] == shares.tolist()


def test_json_lines_hold_one_object_each():
    lines = list(jsonl_lines(entries(NAMES, LABELS, None, CLASSES)))
    assert not any("\n" in line for line in lines)
    assert [json.loads(line) for line in lines] == [{"name": n, "label": c} for n, c in zip(NAMES, LABELS)]
