"""A user at a terminal: a folder of their own, and commands called in this process."""

from __future__ import annotations

import json
import shlex
from typing import Any, NamedTuple

import pytest

from steepest.cli import main


class Done(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output; NaN is no JSON."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture
def steepest(tmp_path, monkeypatch, capsys):
    """Call `steepest("a command in words", *more)` in a folder without runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEEPEST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def call(words: str, *more: str) -> Done:
        capsys.readouterr()
        code = main([*shlex.split(words), *more])
        return Done(code, *capsys.readouterr())

    return call
