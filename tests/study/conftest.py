"""What several tests of studies read."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def wine(tmp_path_factory, wine_lines):
    """A table with two columns that may be labels."""
    path = tmp_path_factory.mktemp("wine") / "wine.csv"
    path.write_text("\n".join(wine_lines))
    return path
