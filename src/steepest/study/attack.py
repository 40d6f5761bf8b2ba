"""How a trained model does under attack: on rows that are moved a little to where it errs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from steepest.core.errors import DataError, SettingError, unknown
from steepest.core.registry import Registry
from steepest.core.spec import refuse
from steepest.data.paths import listed
from steepest.metrics import Report, report
from steepest.study.parts import part_entry, part_from_text, part_text
from steepest.techniques.adversarial import KINDS, Attack
from steepest.train.attack import labels_under
from steepest.train.cache import precision, prepare
from steepest.train.fitted import Fitted
from steepest.train.limits import Limits, of_pixels, of_rows, pixels

MOST_ROWS = 4096  # attacked at once
UNKNOWN = "the range of the rows given"  # where an older model does not say how far its training rows reached
SETTINGS = {"fgsm": ("size", "norm"), "pgd": ("size", "norm", "steps")}
ABOUT = {  # what it is, its equation, its paper
    "fgsm": ("One step of the gradient's sign (norm inf) or along the gradient (norm 2).",
             "x̃ = x + ε·sign(∇ℓ(x)), or x + ε·∇ℓ(x)/‖∇ℓ(x)‖₂", "Goodfellow et al. 2014"),
    "pgd": ("Several such steps from a start drawn within ε, each brought back to within ε.",
            "x̃ ← within ε of x (an FGSM step of 2.5·ε/steps)", "Madry et al. 2018"),
}  # fmt: skip
ATTACKS = Registry("attack", dict.fromkeys(KINDS, "steepest.techniques.adversarial:Attack"))


@dataclass(frozen=True)
class UnderAttack:
    """What became of a model's scores under an attack."""

    attack: Attack
    units: str  # what a size of 1 means
    within: str  # the limits that rows were kept to
    report: Report

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        found, attack = self.report, self.attack
        return {
            "text": attack_text(attack),
            "kind": attack.kind,
            "norm": attack.norm,
            "size": float(attack.size),
            "steps": 1 if attack.kind == "fgsm" else attack.steps,
            "units": self.units,
            "within": self.within,
            "accuracy": found.accuracy,
            "balanced": found.balanced,
            "macro_f1": found.macro.f1,
        }


def attack_from_text(text: str) -> Attack:
    """The attack that a text names and sets.

    >>> attack_from_text("pgd:size=0.1,norm=2,steps=20")
    Attack(kind='pgd', norm='2', steps=20)

    Raises SettingError for an unknown kind or setting, and for a value that does not fit.
    """
    kind, colon, rest = text.strip().partition(":")
    kind = kind.strip()
    if kind not in KINDS:
        raise unknown("attack", kind, KINDS)
    allowed = SETTINGS[kind]
    for piece in rest.split(","):
        name = piece.partition("=")[0].strip()
        if name and name not in allowed:
            raise unknown(f"setting of attack {kind}", name, allowed)
    return part_from_text(ATTACKS, f"{kind}:kind={kind}{',' if colon else ''}{rest}")


def attack_entry(name: str) -> dict[str, Any]:
    """What there is to know about an attack, ready for JSON, as `part_entry` has it of other parts.

    >>> [setting["name"] for setting in attack_entry("pgd")["settings"]]
    ['norm', 'steps']
    """
    found = part_entry(ATTACKS, name)
    about, equation, paper = ABOUT[name]
    settings = [one for one in found["settings"] if one["name"] in SETTINGS[name]]
    numbers = [{**one, "space": None} for one in found["hyperparameters"]]  # an attack is given, not searched
    return {
        **found, "about": about, "equation": equation, "paper": paper, "settings": settings, "hyperparameters": numbers,
    }  # fmt: skip


def attack_text(attack: Attack) -> str:
    """The text of an attack, its size always in it; `attack_from_text` reads it back.

    >>> attack_text(Attack(0.1, norm="2"))
    'fgsm:size=0.1,norm=2'
    """
    said = [piece for piece in part_text(ATTACKS, attack).partition(":")[2].split(",") if piece]
    others = [piece for piece in said if piece.partition("=")[0] not in ("size", "kind")]
    return f"{attack.kind}:{','.join([f'size={float(attack.size)!r}', *others])}"


def under_attack(fitted: Fitted, X: Any, y: Any, attack: Attack) -> UnderAttack:
    """Score a model on attacked rows: X [rows, features] as `Dataset.features()` gives them, y [rows] class numbers.

    Each row is moved by the model's own gradient at its true class, within the attack's size in the units the model
    sees (standardised where it standardises: 1 is a feature's deviation over the training rows), and within the limits
    that a comparison keeps to (`train/limits.py`): black to white for pixels; for others the least and most of each
    feature over the training rows, or, where an older file does not hold them, over the rows given. A row counts as
    right if it still gets its label: one that was wrong before is rarely put right.

    **Raises** SettingError for a model of numbers, or none; DataError for rows or labels that do not fit.
    """
    labels = labels_of_attacked(fitted, X, y, attack)
    units = "as given" if fitted.standard is None else "standardised"
    return UnderAttack(attack, units, _within(fitted), report(np.asarray(y), labels, fitted.classes))


def accuracy_under(fitted: Fitted, X: Any, y: Any, attack: Attack) -> float:
    """The share of rows that still get their label under attack; see `under_attack`."""
    return under_attack(fitted, X, y, attack).report.accuracy


def refuse_tasks(fitted: Fitted) -> None:
    """Raise SettingError for a model of several tasks."""
    if fitted.tasks:
        names = listed(task.name for task in fitted.tasks)
        raise SettingError(f"attack: the model has several tasks ({names}); an attack is on one: train on one label")


def labels_of_attacked(fitted: Fitted, X: Any, y: Any, attack: Attack) -> np.ndarray:
    """The class number that each row [rows] gets once it was attacked, int32."""
    if not isinstance(attack, Attack):
        raise SettingError(f"attack = {attack!r}; it must be an Attack, such as Attack(0.1)")
    if not isinstance(fitted, Fitted):
        raise SettingError(f"attack: {type(fitted).__name__} is no fitted model; of a Classifier give its .fitted_")
    if fitted.recipe.loss.regression:
        raise refuse(fitted.recipe.loss, "predicts numbers; an attack is on labels")
    refuse_tasks(fitted)
    if isinstance(fitted.standard, tuple):
        raise SettingError(
            "an ensemble whose members each standardise in their own way sees a row in several units at once, so an "
            "attack has no size; attack its members, or train it as one recipe with bagging"
        )
    prepare()
    rows, y = fitted.prepared(X), np.asarray(y, np.int32)
    if y.shape != (len(rows),):
        raise DataError(f"attack: {len(rows):,} rows, and labels of shape {y.shape}; there must be one for each row")
    if not len(rows):
        return np.zeros(0, np.int32)
    limits = _limits(fitted, rows)
    size = min(MOST_ROWS, 1 << max(len(rows) - 1, 31).bit_length())
    found = []
    with precision("float64"):
        for start in range(0, len(rows), size):
            here = slice(start, start + size)
            padded = (np.resize(part[here], (size, *part.shape[1:])) for part in (rows, y))  # few shapes to compile
            said = _labels(fitted.recipe, fitted.params, *padded, attack, limits, np.uint32(start))
            found.append(np.asarray(said)[: len(y[here])])
    return np.concatenate(found)


_labels = jax.jit(labels_under)


def _limits(fitted: Fitted, rows: np.ndarray) -> Limits:
    """Within which limits each feature stays: those that a comparison of these trainings keeps to."""
    ends = pixels(fitted.schema)
    if ends is not None:
        assert not isinstance(fitted.standard, tuple)  # refused
        return of_pixels(ends, fitted.standard, fitted.shape, fitted.recipe.dtype)
    return fitted.limits or of_rows([rows])


def _within(fitted: Fitted) -> str:
    """The same in words."""
    if pixels(fitted.schema) is not None:
        return "black and white"
    return "the range of the training rows" if fitted.limits else UNKNOWN
