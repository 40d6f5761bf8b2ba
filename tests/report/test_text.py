"""Numbers as people read them."""

from __future__ import annotations

import pytest

from steepest.report import text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "< 1 s"),
        (1.0, "1 s"),
        (119.4, "119 s"),
        (150, "2 min"),
        (3569, "59 min"),
        (3600, "1 h 0 min"),
        (7290, "2 h 2 min"),
    ],
)
def test_durations(seconds, said):
    assert text.duration(seconds) == said


@pytest.mark.parametrize(
    ("rate", "said"),
    [(0.0, "compiling"), (950.0, "950 examples/s, 3 s left"), (24_600, "25 k examples/s, 3 s left"),
     (9_999.0, "9,999 examples/s, 3 s left"), (4.25e6, "4.2 M examples/s, 3 s left")],
)  # fmt: skip
def test_speeds(rate, said):
    assert text.epochs_words(rate, 3.0) == said


def test_shares_and_settings():
    assert text.percent(0.99951) == "100.0"
    assert text.percent(float("nan")) == "–"
    assert text.settings({"rate": 0.000123456, "patience": 5}) == "rate 0.000123, patience 5"
