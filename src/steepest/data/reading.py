"""How a source is to be read: the settings of `open`, once, for all that reads."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.data.labels import Labels

COLORS = ("rgb", "grey")
MISSING = ("error", "mean", "drop")


@dataclass(frozen=True)
class Reading:
    """How a source is to be read; see `open` for what each setting means.

    Raises SettingError for a setting out of its range, by name.

    >>> Reading(size=16, raw=True).chosen
    {'size': 16, 'raw': True}
    """

    label: Labels | None = None
    size: int = 32
    color: str | None = None
    raw: bool = False
    missing: str = "error"
    drop: tuple[str, ...] = ()
    max_categories: int = 50
    strict: bool = False
    samples: int | None = None

    def __post_init__(self) -> None:
        for name in ("label", "drop"):  # any sequence of names, a list of JSON too
            if not isinstance(getattr(self, name), str | None):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        if isinstance(self.size, bool) or not isinstance(self.size, int) or not 1 <= self.size <= 1024:
            raise SettingError(f"size = {self.size!r}; it must be a whole number of pixels in [1, 1024]")
        if self.color not in (None, *COLORS):
            raise unknown("color", str(self.color), COLORS)
        if self.missing not in MISSING:
            raise unknown("missing", str(self.missing), MISSING)
        most = self.max_categories
        if isinstance(most, bool) or not isinstance(most, int) or most < 2:
            raise SettingError(f"max_categories = {most!r}; it must be a whole number of at least 2")

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings that are not as they are by default, ready for JSON; `Reading(**chosen)` gives them back."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
