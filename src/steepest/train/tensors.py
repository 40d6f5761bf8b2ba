"""The tensors of an open safetensors file, each refused unless it is what the model needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.data.paths import shown

TYPES = {"F32": "float32", "F64": "float64"}  # safetensors' names and NumPy's
MOST_EPOCHS = 10_000_000


class Tensors:
    """Names, shapes and types are known before a tensor is read. Every refusal is a DataError."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._names = set(file.keys())

    def only(self, wanted: list[str], prefix: str) -> None:
        """Refuse tensors of this kind that the model has no use for."""
        for name in sorted(self._names):
            if name.startswith(prefix) and name not in wanted:
                raise DataError(f"does not add up: it holds {shown(name)}, which the model lacks")

    def check(self, name: str, shape: tuple[int, ...] | None, kind: str) -> tuple[int, ...]:
        """The shape of a tensor of `kind` ("F32", "F64"); refused where it is another than `shape` (None: any)."""
        if name not in self._names:
            raise DataError(f"does not add up: {shown(name)} is missing")
        part = self._file.get_slice(name)
        have, type_ = tuple(part.get_shape()), str(part.get_dtype())
        if type_ != kind or (shape is not None and have != tuple(shape)):
            wanted = f"{TYPES[kind]} of shape {'any' if shape is None else tuple(shape)}"
            raise DataError(f"does not add up: {shown(name)} is {type_} of shape {have}, and must be {wanted}")
        return have

    def take(self, name: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
        """The tensor, checked and then read."""
        self.check(name, shape, kind)
        return np.array(self._file.get_tensor(name))

    def curve(self, name: str) -> np.ndarray:
        """One number an epoch; NaN may be among them."""
        have = self.check(name, None, "F64")
        if len(have) != 1 or have[0] > MOST_EPOCHS:
            raise DataError(f"does not add up: {shown(name)} has shape {have}, and must have one number an epoch")
        return self.take(name, have, "F64")
