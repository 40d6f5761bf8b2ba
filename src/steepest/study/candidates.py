"""Candidates: a method with a penalty, the spaces they are searched in, and the recipe of each trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.core.hyper import Space
from steepest.core.spec import hyperparameters, search_space
from steepest.losses import LOSSES
from steepest.methods import METHODS
from steepest.models.text import model_from_text
from steepest.penalties import PENALTIES
from steepest.study.settings import Settings
from steepest.study.space import draw_trials
from steepest.train.recipe import Recipe, refuse_solver


@dataclass(frozen=True)
class Candidate:
    """One method with one penalty. `spaces` holds every hyperparameter that is searched, by its own name."""

    method: str
    penalty: str
    settings: Settings = field(repr=False)
    spaces: Mapping[str, Space]

    @property
    def name(self) -> str:
        """`adam+l2`."""
        return f"{self.method}+{self.penalty}"

    def recipe(self, values: Mapping[str, float] | None = None) -> Recipe:
        """The recipe with these hyperparameters; the defaults for those not named."""
        values = values or {}
        method, penalty = METHODS[self.method], PENALTIES[self.penalty]
        ours = hyperparameters(method)
        return Recipe(
            model=model_from_text(self.settings.model),
            method=method(**{name: value for name, value in values.items() if name in ours}),
            penalty=penalty(**{name: value for name, value in values.items() if name not in ours}),
            loss=LOSSES[self.settings.loss](),
            batch_size=self.settings.batch_size,
        )

    def trials(self, replicate: int) -> list[dict[str, float]]:
        """What is trained in a replicate: trial 0, the defaults (no values), then the trials drawn for it."""
        s = self.settings
        return [{}, *draw_trials(self.spaces, s.trials, s.seed, replicate, self.name)]


def candidates(settings: Settings) -> list[Candidate]:
    """Every method with every penalty; a pairing that makes no sense is refused by name."""
    model_from_text(settings.model)  # what is wrong with it is no candidate's fault
    made = []
    changed = {name: (low, high) for name, low, high in settings.spaces}
    for method in settings.methods:
        for penalty in settings.penalties:
            spaces = {**_spaces(method, METHODS[method], changed), **_spaces(penalty, PENALTIES[penalty], changed)}
            candidate = Candidate(method, penalty, settings, spaces)
            refuse_solver(_checked(candidate), "a comparison")
            made.append(candidate)
    known = {f"{owner}.{name}" for c in made for owner in (c.method, c.penalty) for name in c.spaces}
    for name in changed:
        if name not in known:
            raise unknown("search space", name, sorted(known))
    return made


def _checked(candidate: Candidate) -> Recipe:
    try:
        return candidate.recipe()
    except SettingError as error:
        raise SettingError(f"{candidate.name}: {error}") from error


def _spaces(owner: str, cls: Any, changed: Mapping[str, tuple[float, float]]) -> dict[str, Space]:
    """The declared spaces of a class, or those a user put in their place."""
    made = {}
    for name, declared in search_space(cls).items():
        space = declared
        if f"{owner}.{name}" in changed:
            low, high = changed[f"{owner}.{name}"]
            domain = hyperparameters(cls)[name].metadata["domain"]
            if not low < high or low not in domain or high not in domain or (declared.log and low <= 0):
                raise SettingError(f"search space of {owner}.{name} = {low:g} … {high:g}; it must rise and be {domain}")
            space = Space(low, high, declared.log)
        made[name] = space
    return made
