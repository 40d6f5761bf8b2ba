"""Settings beside the command line: STEEPEST_* in the environment, then steepest.toml where the command is given."""

from __future__ import annotations

from typing import Any

from cyclopts.config import Env, Toml

from steepest.core.errors import SettingError, unknown

NAME = "steepest.toml"


class _File:
    """steepest.toml: a table for each command, [compare] or [runs.list]; a misspelt table is refused, not ignored."""

    def __init__(self) -> None:
        self._toml = Toml(NAME, search_parents=False)

    def __call__(self, app: Any, commands: tuple[str, ...], arguments: Any) -> None:
        root = app.app_stack.stack[0][0]
        known = [name for name in root if not name.startswith("-")]
        for name, table in self._toml.config.items():
            if name not in known:
                raise unknown(f"table in {NAME}", name, known)
            if not isinstance(table, dict):
                raise SettingError(f"{NAME}: {name} = {table!r} stands outside; write it into a table, as in [{name}]")
        self._toml(app, commands, arguments)


ENVIRONMENT = (Env("STEEPEST_", command=True, show=False), Env("STEEPEST_", command=False, show=False))
FILE = _File()
