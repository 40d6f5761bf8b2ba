"""JAX set up the way steepest needs it: a compilation cache that survives between runs, and no noise for the user."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import jax
import platformdirs


def cache_home() -> Path:
    """The user's cache folder for steepest (STEEPEST_CACHE, or the platform's place). Safe to delete."""
    return Path(os.environ.get("STEEPEST_CACHE") or platformdirs.user_cache_dir("steepest"))


@functools.cache
def prepare() -> None:
    """Turn on the persistent compilation cache, unless the user chose one; called before the first program."""
    logging.getLogger("jax").setLevel(logging.ERROR)
    # an entry that a crash left half written is compiled again and says so in a warning: not the user's business
    warnings.filterwarnings("ignore", message=".*persistent compilation cache.*")
    if jax.config.jax_compilation_cache_dir:
        return
    folder = cache_home() / "programs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a read-only home: programs are compiled anew each time, results are the same
    _drop_damaged(folder)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _drop_damaged(folder: Path) -> None:
    """Delete empty entries, which JAX would stumble over at every run."""
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):
            if entry.is_file() and entry.stat().st_size == 0 and not entry.name.endswith("-atime"):
                entry.unlink()


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Inside, JAX computes in `dtype`; threads each need their own."""
    with jax.enable_x64(True) if dtype == "float64" else contextlib.nullcontext():
        yield
