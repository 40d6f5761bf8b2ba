"""Candidates: a method, penalty, techniques and model, the spaces they are searched in, and each trial's recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, product
from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.core.hyper import Space
from steepest.core.spec import hyperparameters, search_space
from steepest.losses import LOSSES
from steepest.methods import METHODS
from steepest.models.text import model_from_text
from steepest.penalties import PENALTIES
from steepest.study.parts import part_from_text
from steepest.study.settings import Settings, candidate_name, technique_name, technique_owners
from steepest.study.space import draw_trials
from steepest.study.tasks import compared
from steepest.techniques import TECHNIQUES
from steepest.techniques.contract import Technique
from steepest.train.recipe import Recipe, refuse_solver
from steepest.train.techniques import check_techniques, with_techniques

PLACES = ("rows", "hidden")  # of a step, where techniques act one after the other


@dataclass(frozen=True)
class Candidate:
    """One method with one penalty, one choice of techniques and one model.

    `spaces` holds every hyperparameter that is searched: those of method and penalty by their own names, those of
    techniques as "dropout.rate", for a technique may call its strength as a penalty does; those of a second dropout,
    for other layers, as "dropout2.rate".
    """

    method: str
    penalty: str
    technique: str
    model: str
    settings: Settings = field(repr=False)
    spaces: Mapping[str, Space]
    built: Any = field(repr=False)  # the model, read once for all candidates that have it

    @property
    def name(self) -> str:
        """`adam+l2`; with techniques `adam+l2, dropout`; where there are several models `adam+l2, dropout, mlp:64`."""
        several = len(self.settings.models) > 1
        return candidate_name(self.method, self.penalty, self.technique, self.model if several else None)

    def recipe(self, values: Mapping[str, float] | None = None) -> Recipe:
        """The recipe with these hyperparameters; the defaults for those not named."""
        values = values or {}
        plain = {name: value for name, value in values.items() if "." not in name}
        method, penalty = METHODS[self.method], PENALTIES[self.penalty]
        ours = hyperparameters(method)
        recipe = Recipe(
            model=self.built,
            method=method(**{name: value for name, value in plain.items() if name in ours}),
            penalty=penalty(**{name: value for name, value in plain.items() if name not in ours}),
            loss=LOSSES[self.settings.loss](),
            batch_size=self.settings.batch_size,
            products=self.settings.products,
        )
        parts = [_technique(owner, text, values) for owner, text in technique_owners(self.technique).items()]
        return with_techniques(recipe, parts) if parts else recipe

    def trials(self, replicate: int) -> list[dict[str, float]]:
        """What is trained in a replicate: trial 0, the defaults (no values), then the trials drawn for it."""
        s = self.settings
        return [{}, *draw_trials(self.spaces, s.trials, s.seed, replicate, self.name)]


def candidates(
    settings: Settings, shape: tuple[int, ...] | None = None, tasks: tuple[int, ...] = ()
) -> list[Candidate]:
    """Every method with every penalty, technique and model; a combination that makes no sense is refused by name.

    `shape`: of the rows they are to train on, to refuse what does not go with those; `tasks`: how many classes each
    has, where there are several.
    """
    models = _models(settings.models, shape)
    changed = {name: (low, high) for name, low, high in settings.spaces}
    techniques = _techniques(settings.techniques, changed)
    made: list[Candidate] = []
    known: set[str] = set()
    for method, penalty, technique, model in product(settings.methods, settings.penalties, settings.techniques, models):
        spaces: dict[str, Space] = {}
        for owner, part in ((method, METHODS[method]), (penalty, PENALTIES[penalty])):
            spaces |= (own := _spaces(owner, part, changed))
            known |= {f"{owner}.{name}" for name in own}
        spaces |= techniques[technique]
        known |= techniques[technique].keys()
        candidate = Candidate(method, penalty, technique, model, settings, spaces, models[model])
        _check(candidate, shape, tasks)
        made.append(candidate)
    for name in changed:
        if name in known:
            continue
        for text in settings.techniques:
            if any(name == f"{owner}.{own}" for owner, part in technique_owners(text).items() for own in _fixed(part)):
                raise SettingError(f"search space {name}: {text} fixes it; leave one of the two out")
        raise unknown("search space", name, sorted(known))
    return made


def _fixed(text: str) -> set[str]:
    """The settings to which the text of one technique gives a value."""
    return {piece.partition("=")[0].strip() for piece in text.partition(":")[2].split(",")}


def _models(texts: Sequence[str], shape: tuple[int, ...] | None) -> dict[str, Any]:
    """Each model, read once: what is wrong with one is no candidate's fault."""
    built: dict[str, Any] = {}
    for text in texts:
        model = model_from_text(text)
        if shape is not None:
            model.check(shape)
        twin = next((other for other, known in built.items() if known == model), None)
        if twin is not None:
            raise SettingError(f"models {twin} and {text} are the same; name one of them")
        built[text] = model
    return built


def _check(candidate: Candidate, shape: tuple[int, ...] | None, tasks: tuple[int, ...]) -> None:
    try:
        recipe = compared(candidate.recipe(), tasks)
        if shape is not None:
            check_techniques(recipe, shape)
    except SettingError as error:
        raise SettingError(f"{candidate.name}: {error}") from error
    refuse_solver(recipe, "a comparison")


def _technique(owner: str, text: str, values: Mapping[str, float]) -> Any:
    """A technique as its text sets it, with the values that are named after it."""
    start = f"{owner}."
    own = {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}
    return dataclasses.replace(part_from_text(TECHNIQUES, text), **own)


def _techniques(texts: Sequence[str], changed: Mapping[str, tuple[float, float]]) -> dict[str, dict[str, Space]]:
    """Each text's spaces, as "dropout.rate". Texts that train and search the same in other words are refused."""
    found: dict[str, dict[str, Space]] = {}
    meanings: dict[Any, str] = {}
    for text in texts:
        found[text], parts = {}, []
        for owner, part in technique_owners(text).items():
            own = _technique_spaces(owner, part, changed)
            found[text] |= {f"{owner}.{name}": space for name, space in own.items()}
            parts.append((part_from_text(TECHNIQUES, part), tuple(own.items())))
        twin = meanings.setdefault((frozenset(parts), _order(parts)), text)
        if twin != text:
            raise SettingError(f"techniques {twin} and {text} are the same; name one of them")
    return found


def _order(parts: Sequence[tuple[Any, Any]]) -> tuple[tuple[type, ...], ...]:
    """The kinds that act on rows, and those that act on hidden units, in their order, which matters there: moved and
    then noisy rows are others than noisy ones moved."""
    kinds = [type(part) for part, _ in parts if isinstance(part, Technique)]
    acting = ([kind for kind in kinds if getattr(kind, place) is not getattr(Technique, place)] for place in PLACES)
    return tuple(tuple(kind for kind, _ in groupby(each)) for each in acting)


def _technique_spaces(owner: str, text: str, changed: Mapping[str, tuple[float, float]]) -> dict[str, Space]:
    """The spaces of what a technique's text leaves open."""
    fixed = _fixed(text) | set(getattr(part_from_text(TECHNIQUES, text), "idle", ()))
    spaces = _spaces(owner, TECHNIQUES[technique_name(text)], changed)
    return {name: space for name, space in spaces.items() if name not in fixed}


def _spaces(owner: str, cls: Any, changed: Mapping[str, tuple[float, float]]) -> dict[str, Space]:
    """The declared spaces of a class, or those a user put in their place."""
    made = {}
    declared = search_space(cls)
    for name, own in hyperparameters(cls).items():
        domain, space = own.metadata["domain"], declared.get(name)
        if f"{owner}.{name}" in changed:  # one without a space of its own is searched on demand
            low, high = changed[f"{owner}.{name}"]
            log = space is not None and space.log
            if not low < high or low not in domain or high not in domain or (log and low <= 0):
                raise SettingError(f"search space of {owner}.{name} = {low:g} … {high:g}; it must rise and be {domain}")
            space = Space(low, high, log, domain.whole)
        if space is not None:
            made[name] = space
    return made
