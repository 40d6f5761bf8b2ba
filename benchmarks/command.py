"""Commands of steepest, run as a user runs them: in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def steepest(*words: str, home: Path, cache: Path, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run `steepest …` to its end; `options` are Python's. Raises RuntimeError with what it said if it fails."""
    environment = os.environ | {"STEEPEST_HOME": str(home), "STEEPEST_CACHE": str(cache)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, *options, "-m", "steepest", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"steepest {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done
