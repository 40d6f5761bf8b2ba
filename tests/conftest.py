"""What holds for all tests: nothing of the user's is touched, and what needs a process of its own gets one.

`pytest` alone runs the tests of float32. Those of float64 (tests/x64, tests/parity) change JAX for their whole process
and tests/torture kills processes for minutes: each runs only where it is named, `pytest tests/x64`.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path

import psutil
import pytest
from sklearn.datasets import load_wine

ALONE = [Path(__file__).parent / name for name in ("x64", "parity", "torture", "mutants")]

MOST_RESIDENT = 1_200_000_000  # bytes


def _home(config: pytest.Config, arg: str) -> Path | None:
    """The folder of ALONE in which an argument of the command line lies, if it does in one."""
    path = (config.invocation_params.dir / arg.partition("::")[0]).resolve()
    return next((folder for folder in ALONE if path.is_relative_to(folder)), None)


def pytest_configure(config: pytest.Config) -> None:
    homes = {_home(config, arg) for arg in config.args}
    if len(homes) > 1:
        name = min(home.name for home in homes if home)
        raise pytest.UsageError(f"tests/{name} runs in a process of its own; name nothing beside it")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    alone = collection_path in ALONE and collection_path not in {_home(config, arg) for arg in config.args}
    return True if alone else None


@pytest.fixture(autouse=True, scope="module")
def programs_are_freed():
    """What a module has compiled goes with it once it fills memory; the cache on disk has what is needed again."""
    yield
    if "jax" in sys.modules and psutil.Process().memory_info().rss > MOST_RESIDENT:
        sys.modules["jax"].clear_caches()
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # else the system gets little of it back


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory):
    """Runs and caches of the tests lie in a temporary folder, also those of commands that a test starts."""
    place = tmp_path_factory.mktemp("steepest")
    base = tmp_path_factory.getbasetemp()
    # workers of pytest-xdist share compiled programs: compiling is most of what the tests cost
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEEPEST_HOME", str(place / "runs"))
        patch.setenv("STEEPEST_CACHE", str(shared / "steepest-cache"))
        yield place


@pytest.fixture(scope="session")
def wine_lines() -> list[str]:
    """A CSV of wine's chemistry, its cultivar, and whether it is strong, which the column of alcohol would tell."""
    found = load_wine()
    lines = [",".join([*(name.replace("/", " ") for name in found.feature_names), "cultivar", "strength"])]
    for row, kind in zip(found.data, found.target):
        lines.append(",".join([*map(repr, row.tolist()), f"kind {kind}", "strong" if row[0] > 13 else "light"]))
    return lines
