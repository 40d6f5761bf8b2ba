"""Pictures to train on, where they are: STEEPEST_TEST_DATA, or ../shared/data beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

MISSING = "the animal photos are not here (set STEEPEST_TEST_DATA to the folder that holds animals/)"
CIFAR_MISSING = "CIFAR-10 (JPEG) is not here (set STEEPEST_TEST_DATA to the folder that holds cifar10/)"


def animals() -> Path | None:
    """The folder of the sources' animal photos, or None."""
    return _folder("animals")


def cifar() -> Path | None:
    """The folder of the archives of CIFAR-10 as JPEGs, or None."""
    return _folder("cifar10")


def _folder(name: str) -> Path | None:
    named = os.environ.get("STEEPEST_TEST_DATA")
    folder = (Path(named) if named else Path(__file__).parents[2] / "shared" / "data") / name
    return folder if folder.is_dir() else None
