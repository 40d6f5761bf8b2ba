"""From a finished comparison in the store to the training that it recommends."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steepest.core.errors import SettingError, StoreError
from steepest.data.dataset import Dataset
from steepest.data.opening import as_path
from steepest.data.paths import listed, shown
from steepest.data.reading import Reading
from steepest.data.tar import stem
from steepest.losses.multitask import MultiTask
from steepest.models.text import model_from_text
from steepest.study.candidates import Candidate
from steepest.study.settings import NONE, Settings
from steepest.study.store import LATEST, Store
from steepest.study.store_rows import RunRow
from steepest.study.tasks import helped
from steepest.train.recipe import Recipe

OWN = ("label", "drop", "samples")  # settings of one source alone


@dataclass(frozen=True)
class Recommended:
    """A recipe, how the comparison trained it, and on what."""

    recipe: Recipe
    settings: Settings
    name: str
    fingerprint: str
    run: int
    place: str  # where the data lay, "" where they have a name, or an older run does not say
    reading: Reading | None  # how the comparison's data were read; None where an older run does not say

    def how(self) -> dict[str, Any]:
        """What `fit` is told beside the recipe, as the comparison did in its first replicate."""
        return {name: getattr(self.settings, name) for name in ("epochs", "seed", "test", "validation")}

    def reading_of(self, source: str, named: Mapping[str, Any]) -> dict[str, Any]:
        """How `source` is to be read: as was named, else as the comparison read its data; settings for `data.open`.

        Data of another name have label, columns and points of their own. **Raises** SettingError where the
        comparison's data would be read otherwise than its setting was found on.
        """
        if self.reading is None:
            return dict(named)
        taken = self.reading.chosen
        if not _called(self.name, source):
            return {name: value for name, value in taken.items() if name not in OWN} | dict(named)
        wanted = Reading(**named)
        for name in named:
            now, then = getattr(wanted, name), getattr(self.reading, name)
            if name != "strict" and then is not None and now != then:  # None: left to the data
                raise SettingError(
                    f"{_option(name, now)}: run {self.run} read {self.name} with {_option(name, then)}, and its "
                    f"setting is for such rows; leave {_option(name)} out, or say what to train in place of --from"
                )
        return {**taken, **named}

    def rows_for(self, recipe: Recipe, data: Dataset, named: Mapping[str, Any]) -> Dataset:
        """The data as the comparison trained such a recipe: further tasks only help by the technique multi-task.

        Labels that the user named, and losses of several tasks, are left as they are.
        """
        alone = "label" not in named and not helped(recipe) and not isinstance(recipe.loss, MultiTask)
        return data.of_first_task if alone else data


def _called(name: str, source: str) -> bool:
    """Whether a source bears the name that its Dataset would have."""
    path = as_path(source)
    return name in (source, path.name, path.resolve().name, stem(path))


def _option(name: str, value: Any = True) -> str:
    """A setting as it is typed: --size 16, --raw, no --drop."""
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, bool) or value == ():
        return option if value else f"no {option}"
    return f"{option} {','.join(value) if isinstance(value, tuple) else value}"


def run_to_take(store: Store, which: str) -> tuple[RunRow, str]:
    """The run that `--from` means, and what to say of the choice, "" if there was none.

    As `Store.get` has it; only of several comparisons of data with that very name the newest finished one is taken.
    """
    finished = [run for run in store.runs() if run.command == "compare" and run.result is not None]
    alike = [run.id for run in finished if run.name == which]
    if not alike or which == LATEST or which.isdecimal():
        return store.get(which), ""
    *older, newest = alike
    said = f"run {newest} is taken, the newest finished comparison of {shown(which)}; older: {listed(older[::-1])}"
    return store.get(newest), said if older else ""


def recommended(row: RunRow) -> Recommended:
    """The setting that a run recommends.

    **Raises** StoreError for a run that is no comparison, has not finished, or was written with settings unknown here.
    """
    if row.command != "compare":
        raise StoreError(f"run {row.id} is of {row.command}; only a comparison recommends a setting")
    if row.result is None:
        raise StoreError(f"run {row.id} has not finished; give its command again (see: steepest runs show {row.id})")
    settings = settings_of(row.settings, row.id)
    best = row.result["recommended"]
    model, technique = best.get("model", settings.models[0]), best.get("technique", NONE)  # older runs name neither
    candidate = Candidate(best["method"], best["penalty"], technique, model, settings, {}, model_from_text(model))
    recipe = candidate.recipe(best["hyperparameters"])
    place = row.data.get("place", "")
    return Recommended(recipe, settings, row.name, row.data["fingerprint"], row.id, place, _reading(row))


def _reading(row: RunRow) -> Reading | None:
    stored = row.data.get("reading")
    known = {field.name for field in dataclasses.fields(Reading)}
    if stored is not None and not known >= set(stored):
        strange = ", ".join(sorted(set(stored) - known))
        raise StoreError(
            f"run {row.id} read its data by settings this steepest does not know ({strange}); use the one that made it"
        )
    return None if stored is None else Reading(**stored)


def settings_of(stored: dict[str, Any], run: int) -> Settings:
    """Settings as they were before JSON made lists of them."""
    known = {field.name for field in dataclasses.fields(Settings)}
    if not known >= set(stored):
        strange = ", ".join(sorted(set(stored) - known))
        raise StoreError(f"run {run} has settings this steepest does not know ({strange}); use the one that made it")
    spaces = tuple((name, low, high) for name, (low, high) in stored.get("spaces", {}).items())
    return Settings(**{"products": "float32", **stored, "spaces": spaces})  # which runs before there was a choice had
