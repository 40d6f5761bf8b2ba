"""Settings beside the command line: STEEPEST_* in the environment, then steepest.toml where the command is given."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from cyclopts import App, CycloptsError
from cyclopts.config import Env, Toml

from steepest.core.errors import SettingError, unknown

NAME = "steepest.toml"
PREFIX = "STEEPEST_"
NO_SETTINGS = ("CACHE", "HOME", "PYTHON", "TEST_DATA", "TORTURE_SEED")  # what else the library, its tests and make read


class Environment:
    """STEEPEST_COMPARE_TRIALS before STEEPEST_TRIALS; a variable that no command looks at is refused, not ignored."""

    def __init__(self, root: App) -> None:
        self._root = root
        self._places = [Env(PREFIX, command=command, show=False) for command in (True, False)]

    def __call__(self, app: App, commands: tuple[str, ...], arguments: Any) -> None:
        given = sorted(name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX))
        given = [name for name in given if name not in NO_SETTINGS]
        if not given:
            return
        known = list(variables(self._root))
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, [*known, *NO_SETTINGS], n=1)
                what_to_do = f"did you mean {PREFIX}{near[0]}?" if near else "unset it; no command has such an option"
                raise SettingError(f"unknown environment variable {PREFIX}{name}; {what_to_do}")
        for place in self._places:
            place(app, commands, arguments)


def variables(app: App, commands: tuple[str, ...] = ()) -> Iterator[str]:
    """The variables, without STEEPEST_, that some command takes settings from: each bare and after the command."""
    inner = [name for name in app if not name.startswith("-")]
    for name in inner:
        yield from variables(app[name], (*commands, name))
    if not inner:
        for argument in app.assemble_argument_collection():
            for name in argument.names:
                option = name.lstrip("-").replace("-", "_").upper()
                yield from (option, "_".join((*commands, option)).upper())


class SettingsFile:
    """steepest.toml: a table for each command, [compare] or [runs.list]; a misspelt table is refused, not ignored."""

    def __init__(self, root: App) -> None:
        self._root = root
        self._toml = Toml(NAME, source=NAME)

    def __call__(self, app: App, commands: tuple[str, ...], arguments: Any) -> None:
        try:
            tables = self._toml.config
        except CycloptsError as error:
            raise SettingError(f"{NAME} cannot be read: {error.msg}") from error
        _check_tables(self._root, tables)
        self._toml(app, commands, arguments)


def _check_tables(app: App, tables: Mapping[str, Any]) -> None:
    """Refuse what no command will ever look at."""
    known = [name for name in app if not name.startswith("-")]
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise SettingError(f"{NAME}: {name} = {table!r} stands in no table; write it below [{known[0]}] or another")
        if name not in known:
            raise unknown(f"table in {NAME}", name, known)
        if any(not inner.startswith("-") for inner in app[name]):
            _check_tables(app[name], table)
