"""`python -m benchmarks [name …] [--rounds N]`: run benchmarks, print what they find, and store it."""

from __future__ import annotations

import argparse
import importlib
import sys

from benchmarks.measure import ROUNDS
from benchmarks.results import shown, write

NAMES = (
    "grid_digits", "grid_wide", "one_recipe", "mlp_adam", "cnn", "augment", "compare_digits", "help", "images",
    "animals", "techniques",
)  # fmt: skip
LONG = ("animals_cnn", "cifar", "resnet", "streaming")  # half an hour to hours each: only when named


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"of {', '.join(NAMES)} (all of these if none is given), {', '.join(LONG)}",
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"timed runs of each (default {ROUNDS})")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to see that all works; nothing is stored")
    given = parser.parse_args()
    strange = [name for name in given.names if name not in NAMES + LONG]
    if strange:
        parser.error(f"no benchmark {strange[0]!r}; there are {', '.join(NAMES + LONG)}")
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    broken = 0
    for name in given.names or NAMES:
        print(name, flush=True)
        outcome = importlib.import_module(f"benchmarks.{name}").run(given.rounds, given.small)
        if outcome.skipped:
            print(f"  skipped: {outcome.skipped}", flush=True)
            continue
        for line in outcome.lines:
            print(shown(line), flush=True)
        for note in outcome.notes:
            print(f"  {note}", flush=True)
        broken += sum(line.met is False for line in outcome.lines)
        if not given.small:
            write(name, outcome)
    return 1 if broken and not given.small else 0


if __name__ == "__main__":
    sys.exit(main())
