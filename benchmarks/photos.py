"""The sources' animal photos, where they are: STEEPEST_TEST_DATA, or ../shared/data beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

MISSING = "the animal photos are not here (set STEEPEST_TEST_DATA to the folder that holds animals/)"


def animals() -> Path | None:
    """The folder of the photos, or None."""
    named = os.environ.get("STEEPEST_TEST_DATA")
    folder = (Path(named) if named else Path(__file__).parents[2] / "shared" / "data") / "animals"
    return folder if folder.is_dir() else None
