"""The main job, `steepest compare digits` with all its defaults: 24 candidates × 21 trials × 10 replicates."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from benchmarks.command import steepest
from benchmarks.measure import Outcome, interleaved, seconds

SMALL = ("--trials", "2", "--replicates", "1", "--epochs", "2")


def run(rounds: int, small: bool = False) -> Outcome:
    """Targets: 45 s with nothing cached, 20 s with compiled programs in the cache."""
    words = ("compare", "digits", "--json", *(SMALL if small else ()))
    with tempfile.TemporaryDirectory() as place:
        home, fresh, kept = (Path(place) / name for name in ("home", "fresh", "kept"))
        said: list[str] = []

        def cold() -> None:
            shutil.rmtree(home, ignore_errors=True)
            shutil.rmtree(fresh, ignore_errors=True)
            said.append(steepest(*words, home=home, cache=fresh).stdout)

        def warm() -> None:
            shutil.rmtree(home, ignore_errors=True)
            said.append(steepest(*words, home=home, cache=kept).stdout)

        warm()  # fills the cache
        times = interleaved({"cold": cold, "warm": warm}, rounds, warm=False)
    results = [json.loads(text) for text in said]
    trainings = results[0]["trainings"]
    if any(result["cells"] != results[0]["cells"] for result in results):
        raise AssertionError("the same comparison gave different results")
    what = f"steepest compare digits, {trainings:,} trainings"
    lines = [
        seconds(f"{what}, nothing cached", times["cold"].wall, 45, times["cold"].cpu),
        seconds(f"{what}, programs cached", times["warm"].wall, 20, times["warm"].cpu),
    ]
    return Outcome(what, lines, times, [f"all {len(results)} runs gave the same result; {results[0]['verdict']}"])
