"""Settings beside the command line: STEEPEST_* in the environment, then steepest.toml where the command is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyclopts import App, CycloptsError
from cyclopts.config import Env, Toml

from steepest.core.errors import SettingError, unknown

NAME = "steepest.toml"
ENVIRONMENT = (Env("STEEPEST_", command=True, show=False), Env("STEEPEST_", command=False, show=False))


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
