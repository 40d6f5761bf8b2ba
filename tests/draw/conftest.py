"""Pictures as they were drawn."""

import pytest

from steepest.draw import canvas, curves, scatter


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were drawn, beside their files."""
    kept = []

    def keep(figure, path):
        kept.append(figure)
        return canvas.write_figure(figure, path)

    for module in (curves, scatter):
        monkeypatch.setattr(module, "write_figure", keep)
    return kept
