"""Sizes that a file declares are checked against what this machine can hold, before anything is allocated."""

from __future__ import annotations

from steepest.core.errors import DataError

SHARE = 0.5  # of the memory that is free: the trainings need the rest
MOST_DEFLATED = 1032  # deflate cannot shrink more than this, so a larger ratio is a lie about the size


def fits(needed: int) -> bool:
    """Whether so many bytes take no more than half of the free memory."""
    import psutil

    return needed <= SHARE * psutil.virtual_memory().available


def check_fits(needed: int, what: str, remedy: str) -> None:
    """Refuse what would take more than half of the free memory. `needed` in bytes."""
    import psutil

    free = psutil.virtual_memory().available
    if needed > SHARE * free:
        gib = 1 << 30
        raise DataError(f"{what} needs {needed / gib:,.1f} GiB of memory and {free / gib:,.1f} GiB are free; {remedy}")


def check_ratio(declared: int, compressed: int, what: str) -> None:
    """Refuse a compressed file that declares more bytes than it can hold. Both in bytes."""
    if declared > MOST_DEFLATED * compressed + 4096:
        raise DataError(
            f"{what} declares {declared:,} bytes in {compressed:,} compressed ones, which cannot be true; refused"
        )
