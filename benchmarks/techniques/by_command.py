"""Bagging on digits as a user asks: by `steepest compare`, which searches Adam's rate for both in every replicate.

Seed 1 was spent on networks of 16 units and the declared space of rates: 0.2 ± 2.5 points over 10 replicates.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.command import steepest
from benchmarks.measure import Line

WORDS = (
    "compare", "digits", "--methods", "adam", "--penalties", "none", "--techniques", "none,bagging",
    "--model", "mlp:8", "--space", "adam.rate=0.003:0.03", "--seed", "2",
)  # fmt: skip
HOW = ("--trials", "10", "--replicates", "20", "--epochs", "10")
SMALL = ("--trials", "2", "--replicates", "2", "--epochs", "1")
SHOWN = f"steepest {' '.join([*WORDS, *HOW])}"


def bagging(small: bool) -> list[Line]:
    """Eight networks of 8 units against one."""
    words = (*WORDS, *(SMALL if small else HOW), "--json")
    with tempfile.TemporaryDirectory() as place:
        said = steepest(*words, home=Path(place) / "home", cache=Path(place) / "cache").stdout
    return [line("bagging (8), digits, MLP 8, by steepest compare", json.loads(said))]


def line(what: str, found: dict[str, Any]) -> Line:
    """The comparison's pair of techniques, from the second's side, in points."""
    pair = next(pair for pair in found["pairs"] if pair["factor"] == "technique")
    without, _ = (cell["test"]["mean"] for cell in found["cells"])
    low, high = -100 * pair["high"], -100 * pair["low"]
    return Line(what, f"{100 * without:.1f} % without", -100 * pair["difference"], "points", None, low, high)
