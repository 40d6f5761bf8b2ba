"""Training on 20 GB of cached pictures, in a sparse file: how much memory is resident."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Line, Outcome, Times

SIDE = 128
WHOLE = 20 * 10**9
CHILD = """
import re, sys
from pathlib import Path
import numpy as np
import steepest as st
from steepest.data.dataset import Dataset
from steepest.data.schema import Schema
from steepest.study.fit import fit
path, rows, side = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
X = np.memmap(path, np.uint8, "r", shape=(rows, side, side, 3))
alone = np.arange(rows, dtype=np.int32)
data = Dataset("sparse", X, alone % 2, ("a", "b"), alone, "0" * 32, Schema("images", X.shape[1:], top=255.0))
found = fit(data, st.Recipe(batch_size=256), epochs=1)
assert found.status == "finished"
print(1024 * int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]))
"""


def run(rounds: int, small: bool = False) -> Outcome:
    """Target: under 3 GB resident, the mapped file's own pages (which the system takes back at need) among them."""
    del rounds  # memory is the same every time
    rows = WHOLE // (SIDE * SIDE * 3) // (100 if small else 1)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "pixels"
        with path.open("wb") as file:
            file.truncate(rows * SIDE * SIDE * 3)
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(path), str(rows), str(SIDE)], capture_output=True, text=True, check=True
        )
        seconds = time.perf_counter() - began
    what = f"{rows:,} pictures of {SIDE}×{SIDE}×3, {rows * SIDE * SIDE * 3 / 1e9:.0f} GB, one epoch"
    line = Line(what, "resident at most", int(done.stdout) / 1e9, "GB", 3.0)
    return Outcome(what, [line], {"steepest": Times([seconds])}, [f"took {seconds:,.0f} s"])
