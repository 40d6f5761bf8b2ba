"""Replicates made ready: the split's rows, standardised by their own training rows, and the order of each epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from steepest.core.errors import SettingError
from steepest.core.keys import generator, key
from steepest.data.dataset import Dataset
from steepest.data.parts import as_tested
from steepest.data.paths import counted
from steepest.study.settings import GIVEN
from steepest.study.source import OnDisk, Source
from steepest.study.split import (
    TEST_SHARE,
    VALIDATION_SHARE,
    Part,
    Sizes,
    Split,
    sizes_given,
    split,
    split_given,
    usable,
)
from steepest.study.split import sizes as split_sizes
from steepest.train import device
from steepest.train.cache import precision
from steepest.train.population import Replicate
from steepest.train.recipe import Recipe
from steepest.train.state import Rows
from steepest.train.stream import Streamed

REPLICATES_IN_USE = 2  # one block may still be in a replicate when the next replicate's begin


@dataclass(frozen=True)
class Draw:
    """How replicates are drawn, and how long their parts are."""

    seed: int
    sizes: Sizes
    test: float | str = TEST_SHARE  # a share, or "given"
    validation: float = VALIDATION_SHARE
    standardize: bool = False
    dtype: str = "float32"


def draw_of(
    source: Source, seed: int, test: float | str, validation: float, standardize: bool, dtype: str = "float32"
) -> Draw:
    """The Draw for a source; refuses classes too small for it."""
    classes = source.classes or None
    if test == GIVEN:
        lengths = sizes_given(source.y, _given(source), source.groups, validation, classes)
    else:
        lengths = split_sizes(source.y, source.groups, _share(test), validation, classes)
    return Draw(seed, lengths, test, validation, standardize, dtype)


def parts_of(source: Source, draw: Draw, number: int) -> Split:
    """Which rows are for training, validation and testing in one replicate."""
    classes = source.classes or None
    if draw.test == GIVEN:
        return split_given(source.y, _given(source), source.groups, draw.seed, number, draw.validation, classes)
    return split(source.y, source.groups, draw.seed, number, _share(draw.test), draw.validation, classes)


def notes_of(data: Dataset, source: Source, test: float | str) -> tuple[str, ...]:
    """What a user should know of the data, true for how it is tested."""
    if test != GIVEN:
        return data.notes
    left = int(np.sum(~usable(_given(source), source.groups) & ~_given(source)))
    said = (f"{counted(left, 'training row')} left out: duplicates of test rows",) if left else ()
    return as_tested(data.notes, _given(source)) + said


def _given(source: Source) -> np.ndarray:
    if source.given is None or not source.given.any():
        raise SettingError(f"test = 'given', but {source.name} comes without a test set; give a share such as 0.25")
    return source.given


def _share(test: float | str) -> float:
    if isinstance(test, str):
        raise SettingError(f"test = {test!r}; it must be a share in [0, 1), or 'given' for the data's own test rows")
    return test


def rows_bytes(source: Source, draw: Draw) -> int:
    """How many bytes the rows of the replicates in use take."""
    return REPLICATES_IN_USE * sum(draw.sizes) * math.prod(source.X.shape[1:]) * np.dtype(draw.dtype).itemsize


def read_in_parts(source: Source, draw: Draw) -> bool:
    """Whether rows come to be trained on a stretch at a time: they lie on disk, or exceed a GPU's memory."""
    return isinstance(source.X, OnDisk) or not device.holds(device.memory(), rows_bytes(source, draw))


def draw_replicate(source: Source, draw: Draw, number: int) -> Replicate:
    """One replicate: all its draws come from (seed, number), so every recipe of it meets the same chance."""
    parts = parts_of(source, draw, number)
    standard = source.prepared(parts.train.rows, draw.standardize)
    real = parts.train.rows

    def rows(part: Part) -> Rows | None:
        if not len(part):
            return None
        if read_in_parts(source, draw):
            read = partial(source.rows, standard=standard, dtype=draw.dtype)
            shape = (len(part), *source.X.shape[1:])
            X: Any = Streamed(part.index, read, shape, np.dtype(draw.dtype).itemsize)
        else:
            X = jnp.asarray(source.rows(part.index, standard, draw.dtype))
        y = source.labels(part.index).astype(draw.dtype if source.regression else np.int32)
        return Rows(X, jnp.asarray(y), jnp.asarray(part.weight.astype(draw.dtype)))

    def order(epoch: int) -> np.ndarray:
        return generator(draw.seed, number, "order", epoch).permutation(len(real)).astype(np.int32)

    def outputs_of(recipe: Recipe) -> int:
        return recipe.loss.outputs(len(source.classes))

    with precision(draw.dtype):
        train = rows(parts.train)
        assert train is not None
        return Replicate(
            train=train,
            validation=rows(parts.validation),
            test=rows(parts.test),
            key=key(draw.seed, number, "init"),
            noise=key(draw.seed, number, "noise"),
            shape=source.X.shape[1:],
            outputs_of=outputs_of,
            order=order,
            rows=len(real),
            classes=len(source.classes),
            standard=standard,
            limits=partial(source.limits, real, standard, draw.dtype),
            groups=source.groups[real],
        )
