"""How a source was read, so that new rows can be read the same way: what a model file must hold to predict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from steepest.core.errors import DataError

KINDS = ("table", "images", "array")


@dataclass(frozen=True)
class Column:
    """A column of a table: numeric, or text with the categories that became one-hot features."""

    name: str
    categories: tuple[str, ...] | None = None

    @property
    def width(self) -> int:
        """How many features it gives."""
        return 1 if self.categories is None else len(self.categories)


@dataclass(frozen=True)
class Schema:
    """How rows of a source become features. `shape`: a row's shape, (D,) or (H, W, C); `top`: the value of full white;
    `label` and, where there are several tasks, `further`: the label columns.

    >>> Schema("table", (3,), columns=(Column("age"), Column("colour", ("blue", "red")))).feature_names
    ('age', 'colour=blue', 'colour=red')
    """

    kind: str
    shape: tuple[int, ...]
    columns: tuple[Column, ...] = ()
    label: str | None = None
    missing: str = "error"
    top: float = 1.0
    raw: bool = False
    further: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The label columns, the first in front; none where labels are no column."""
        return () if self.label is None else (self.label, *self.further)

    @property
    def size(self) -> int | None:
        """The side that images are resized to, None for a table."""
        return self.shape[0] if self.kind == "images" else None

    @property
    def channels(self) -> int | None:
        """1 for grey and 3 for colour images, None for a table."""
        return self.shape[-1] if self.kind == "images" else None

    @property
    def features(self) -> int:
        """How many features a row has."""
        return int(np.prod(self.shape))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each feature of a table; `x[3]` or `x[4, 5, 0]` where the source names none."""
        if not self.columns:
            return tuple(f"x[{', '.join(map(str, index))}]" for index in np.ndindex(*self.shape))
        names: list[str] = []
        for column in self.columns:
            names += [column.name] if column.categories is None else [f"{column.name}={c}" for c in column.categories]
        return tuple(names)

    @property
    def standardised(self) -> np.ndarray:
        """bool [features]: which features are standardised: not the one-hot ones, and none with `raw`."""
        if self.raw or not self.columns:
            return np.full(self.features, not self.raw)
        return np.concatenate([np.full(column.width, column.categories is None) for column in self.columns])

    def scaled(self, X: np.ndarray) -> np.ndarray:
        """float32 [rows, features]: pixels as 0..1 (as they are with `raw`), everything else unchanged."""
        rows = X.reshape(len(X), -1).astype(np.float32)
        if not self.raw and self.top != 1.0:
            rows /= np.float32(self.top)  # in place: at 60,000 photos a second copy is 737 MB
        return rows

    def to_json(self) -> dict[str, Any]:
        """A dict of plain values; `from_json` gives the same schema back."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Any) -> Schema:
        """The schema that `to_json` gave; DataError where something else is found."""
        try:
            columns = tuple(
                Column(str(c["name"]), None if c["categories"] is None else tuple(map(str, c["categories"])))
                for c in stored["columns"]
            )
            shape = tuple(int(n) for n in stored["shape"])
            label = None if stored["label"] is None else str(stored["label"])
            further = tuple(map(str, stored.get("further", ())))  # not in files from before there were several tasks
            made = cls(
                stored["kind"], shape, columns, label, stored["missing"], float(stored["top"]), bool(stored["raw"]),
                further,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the stored schema cannot be read ({type(error).__name__}: {error})") from error
        widths = sum(column.width for column in columns)
        if made.kind not in KINDS or not shape or min(shape) < 1 or (columns and widths != made.features):
            raise DataError(f"the stored schema does not add up: kind {made.kind!r}, shape {shape}, {widths} columns")
        return made
