"""docs/techniques.md: its Python runs from first line to last, and every technique and public function is named."""

from __future__ import annotations

import re

from docs.refresh_readme import ROOT

import steepest
from steepest.techniques import TECHNIQUES

TEXT = (ROOT / "docs" / "techniques.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_its_python_runs(capsys):
    exec("\n".join(BLOCKS), {})
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "(2, 1)"
    assert float(said[1]) > 0.7
    assert float(said[2]) > 0.5
    assert said[3] == "(1697, 2)"
    assert float(said[-1]) > 0.6
    assert len(said[4].strip("[]").split()) == 5


def test_every_technique_is_named():
    for name in TECHNIQUES.names():
        assert name in TEXT, name
    for name in ("pretrain", "SharedMLP", "TangentDistance", "ManifoldTangentClassifier", "MultiTaskClassifier"):
        assert f"st.{name}" in TEXT
        assert hasattr(steepest, name)
