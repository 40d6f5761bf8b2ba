"""Replicates' splits: train, validation and test rows, stratified by class, groups of duplicates kept whole.

Every replicate of a study has parts of the same length, so that one compiled program serves them all. Lengths depend
on (y, groups, shares) alone. The number of *groups* drawn from each class is fixed. So that their rows vary
little, they are drawn systematically from the class's groups in order of size (in random order where of one size):
every group is as likely as any other, and each size is met by its share. What still varies is filled up by row 0 with
weight 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from steepest.core.errors import DataError, SettingError
from steepest.core.keys import generator

# By simulated power at a kept error rate (benchmarks/test_share.py; 300 rows, a fifth of the rest for validation,
# 6,000 studies an entry, Monte-Carlo error about .006 on the powers), 5 / 10 / 20 replicates:
#     test share         .10             .15             .20             .25             .30             .40
#     power         .18 .31 .42     .21 .35 .46     .24 .38 .48     .28 .41 .48     .27 .40 .48     .28 .40 .46
#     false pos.    .05 .03 .03     .04 .03 .03     .04 .03 .03     .04 .03 .03     .03 .02 .02     .03 .02 .02
# A smaller test part lowers n_test/n_train but adds more noise to each replicate than it takes away; a larger one
# takes training rows.
TEST_SHARE = 0.25
VALIDATION_SHARE = 0.2  # of what the test part leaves

_TRAIN, _VALIDATION, _TEST = 0, 1, 2


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Rows of one part: `index` int32 [n] in rising order, `weight` float32 [n].

    A weight is 1 for a row and 0 for the filling at the end.
    """

    index: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    @property
    def rows(self) -> np.ndarray:
        """The row numbers without the filling."""
        return self.index[self.weight > 0]


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """One replicate's three parts; no row is in two of them, and every row is in one."""

    train: Part
    validation: Part
    test: Part


class Sizes(NamedTuple):
    """The lengths of the three parts, filling included: the same in every replicate."""

    train: int
    validation: int
    test: int


def split(
    y: Any,
    groups: Any = None,
    seed: int = 0,
    replicate: int = 0,
    test: float = TEST_SHARE,
    validation: float = VALIDATION_SHARE,
    classes: Sequence[str] | None = None,
) -> Split:
    """The split of one replicate: `test` of each class's groups, then `validation` of the rest, by (seed, replicate).

    **Shapes** y [rows]: class numbers 0, 1, … (stratified) or float targets (one stratum). groups [rows] of any
    sortable kind, or None where every row stands alone; rows of one group stay together. A group that spans classes
    counts for its rarest. Shares lie in [0, 1), of groups; 0 makes a part empty. Within a class every group is as
    likely as any other. A class of at least 3 groups is in every part (of those asked for), one of 2 groups in the
    training and test part.

    **Raises** DataError naming a class (by `classes`, where given) that has no rows, or only one group to be split;
    SettingError for a share out of range.

    **Differs from** sklearn's StratifiedShuffleSplit: which classes round up is fixed by their sizes and not drawn,
    for sizes must not depend on the draw; and groups are kept whole.

    >>> parts = split(np.repeat([0, 1, 2], 50), seed=1, replicate=2)
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (90, 22, 38)
    """
    plan = _plan(y, groups, test, validation, classes)
    chance = generator(seed, replicate, "split")
    order = np.lexsort((chance.random(len(plan.stratum)), plan.members, plan.stratum))
    stratum = plan.stratum[order]
    counts = np.stack([plan.counts[:, _TEST], plan.counts[:, _VALIDATION]])
    part = np.full(len(order), _TRAIN)
    for name, wanted in zip((_TEST, _VALIDATION), counts):
        left = np.flatnonzero(part == _TRAIN)
        part[left[_systematic(stratum[left], wanted, chance)]] = name
    of_group = np.empty_like(part)
    of_group[order] = part
    of_row = of_group[plan.group]
    return Split(
        train=_part(of_row == _TRAIN, plan.sizes.train),
        validation=_part(of_row == _VALIDATION, plan.sizes.validation),
        test=_part(of_row == _TEST, plan.sizes.test),
    )


def split_given(
    y: Any,
    given: Any,
    groups: Any = None,
    seed: int = 0,
    replicate: int = 0,
    validation: float = VALIDATION_SHARE,
    classes: Sequence[str] | None = None,
) -> Split:
    """The split of one replicate where the test rows are given: `validation` of the others is drawn.

    **Shapes** given [rows] bool: the test rows, the same in every replicate. Rows that are duplicates of a test row
    (of its group) are in no part: they would tell the answers. All else as in `split`.
    """
    here = np.flatnonzero(usable(given, groups))
    drawn = split(np.asarray(y)[here], _of(groups, here), seed, replicate, 0, validation, classes)
    test = np.asarray(given, bool)
    return Split(
        train=Part(here[drawn.train.index].astype(np.int32), drawn.train.weight),
        validation=Part(here[drawn.validation.index].astype(np.int32), drawn.validation.weight),
        test=_part(test, int(test.sum())),
    )


def sizes_given(
    y: Any, given: Any, groups: Any = None, validation: float = VALIDATION_SHARE, classes: Sequence[str] | None = None
) -> Sizes:
    """The lengths of the parts that `split_given` gives in every replicate."""
    here = np.flatnonzero(usable(given, groups))
    lengths = sizes(np.asarray(y)[here], _of(groups, here), 0, validation, classes)
    return lengths._replace(test=int(np.sum(given)))


def usable(given: Any, groups: Any = None) -> np.ndarray:
    """Which rows [rows] may be trained on: no test row, and no duplicate of one."""
    test = np.asarray(given, bool)
    return ~test if groups is None else ~np.isin(np.asarray(groups), np.asarray(groups)[test])


def _of(groups: Any, here: np.ndarray) -> Any:
    return None if groups is None else np.asarray(groups)[here]


def sizes(
    y: Any,
    groups: Any = None,
    test: float = TEST_SHARE,
    validation: float = VALIDATION_SHARE,
    classes: Sequence[str] | None = None,
) -> Sizes:
    """The lengths of the parts that `split` gives for this data in every replicate, without drawing one."""
    return _plan(y, groups, test, validation, classes).sizes


class _Plan(NamedTuple):
    group: np.ndarray  # [rows] → 0 … groups − 1
    stratum: np.ndarray  # [groups] → 0 … strata − 1
    members: np.ndarray  # [groups] rows of each
    counts: np.ndarray  # [strata, 3] groups for train, validation, test
    sizes: Sizes


def _plan(y: Any, groups: Any, test: float, validation: float, classes: Sequence[str] | None) -> _Plan:
    """All of a split that does not depend on chance."""
    for name, share in (("test", test), ("validation", validation)):
        if not 0 <= share < 1:
            raise SettingError(f"{name} = {share!r}; a share must lie in [0, 1)")
    y = np.asarray(y)
    if y.ndim != 1 or len(y) == 0:
        raise DataError(f"labels have shape {y.shape}; a split needs one label a row, and at least one row")
    group = _numbered(groups, len(y))
    stratified = y.dtype.kind != "f"
    if stratified and (y.dtype.kind not in "iub" or int(y.min()) < 0):
        raise DataError("labels must be class numbers 0, 1, … (or float targets, which are not stratified)")
    y = y.astype(np.int64) if stratified else np.zeros(len(y), dtype=np.int64)
    named = stratified and classes is not None
    rows = np.bincount(y, minlength=len(classes) if named and classes is not None else 0)
    if named and classes is not None and len(rows) > len(classes):
        raise DataError(f"class number {len(rows) - 1} has no name; {len(classes)} classes are named")
    if test or validation:
        names = (
            [f"class {c!r}" for c in classes]
            if named and classes is not None
            else ([f"class number {c}" for c in range(len(rows))] if stratified else ["the data"])
        )
        _check_classes(y, group, rows, names, named)
    stratum = _rarest(y, group, rows)
    available = np.bincount(stratum, minlength=len(rows))
    for_test = _allot(available, test, keep=1 + (validation > 0))
    for_validation = _allot(available - for_test, validation, keep=1)
    counts = np.stack([available - for_test - for_validation, for_validation, for_test], axis=1)
    members = np.bincount(group)
    return _Plan(group, stratum, members, counts, _longest(stratum, members, counts))


def _numbered(groups: Any, rows: int) -> np.ndarray:
    """Groups as numbers 0, 1, …, one a row."""
    if groups is None:
        return np.arange(rows)
    groups = np.asarray(groups)
    if groups.shape != (rows,):
        raise DataError(f"groups have shape {groups.shape}; there must be one for each of the {rows} rows")
    return np.unique(groups, return_inverse=True)[1]


def _rarest(y: np.ndarray, group: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The class each group counts for: the rarest of its rows' classes, so that no rare class is without groups."""
    stratum = np.empty(int(group.max()) + 1, dtype=np.int64)
    common_first = np.argsort(-rows[y], kind="stable")
    stratum[group[common_first]] = y[common_first]  # the last write, the rarest, stays
    return stratum


def _check_classes(y: np.ndarray, group: np.ndarray, rows: np.ndarray, names: Sequence[str], named: bool) -> None:
    """Refuse a named class without rows, and one that is a single group, for rows must go to several parts."""
    code = np.unique(y * (int(group.max()) + 1) + group)
    groups = np.bincount(code // (int(group.max()) + 1), minlength=len(rows))
    for number, name in enumerate(names):
        if rows[number] == 0 and named:
            raise DataError(f"{name} has no rows to train on; leave it out or add rows")
        if groups[number] == 1:
            alone = "1 row" if rows[number] == 1 else f"{rows[number]} rows, all duplicates of one another"
            raise DataError(f"{name} has only {alone}; training and testing need at least 2: add rows or leave it out")


def _allot(available: np.ndarray, share: float, keep: int) -> np.ndarray:
    """Groups each stratum gives: `share` of all by largest remainders, at least 1 and leaving `keep` where it can."""
    if share == 0:
        return np.zeros_like(available)
    quota = np.round(available * share, 9)
    most = np.maximum(available - keep, np.minimum(available - 1, 1)).clip(0)
    given = np.floor(quota).astype(np.int64).clip(np.minimum(1, most), most)
    missing = int(available.sum() * share + 0.5) - int(given.sum())
    owed = np.where(given < np.minimum(most, np.ceil(quota)), quota - given, -1.0)
    take = np.argsort(-owed, kind="stable")[: max(missing, 0)]
    given[take] += owed[take] >= 0
    return given


def _systematic(stratum: np.ndarray, wanted: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Which items, sorted by stratum, are drawn: exactly wanted[s] of stratum s, evenly spaced from a random start.

    In whole numbers, so that no rounding draws one too many: item i of n is drawn where u + i·k passes a multiple of n.
    """
    available = np.bincount(stratum, minlength=len(wanted))
    start = chance.integers(0, np.maximum(available, 1))
    first = np.cumsum(available) - available
    n, k = available[stratum], wanted[stratum]
    return (start[stratum] + (np.arange(len(stratum)) - first[stratum]) * k) % n + k >= n


def _longest(stratum: np.ndarray, members: np.ndarray, counts: np.ndarray) -> Sizes:
    """The most rows each part can hold, from how many groups of each size systematic draws can give it."""
    code, groups = np.unique(stratum * (int(members.max()) + 1) + members, return_counts=True)
    number, size = np.divmod(code, int(members.max()) + 1)
    n, k = counts.sum(axis=1)[number], counts[number]
    tested = k[:, _TEST]
    rest = np.maximum(n - tested, 1)
    low, high = {_TEST: groups * tested // n}, {_TEST: _up(groups * tested, n)}
    fewest, most = groups - high[_TEST], groups - low[_TEST]  # what the test part leaves of each kind
    for part in (_TRAIN, _VALIDATION):
        low[part], high[part] = fewest * k[:, part] // rest, _up(most * k[:, part], rest)
    longest = dict.fromkeys(low, 0)
    for one in np.unique(number):
        here = np.flatnonzero(number == one)[::-1]  # the largest groups first
        for part in low:
            sure, room = low[part][here], high[part][here] - low[part][here]
            spare = counts[one, part] - sure.sum()
            more = np.clip(spare - (np.cumsum(room) - room), 0, room)
            longest[part] += int(((sure + more) * size[here]).sum())
    return Sizes(longest[_TRAIN], longest[_VALIDATION], longest[_TEST])


def _up(number: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Whole-number division, rounded up."""
    return -(-number // by)


def _part(chosen: np.ndarray, length: int) -> Part:
    rows = np.flatnonzero(chosen)
    index, weight = np.zeros(length, dtype=np.int32), np.zeros(length, dtype=np.float32)
    index[: len(rows)], weight[: len(rows)] = rows, 1.0
    return Part(index, weight)
