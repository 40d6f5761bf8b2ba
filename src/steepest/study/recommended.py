"""From a finished comparison in the store to the training that it recommends."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from steepest.core.errors import StoreError
from steepest.models.text import model_from_text
from steepest.study.candidates import Candidate
from steepest.study.settings import NONE, Settings
from steepest.study.store_rows import RunRow
from steepest.train.recipe import Recipe


@dataclass(frozen=True)
class Recommended:
    """A recipe, how the comparison trained it, and on what."""

    recipe: Recipe
    settings: Settings
    name: str
    fingerprint: str

    def how(self) -> dict[str, Any]:
        """What `fit` is told beside the recipe, as the comparison did in its first replicate."""
        return {name: getattr(self.settings, name) for name in ("epochs", "seed", "test", "validation")}


def recommended(row: RunRow) -> Recommended:
    """The setting that a run recommends.

    **Raises** StoreError for a run that is no comparison, has not finished, or was written with settings unknown here.
    """
    if row.command != "compare":
        raise StoreError(f"run {row.id} is of {row.command}; only a comparison recommends a setting")
    if row.result is None:
        raise StoreError(f"run {row.id} has not finished; give its command again, then take its setting")
    settings = settings_of(row.settings, row.id)
    best = row.result["recommended"]
    model, technique = best.get("model", settings.models[0]), best.get("technique", NONE)  # older runs name neither
    candidate = Candidate(best["method"], best["penalty"], technique, model, settings, {}, model_from_text(model))
    return Recommended(candidate.recipe(best["hyperparameters"]), settings, row.name, row.data["fingerprint"])


def settings_of(stored: dict[str, Any], run: int) -> Settings:
    """Settings as they were before JSON made lists of them."""
    known = {field.name for field in dataclasses.fields(Settings)}
    if not known >= set(stored):
        strange = ", ".join(sorted(set(stored) - known))
        raise StoreError(f"run {run} has settings this steepest does not know ({strange}); use the one that made it")
    spaces = tuple((name, low, high) for name, (low, high) in stored.get("spaces", {}).items())
    return Settings(**{"products": "float32", **stored, "spaces": spaces})  # which runs before there was a choice had
