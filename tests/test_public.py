"""The public names: each resolves, the type stub names the same ones, and importing them all lazily needs no JAX."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import steepest as st


def test_every_public_name_resolves():
    missing = [name for name in st.__all__ if getattr(st, name, None) is None]
    assert missing == []
    assert list(st.__all__) == sorted(st.__all__)


def test_the_stub_names_what_the_module_gives():
    stub = Path(st.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    assert sorted(re.findall(r"import \w+ as (\w+)", stub)) == list(st.__all__)


def test_importing_needs_no_engine():
    code = "import sys, steepest, steepest.methods; print('jax' in sys.modules, steepest.METHODS.names()[0])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "gd"]
