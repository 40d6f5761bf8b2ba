"""The machine that results were measured on, without its name."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path

import psutil

from steepest.train.device import cores

PACKAGES = ("steepest", "jax", "jaxlib", "numpy", "scikit-learn", "joblib", "torch", "pillow")


def machine() -> dict[str, str | int | dict[str, str]]:
    """CPU model, cores, memory, system and versions."""
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
        "load": f"{psutil.getloadavg()[0]:.1f}",
    }


def cpu_model() -> str:
    """The processor's own name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
