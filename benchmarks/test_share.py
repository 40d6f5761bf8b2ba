"""Which share of the rows should be the test part? False positives and power of the comparison, by simulation.

    python benchmarks/test_share.py [studies]

The studies are those of tests/study/test_statistics_gate.py, with a fifth of what the test part leaves held back for
validation. The last line finds the difference at which corrected 10×10 cross-validation has a power of .64, which the
gate's power is pinned to.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
from scipy import special

GATE = Path(__file__).parents[1] / "tests" / "study" / "test_statistics_gate.py"
SHARES = (0.10, 0.15, 0.20, 0.25, 0.30, 0.40)


def load_gate():
    """The gate's simulation, from the test file itself, so that there is one of it."""
    described = importlib.util.spec_from_file_location("gate", GATE)
    if described is None or described.loader is None:
        raise SystemExit(f"{GATE} cannot be loaded")
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def rejected(scores: np.ndarray, ratio: float) -> float:
    """How often the corrected test finds the two methods different: compare_paired for all studies at once."""
    d = scores[:, :, 0] - scores[:, :, 1]
    t = d.mean(1) / np.sqrt((1 / d.shape[1] + ratio) * d.var(1, ddof=1).clip(1e-24))
    return float(np.mean(2 * special.stdtr(d.shape[1] - 1, -np.abs(t)) <= 0.05))


def cross_validation(half: int, repeats: int = 10, folds: int = 10):
    """The masks of repeated cross-validation, in the gate's form."""

    def draw(rng, studies):
        rank = rng.random((studies, repeats, 2, half), dtype=np.float32).argsort(-1).argsort(-1)
        test = np.concatenate([rank * folds // half == fold for fold in range(folds)], axis=1)
        return ~test, test

    return draw


def main(studies: int) -> None:
    gate = load_gate()
    error = np.sqrt(0.05 * 0.95 / studies)
    print(f"300 rows, {studies} studies an entry, level .05; Monte-Carlo error {error:.4f} at .05")
    print("test share | false positives 5, 10, 20 replicates | power 5, 10, 20 replicates")
    for share in SHARES:
        test = round(share * gate.HALF)
        validation = round(0.2 * (gate.HALF - test))
        draw = gate.fresh_splits(20, test, validation)
        ratio = test / (gate.HALF - test - validation)
        rows = []
        for number, signals in enumerate(((gate.SIGNAL, gate.SIGNAL), (gate.BETTER_SIGNAL, gate.SIGNAL))):
            scores = gate.simulate(np.random.default_rng([number, test]), studies, signals, draw)
            rows.append("  ".join(f"{rejected(scores[:, :s], ratio):.3f}" for s in (5, 10, 20)))
        print(f"{share:10.2f} | {rows[0]:>36} | {rows[1]}", flush=True)
    for signal in (1.95, 2.0, 2.05):
        rng = np.random.default_rng(99)
        scores = gate.simulate(rng, studies // 2, (signal, gate.SIGNAL), cross_validation(gate.HALF))
        print(f"10×10 cross-validation, signal {signal}: power {rejected(scores, 1 / 9):.3f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6000)
