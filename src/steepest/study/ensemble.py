"""Models trained one by one, gathered into one that averages or votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from typing import Any

import jax
import numpy as np

from steepest.core.errors import SettingError
from steepest.core.spec import replace
from steepest.study.tasks import check_votes
from steepest.techniques.bagging import Bagging
from steepest.train.fitted import Fitted

ALIKE = ("classes", "shape")  # and the recipe's model, loss and dtype


def ensemble(members: Sequence[Fitted], combine: str = "average") -> Fitted:
    """One model of several (`fit` with other seeds, replicates, methods) that predicts, is saved, evaluated as one.

    It is what a recipe with `Bagging` trains: weights with an axis of members in front; each member keeps the
    standardisation of its own training rows. combine: "average" or "vote", as in `Bagging`. It has no scores of its
    own: rows that none of its members has trained on must judge it (`steepest evaluate`).

    **Raises** SettingError for fewer than two members, and for members whose model, loss, dtype, classes or shape of
    rows differ, by name.

    >>> import steepest as st
    >>> from steepest.study.fit import fit
    >>> data = st.open("iris")
    >>> ensemble([fit(data, st.Recipe(), epochs=2, replicate=r) for r in range(3)]).recipe.techniques
    (Bagging(bags=3),)
    """
    members = list(members)
    if len(members) < 2:
        raise SettingError(f"an ensemble of {len(members)}; give at least two models")
    first = members[0]
    for place, one in enumerate(members):
        _check_alike(first, one, f"model {place + 1} of {len(members)}")
    bagging = Bagging(len(members), combine)
    check_votes(bagging, len(first.tasks))
    count = len(members)
    standard = _standard([one.standard for one in members])
    return changed(
        first,
        recipe=replace(first.recipe, techniques=(*first.recipe.techniques, bagging)),
        params=jax.tree.map(lambda *leaves: np.stack(leaves), *[one.params for one in members]),
        standard=standard,
        limits=None if isinstance(standard, tuple) else _limits([one.limits for one in members]),
        scores={},
        tasks=tuple(changed(task, scores={}) for task in first.tasks),
        curves={},
        status="finished",
        step=max(one.step for one in members),
        epochs=max(one.epochs for one in members),
        notes=(f"{count} models trained one by one that {combine} together; the recipe is the first one's",),
    )


def _standard(each: list[Any]) -> Any:
    """The standardisation that all members have, or else each its own."""
    if each[0] is None:
        return None
    arrays = [one.to_arrays() for one in each]
    same = all(np.array_equal(arrays[0][name], one[name]) for one in arrays for name in one)
    return each[0] if same else tuple(each)


def _limits(each: list[Any]) -> Any:
    """What any member's training rows reach; not known where one member does not know."""
    if any(one is None for one in each):
        return None
    low, high = zip(*each)
    return np.min(low, axis=0), np.max(high, axis=0)


def _check_alike(first: Fitted, one: Fitted, where: str) -> None:
    if not isinstance(one, Fitted):
        raise SettingError(f"{where} is a {type(one).__name__}; it must be a model that `fit` gave")
    if one.recipe.bagging is not None:
        raise SettingError(f"{where} is an ensemble already; give its members, or models trained alone")
    pairs = {name: (getattr(first, name), getattr(one, name)) for name in ALIKE}
    pairs |= {name: (getattr(first.recipe, name), getattr(one.recipe, name)) for name in ("model", "loss", "dtype")}
    wanted, found = ("none" if fitted.standard is None else "its own" for fitted in (first, one))
    pairs["standardisation"] = wanted, found
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise SettingError(f"{where} has {name} {found!r}, and the first has {wanted!r}; an ensemble's are alike")
