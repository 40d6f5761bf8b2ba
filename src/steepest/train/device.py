"""What JAX computes on: whether it is a CPU, how many blocks train side by side there, and how much memory is free."""

from __future__ import annotations

import os
from collections.abc import Mapping

import jax
import psutil


def accelerated() -> bool:
    """Whether JAX computes on something else than the CPU: a GPU, mostly."""
    return jax.default_backend() != "cpu"


def name() -> str:
    """What JAX calls the device, as "cpu" or "NVIDIA H100 80GB HBM3"."""
    return jax.local_devices()[0].device_kind


def workers(threads: int, elsewhere: bool, cores: int) -> int:
    """How many threads train a block each: those asked for (0: what suits), one a core, or one where a GPU computes.

    Two programs on one GPU take turns, and each needs its own memory.

    >>> workers(0, False, 8), workers(0, True, 8), workers(3, True, 8)
    (8, 1, 3)
    """
    return threads or (1 if elsewhere else cores)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> Mapping[str, int] | None:
    """What a GPU says of its own memory; None where rows and weights lie in the machine's."""
    return jax.local_devices()[0].memory_stats() if accelerated() else None


def free_bytes(stats: Mapping[str, int] | None) -> int:
    """How many bytes trainings can still have: of a GPU by what it says, else of the machine's memory.

    >>> free_bytes({"bytes_limit": 60, "bytes_in_use": 20})
    40
    """
    if not stats or "bytes_limit" not in stats:
        return psutil.virtual_memory().available
    return max(0, stats["bytes_limit"] - stats.get("bytes_in_use", 0))


def holds(stats: Mapping[str, int] | None, needed: int) -> bool:
    """Whether rows of `needed` bytes may lie on the device: all do on a CPU, on a GPU those that leave half of it free.

    >>> holds(None, 10**15), holds({"bytes_limit": 60}, 30), holds({"bytes_limit": 60}, 31)
    (True, True, False)
    """
    return not stats or "bytes_limit" not in stats or 2 * needed <= stats["bytes_limit"]
