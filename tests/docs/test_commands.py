"""docs/commands.md is what the commands say of themselves, word for word."""

from __future__ import annotations

import pytest
from docs.refresh_readme import PAGES, printed, quotes

from steepest.cli.app import build

QUOTED = [(command, text) for page in PAGES for command, text in quotes(page) if "compare digits" not in command]


@pytest.mark.parametrize(("command", "text"), QUOTED, ids=[command for command, _ in QUOTED])
def test_the_documents_quote_what_is_printed_today(command, text, tmp_path):
    assert printed(command, tmp_path) == text, "run `make readme`"


def commands(app, path=("steepest",)):
    """Every command of an application, those of its groups included."""
    yield " ".join(path)
    for name in app:
        if not name.startswith("-"):
            yield from commands(app[name], (*path, name))


def test_every_command_is_documented():
    documented = {command.removesuffix(" --help") for command, _ in QUOTED if command.endswith("--help")}
    assert documented == set(commands(build()))
