"""A comparison before it runs: what will be trained, what decides it, and about how long it takes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jax
import numpy as np

from steepest.core.errors import DataError, SettingError
from steepest.core.stack import structure
from steepest.core.version import __version__
from steepest.data.dataset import Dataset
from steepest.data.paths import listed, shown
from steepest.inits.plain import Zeros
from steepest.models.text import model_from_text, parameters
from steepest.study import source as sources
from steepest.study.attack import attack_from_text
from steepest.study.blocks import width_of
from steepest.study.candidates import Candidate, candidates
from steepest.study.plan import Plan
from steepest.study.replicate import Draw, draw_of, notes_of, read_in_parts
from steepest.study.settings import GIVEN, Settings
from steepest.study.source import Source
from steepest.study.tasks import compared, helped
from steepest.techniques.adversarial import Attack
from steepest.train import device
from steepest.train.recipe import Recipe
from steepest.train.scoring import copies

SECONDS_A_STEP = 0.4e-6  # of one member, beside its products: measured on digits and 2-D blobs, two cores
FLOPS_A_SECOND = 25e9  # of one core, in the products of blocks
PASSES = 3  # what a training step costs, in passes of its rows through the model: forward, and back to two sides
FLOAT64 = 2  # what a pass costs in float64, in which rows are attacked
ENGINE = 2  # one more whenever trainings or scores come out otherwise: what was stored before is then not taken up
SECONDS_TO_COMPILE = 0.5  # a structure that the compilation cache does not hold, and for each array of its weights …
SECONDS_AN_ARRAY = 0.75  # … measured: linear 2.3 s, mlp:64 2.5 s to 3.6 s, cnn 10 s to 11 s


@dataclass(frozen=True)
class Study:
    """A comparison before it runs."""

    data: dict[str, Any]
    notes: tuple[str, ...]
    settings: Settings
    candidates: tuple[Candidate, ...]
    source: Source
    draw: Draw

    @property
    def each(self) -> int:
        """Trainings of a candidate in a replicate: its defaults and its trials."""
        return 1 + self.settings.trials

    @property
    def trainings(self) -> int:
        """All trainings."""
        return len(self.candidates) * self.each * self.settings.replicates

    def spaces(self) -> dict[str, dict[str, str]]:
        """The declared search space of every candidate's hyperparameters, in words."""
        return {c.name: {name: str(space) for name, space in c.spaces.items()} for c in self.candidates}

    def estimate(self, cores: int | None = None) -> float:
        """About how many seconds it takes with nothing in the store; good to a factor of two or so."""
        s, plan, sizes = self.settings, self.as_plan(), self.draw.sizes
        recipes = [compared(candidate.recipe(), self.source.tasks).general() for candidate in self.candidates]
        counts = Counter(structure(recipe) for recipe in recipes)
        compiling = an_epoch = attacking = 0.0  # the latter two of one replicate's trainings
        for kind, recipe in {structure(recipe): recipe for recipe in recipes}.items():
            outputs = recipe.loss.outputs(len(self.source.classes))
            width = width_of(recipe, plan.shape, outputs)
            members = -(-counts[kind] * self.each // width) * width  # blocks are filled up
            models = members * copies(recipe)
            passes = (PASSES + sum(t.passes for t in recipe.techniques)) * sizes.train + sizes.validation
            steps = -(-sizes.train // (recipe.batch_size or sizes.train))
            seconds = flops_a_row(recipe.model, plan.shape, outputs) / FLOPS_A_SECOND  # of a row's pass
            an_epoch += models * (steps * SECONDS_A_STEP + passes * seconds)
            attacking += models * passes_of(self.attack) * sizes.test * seconds
            arrays = len(jax.tree.leaves(weights_of(recipe.model, plan.shape, outputs)))
            compiling += SECONDS_TO_COMPILE + arrays * SECONDS_AN_ARRAY
        return compiling + s.replicates * (s.epochs * an_epoch + attacking) / (cores or plan.workers)

    @property
    def key(self) -> str:
        """What decides every training, as a hash: the same key, the same trainings."""
        facts = {"data": self.data["fingerprint"], "raw": not self.settings.standardize, "identity": self.identity}
        facts |= {"engine": f"{__version__}.{ENGINE}", **self.settings.training()}
        if self.settings.test == GIVEN and self.source.given is not None:
            facts["given"] = hashlib.sha256(np.packbits(self.source.given).tobytes()).hexdigest()
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]

    @cached_property
    def identity(self) -> str:
        """A hash of the rows as they are trained on (the same pixels may be used raw or scaled)."""
        return sources.identity(self.source)

    def trials(self, replicate: int) -> list[tuple[Candidate, int, dict[str, float]]]:
        """All trainings of a replicate, (candidate, trial, hyperparameters): candidate by candidate, defaults first."""
        return [(c, trial, values) for c in self.candidates for trial, values in enumerate(c.trials(replicate))]

    def as_plan(self, skip: Callable[[int, int], bool] | None = None) -> Plan:
        """The trainings as the engine takes them."""

        @cache
        def recipes(replicate: int) -> Sequence[Recipe]:
            return [compared(one.recipe(values), self.source.tasks) for one, _, values in self.trials(replicate)]

        s = self.settings
        return Plan(
            self.source, recipes, self.draw, s.replicates, s.epochs, keep_params=False, skip=skip, attack=self.attack
        )

    @cached_property
    def attack(self) -> Attack | None:
        """How the test rows are attacked, where they are."""
        return None if self.settings.attack is None else attack_from_text(self.settings.attack)


def passes_of(attack: Attack | None) -> float:
    """What scoring a row under attack costs, in passes through the model: each step forward and back, then forward.

    >>> passes_of(None), passes_of(Attack(0.1)), passes_of(Attack(0.1, kind="pgd", steps=10))
    (0.0, 6.0, 42.0)
    """
    if attack is None:
        return 0.0
    return FLOAT64 * (2 * (1 if attack.kind == "fgsm" else attack.steps) + 1.0)


def weights_of(model: Any, shape: tuple[int, ...], outputs: int) -> Any:
    """The shapes of a model's weights."""
    return jax.eval_shape(lambda: model.init(jax.random.key(0), shape, outputs, Zeros(), "float32"))


@cache
def flops_a_row(model: Any, shape: tuple[int, ...], outputs: int) -> float:
    """Floating-point operations of one row's pass through a model, as XLA counts them; nothing is compiled.

    >>> from steepest.models.linear import Linear
    >>> flops_a_row(Linear(), (8, 8), 10)  # 640 products, 640 sums, and the bias
    1290.0
    """
    rows = 32
    shown = jax.ShapeDtypeStruct((rows, *shape), "float32")
    counted = jax.jit(model.apply).lower(weights_of(model, shape, outputs), shown).cost_analysis() or {}
    return counted.get("flops", 2 * rows * parameters(model, shape, outputs)) / rows  # where none is counted: dense


def plan(data: Dataset, settings: Settings | None = None) -> Study:
    """What a comparison on this data would train.

    Raises SettingError for settings or pairings that make no sense, DataError for classes too small to split.
    """
    settings = _decided(settings or Settings())
    source = sources.from_dataset(data)
    if not isinstance(settings.test, str):
        sources.check(source, settings.test, settings.validation)
    if settings.attack is not None:
        attack_from_text(settings.attack)  # refuses what is none, before anything runs
    draw = draw_of(source, settings.seed, settings.test, settings.validation, settings.standardize)
    if not (draw.sizes.validation and draw.sizes.test):  # each class has rows enough, but shares them with the others
        different = len(np.unique(source.groups))
        raise DataError(
            f"{data.name}: its {len(data):,} rows are {different} different ones, with labels that contradict each "
            "other: too few for training, validation and test rows; add rows, or columns that tell them apart"
        )
    if settings.attack is not None and read_in_parts(source, draw):
        where = "stay on disk" if isinstance(source.X, sources.OnDisk) else "exceed the GPU's memory"
        raise SettingError(f"attack: the rows of {data.name} {where}; attack a fitted model: steepest evaluate")
    about = {
        "name": data.name,
        "place": data.place,
        "rows": len(data),
        "classes": list(data.classes),
        "fingerprint": data.fingerprint,
        "shape": list(data.shape),
        "reading": data.reading.chosen,
    }
    chosen = tuple(candidates(settings, data.shape, source.tasks))
    notes = notes_of(data, source, settings.test) + _of_tasks(data, chosen)
    return Study(about, notes, settings, chosen, source, draw)


def _of_tasks(data: Dataset, chosen: Sequence[Candidate]) -> tuple[str, ...]:
    """What to say of several label columns: which is compared on; refused where the others would do nothing."""
    if not data.further:
        return ()
    names = [task.name for task in data.tasks]
    if not any(helped(candidate.recipe()) for candidate in chosen):
        raise SettingError(
            f"label = {listed(names)}: a comparison is of the first label, and the others help it by the "
            "technique multi-task: add --techniques none,multi-task; or name one label, with --drop for the others of "
            "a table (steepest fit trains on all of them)"
        )
    return (f"all scores are of {shown(names[0])}; {listed(names[1:])} can help it, where the technique is multi-task",)


def _decided(settings: Settings) -> Settings:
    """Settings whose products are decided: results hang on them, so the run's key and record must say which they are.

    All models' alike, for the sake of a fair comparison.
    """
    if settings.products != "auto":
        return settings
    rounded = device.accelerated() and all(model_from_text(text).rounds for text in settings.models)
    return dataclasses.replace(settings, products="bfloat16" if rounded else "float32")
