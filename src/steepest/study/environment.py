"""What a run was made by: versions, machine, and the commit of the folder it was started in."""

from __future__ import annotations

import platform
import subprocess

import numpy as np

from steepest.core.version import __version__


def environment() -> dict[str, str]:
    """Versions and machine, kept with each run."""
    import jax
    import sklearn

    from steepest.train import device

    return {
        "git": _git_hash(),
        "steepest": __version__,
        "python": platform.python_version(),
        "jax": jax.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "machine": platform.machine(),
        "system": platform.system(),
        "device": device.name(),
    }


def _git_hash() -> str:
    """The commit of the folder a run is started in, or "" where there is none."""
    try:
        said = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip()
