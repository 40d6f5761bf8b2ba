"""JAX set up the way steepest needs it: a compilation cache that survives between runs, and no noise for the user."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import jax
import platformdirs

from steepest.core.atomic import write_atomically
from steepest.core.errors import SteepestError
from steepest.models.products import ROUNDED
from steepest.train import device

ZSTANDARD = b"\x28\xb5\x2f\xfd"  # the first bytes of its files


def cache_home() -> Path:
    """The user's cache folder for steepest (STEEPEST_CACHE, or the platform's place). Safe to delete."""
    return Path(os.environ.get("STEEPEST_CACHE") or platformdirs.user_cache_dir("steepest"))


@functools.cache
def prepare() -> None:
    """Turn on the persistent compilation cache, unless the user chose one; called before the first program."""
    logging.getLogger("jax").setLevel(logging.ERROR)
    # an entry that cannot be read or written is compiled again, and JAX says so in a warning: not the user's business
    warnings.filterwarnings("ignore", message=".*persistent compilation cache.*")
    if jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue] - made when jax is imported
        return
    folder = cache_home() / "programs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drop_damaged(folder)
    except OSError:
        return  # no folder that can be made or read: programs are compiled anew each time, results are the same
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def drop_damaged(folder: Path) -> None:
    """Delete the entries that cannot be read (a crash or a full disk left them half written).

    JAX compiles such a program again at every run, for it never writes over an entry. Entries that were whole, with the
    size and time they had then, are listed beside the folder and not read again.
    """
    listed = folder.with_name(folder.name + "-checked.json")
    known = _listed(listed)
    found = {}
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may have deleted it
            facts = [entry.stat().st_size, entry.stat().st_mtime_ns]
            if known.get(entry.name) == facts or not entry.is_file() or _whole(entry.read_bytes()):
                found[entry.name] = facts
            else:
                entry.unlink()
    if found != known:
        with contextlib.suppress(SteepestError):  # then they are read again next time
            write_atomically(listed, json.dumps(found).encode())


def _listed(path: Path) -> dict[str, list[int]]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _whole(content: bytes) -> bool:
    """Whether an entry can be unpacked (zlib ends in a checksum); what zstandard packed is left for JAX to judge."""
    if content[:4] == ZSTANDARD:
        return True
    try:
        zlib.decompress(content)
    except zlib.error:
        return False
    return True


@contextlib.contextmanager
def precision(dtype: str, products: str = "float32") -> Iterator[None]:
    """Inside, JAX computes in `dtype`, and models multiply as `products` says; threads each need their own.

    A GPU would round the factors of other products on its own (TF32), so there full products are asked for by name. On
    a CPU they are what JAX does unasked.
    """
    full = "float32" if device.accelerated() else None
    wide = jax.enable_x64(True) if dtype == "float64" else contextlib.nullcontext()
    with wide, jax.default_matmul_precision(ROUNDED if products == ROUNDED else full):
        yield
