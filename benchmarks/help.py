"""`steepest --help`: how soon it answers, and that JAX stays out of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.command import steepest
from benchmarks.measure import Outcome, interleaved, seconds


def run(rounds: int, small: bool = False) -> Outcome:
    """Target: 0.4 s of CPU, without JAX."""
    del small  # it is as small as can be
    with tempfile.TemporaryDirectory() as place:
        home, cache = Path(place) / "home", Path(place) / "cache"
        imported = steepest("--help", home=home, cache=cache, options=("-X", "importtime")).stderr
        times = interleaved({"help": lambda: steepest("--help", home=home, cache=cache)}, max(rounds, 9))
    packages = {line.rpartition("|")[2].strip().partition(".")[0] for line in imported.splitlines() if "|" in line}
    if "jax" in packages or "jaxlib" in packages:
        raise AssertionError("steepest --help imports JAX")
    line = seconds("steepest --help, CPU time", times["help"].cpu, 0.4)
    return Outcome("steepest --help", [line], times, ["JAX is not imported"])
