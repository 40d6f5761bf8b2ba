"""Registries: plain dicts from a name to an import path, resolved on use, so that help texts need no JAX.

    METHODS = Registry("method", {"adam": "steepest.methods.adam:Adam", …})
    METHODS["adam"]            # → the class, imported now
    METHODS.names()            # → imports nothing

A third party's package adds names by the entry-point group of the registry.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any

from steepest.core.errors import unknown


class Registry(Mapping[str, Any]):
    """Name → class, imported on first use; third parties add names by the entry-point group `steepest.<plural>`."""

    def __init__(self, what: str, paths: dict[str, str], group: str | None = None) -> None:
        self.what = what
        self._paths = dict(paths)
        self._group = group

    def _all(self) -> dict[str, str]:
        if self._group is not None:
            group, self._group = self._group, None
            for point in entry_points(group=group):
                self._paths.setdefault(point.name, point.value)
        return self._paths

    def __getitem__(self, name: str) -> Any:
        paths = self._all()
        if name not in paths:
            raise unknown(self.what, name, paths)
        module, _, attribute = paths[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def names(self) -> list[str]:
        """Every name, in the order declared."""
        return list(self._all())

    def name_of(self, value: Any) -> str:
        """The registered name of an instance or a class, or its class's name where it has none."""
        cls = value if isinstance(value, type) else type(value)
        for name, path in self._all().items():
            if path == f"{cls.__module__}:{cls.__qualname__}":
                return name
        return cls.__name__

    def __repr__(self) -> str:
        return f"<{self.what}s: {', '.join(self.names())}>"
