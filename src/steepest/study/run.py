"""Running a plan: recipes × replicates as blocks, several at a time. All that trains many things goes through here."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from steepest.core.errors import SettingError, SteepestError
from steepest.core.stack import stack
from steepest.metrics import METRICS, confusion
from steepest.study import blocks
from steepest.study.replicate import Draw, draw_replicate
from steepest.study.settings import GIVEN
from steepest.study.source import OnDisk, Source
from steepest.techniques.adversarial import Attack
from steepest.train.attack import score_under
from steepest.train.cache import precision
from steepest.train.population import Replicate, Trained, train
from steepest.train.recipe import Recipe, refuse_solver
from steepest.train.scoring import rows_at_once
from steepest.train.stream import STRETCH_BYTES
from steepest.train.techniques import check_techniques

Tree = Any

REPLICATES_IN_USE = 2  # one block may still be in a replicate when the next replicate's begin


@dataclass(frozen=True)
class Task:
    """One replicate's recipes that train together."""

    replicate: int
    block: blocks.Block


@dataclass(frozen=True)
class Progress:
    """How far a sweep is; examples are rows × epochs × trainings."""

    examples: int
    all_examples: int
    trainings: int
    all_trainings: int
    seconds: float

    @property
    def rate(self) -> float:
        """Examples a second so far."""
        return self.examples / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float:
        """At the rate so far."""
        return (self.all_examples - self.examples) / self.rate if self.rate else float("inf")


@dataclass(frozen=True, eq=False)
class Result:
    """One finished training."""

    replicate: int
    recipe: int
    status: str  # "finished", "stopped" or "diverged"
    step: int  # where it diverged, or the steps made
    epochs: int
    validation: dict[str, float]  # metric → score, and "loss"
    test: dict[str, float]
    curves: dict[str, np.ndarray]
    params: Tree | None
    narrowed: bool = False  # its block was narrower than `exact` wants, for want of memory
    hits: bytes = b""  # which rows of a given test set it got right, as np.packbits


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep before it starts: the rows, what trains together, and how it is run."""

    source: Source
    recipes: Callable[[int], Sequence[Recipe]]  # of a replicate
    draw: Draw
    replicates: int
    epochs: int
    exact: bool = True
    threads: int = 0
    memory: float = 0.5
    keep_params: bool = True
    skip: Callable[[int, int], bool] | None = None  # (replicate, recipe) → already trained
    attack: Attack | None = None  # scores of the test rows under it too, as "attacked accuracy" …

    def tasks(self) -> list[Task]:
        """All tasks, replicate by replicate, without the trainings to skip."""
        made = []
        for replicate in range(self.replicates):
            recipes = [recipe.general() for recipe in self.recipes(replicate)]
            todo = [i for i in range(len(recipes)) if self.skip is None or not self.skip(replicate, i)]
            outputs = [recipes[i].loss.outputs(len(self.source.classes)) for i in todo]
            chosen = [recipes[i] for i in todo]
            for block in blocks.plan(chosen, self.shape, outputs, self.exact, self.workers, self.most):
                made.append(Task(replicate, replace(block, members=tuple(todo[i] for i in block.members))))
        return made

    def most(self, recipe: Recipe, outputs: int) -> int:
        """The widest block of a recipe's structure that memory allows."""
        sizes = self.draw.sizes
        together = rows_at_once(recipe, self.shape, outputs)
        rows = max(min(max(sizes.validation, sizes.test), together), recipe.batch_size or sizes.train)
        each = blocks.member_bytes(recipe, self.shape, outputs, rows)
        beside = REPLICATES_IN_USE * sum(sizes) * math.prod(self.shape) * np.dtype(recipe.dtype).itemsize
        if isinstance(self.source.X, OnDisk):
            beside = 2 * self.workers * STRETCH_BYTES
        return blocks.members_that_fit(self.memory, each, self.workers, beside)

    @property
    def shape(self) -> tuple[int, ...]:
        """A row's shape."""
        return self.source.X.shape[1:]

    @property
    def workers(self) -> int:
        """Threads that each train a block; one block keeps about one core busy."""
        return self.threads or len(os.sched_getaffinity(0))


def run(
    plan: Plan, on_results: Callable[[list[Result]], None], on_progress: Callable[[Progress], None] | None = None
) -> None:
    """Train a plan's blocks, several at a time; `on_results` gets each block's trainings as they finish.

    Both callbacks run in the calling thread. An exception in it (Ctrl-C too) stops the workers after their epoch.
    """
    tasks = plan.tasks()
    meter = _Meter(plan, tasks)
    stop = threading.Event()
    ready = _Ready(plan)

    def work(task: Task) -> list[Result]:
        def on_epoch(rows: int) -> None:
            if stop.is_set():
                raise _StoppedError
            meter.add(rows)

        replicate = ready.get(task.replicate)
        return list(_train_block(plan, task, replicate, on_epoch))

    with ThreadPoolExecutor(plan.workers) as pool:
        try:
            for results in _in_order_of_finishing(pool, work, tasks, plan.workers, on_progress, meter):
                on_results(results)
                meter.trainings += len(results)
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if on_progress is not None:
        on_progress(meter.now())


class _StoppedError(Exception):
    """Raised inside a worker when the sweep was interrupted."""


class _Meter:
    """Counts examples over threads."""

    def __init__(self, plan: Plan, tasks: list[Task]) -> None:
        rows = plan.draw.sizes.train
        self.all_trainings = sum(len(task.block.members) for task in tasks)
        self.all_examples = self.all_trainings * rows * plan.epochs
        self.examples = 0
        self.trainings = 0
        self.began = time.monotonic()
        self._lock = threading.Lock()

    def add(self, rows: int) -> None:
        with self._lock:
            self.examples += rows

    def now(self) -> Progress:
        seconds = time.monotonic() - self.began
        return Progress(self.examples, self.all_examples, self.trainings, self.all_trainings, seconds)


class _Ready:
    """The replicates in use, made once each however many threads want one, and forgotten soon after."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._made: dict[int, Replicate] = {}
        self._lock = threading.Lock()

    def get(self, number: int) -> Replicate:
        with self._lock:
            if number not in self._made:
                for old in [n for n in self._made if n < number - 1]:
                    del self._made[old]
                self._made[number] = draw_replicate(self._plan.source, self._plan.draw, number)
            return self._made[number]


def _in_order_of_finishing(
    pool: ThreadPoolExecutor,
    work: Callable[[Task], list[Result]],
    tasks: Iterable[Task],
    ahead: int,
    on_progress: Callable[[Progress], None] | None,
    meter: _Meter,
) -> Iterator[list[Result]]:
    """Results of each task as it finishes; few tasks are under way at a time, so an interrupt leaves little undone."""
    coming = iter(tasks)
    running: set[Future[list[Result]]] = set()
    while True:
        for task in coming:
            running.add(pool.submit(work, task))
            if len(running) > ahead:
                break
        if not running:
            return
        done, running = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
        if on_progress is not None:
            on_progress(meter.now())
        for future in done:
            yield future.result()


def _train_block(plan: Plan, task: Task, replicate: Replicate, on_epoch: Callable[[int], None]) -> Iterator[Result]:
    """Train a block; where it runs out of memory, its halves."""
    members, width = task.block.members, task.block.width
    recipes = plan.recipes(task.replicate)
    chosen = [recipes[i].general() for i in members]
    counted = 0

    def count(rows: int) -> None:
        nonlocal counted
        counted += rows
        on_epoch(rows)

    try:
        found = list(_results(plan, task, replicate, train(chosen, replicate, plan.epochs, width, count)))
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if not _out_of_memory(error):
            raise
        if width == 1:
            raise SteepestError(
                f"recipe {members[0] + 1} of {len(recipes)} does not fit in memory alone; use a smaller model, "
                f"smaller batches or fewer rows"
            ) from error
        on_epoch(-counted)
        half = -(-width // 2)
        for part in (members[:half], members[half:]):
            if part:
                halved = Task(task.replicate, blocks.Block(part, half, narrowed=plan.exact))
                yield from _train_block(plan, halved, replicate, on_epoch)
        return
    yield from found


def memory_notes(narrowed: Iterable[bool]) -> tuple[str, ...]:
    """What to say where trainings' blocks were narrowed for want of memory: one line, or nothing."""
    count = sum(narrowed)
    if not count:
        return ()
    ran = "1 training ran in a block" if count == 1 else f"{count:,} trainings ran in blocks"
    return (f"{ran} narrower than usual for want of memory: equal to other runs to rounding, not bit for bit",)


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error) or "ut of memory" in str(error)


def _results(plan: Plan, task: Task, replicate: Replicate, trained: Trained) -> Iterator[Result]:
    """A block's trainings one by one, their predictions scored."""
    members = task.block.members
    validation = _scores(plan.source, replicate.validation, trained.validation, len(members))
    test = _scores(plan.source, replicate.test, trained.test, len(members))
    attacked = _under_attack(plan, task, replicate, trained.params)
    for i, recipe in enumerate(members):
        yield Result(
            replicate=task.replicate,
            recipe=recipe,
            status=str(trained.status[i]),
            step=int(trained.step[i]),
            epochs=int(trained.epochs[i]),
            validation=validation[i],
            test=test[i] | attacked[i],
            curves={name: curve[i] for name, curve in trained.curves.items()},
            params=jax.tree.map(lambda leaf, i=i: leaf[i].copy(), trained.params) if plan.keep_params else None,
            narrowed=task.block.narrowed,
            hits=_hits(replicate.test, trained.test, i) if plan.draw.test == GIVEN else b"",
        )


def _hits(rows: Any, scored: Any, member: int) -> bytes:
    """Which test rows a member got right, a bit each; a given test set has no filling."""
    return np.packbits(np.asarray(rows.y) == scored[0][member]).tobytes()


def _scores(source: Source, rows: Any, scored: Any, members: int) -> list[dict[str, float]]:
    """Metric → score of each member on a part of the rows; only the loss for a regression, nothing without rows."""
    if rows is None:
        return [{} for _ in range(members)]
    said, losses = scored
    made: list[dict[str, float]] = [{"loss": float(loss)} for loss in losses]
    if not source.regression:
        matrices = confusion(np.asarray(rows.y), said, len(source.classes), np.asarray(rows.weight, np.float64))
        for name, metric in METRICS.items():
            for scores, value in zip(made, metric(matrices)):
                scores[name] = float(value)
    return made


def _under_attack(plan: Plan, task: Task, replicate: Replicate, params: Tree) -> list[dict[str, float]]:
    """Each member's metrics on the test rows that its own gradient has moved: "attacked accuracy" …"""
    members, recipes, rows = task.block.members, plan.recipes(task.replicate), replicate.test
    if plan.attack is None or rows is None:
        return [{} for _ in members]
    filling = task.block.width - len(members)  # with copies of the last, as in training
    chosen = [recipes[i].general() for i in members]
    padded = stack(chosen + chosen[-1:] * filling, chosen[0].dtype)
    weights = jax.tree.map(lambda leaf: np.concatenate([leaf, np.repeat(leaf[-1:], filling, axis=0)]), params)
    with precision(chosen[0].dtype):
        said = np.asarray(score_under(padded, weights, rows, plan.attack, replicate.facts))[: len(members)]
    matrices = confusion(np.asarray(rows.y), said, len(plan.source.classes), np.asarray(rows.weight, np.float64))
    scored = {f"attacked {name}": metric(matrices) for name, metric in METRICS.items()}
    return [{name: float(values[i]) for name, values in scored.items()} for i in range(len(members))]


def check_recipes(recipes: Sequence[Recipe], classes: int, shape: tuple[int, ...]) -> None:
    """Refuse what cannot be swept on rows of `shape`, naming the recipe by its place."""
    for place, recipe in enumerate(recipes):
        where = f"recipe {place + 1} of {len(recipes)}"
        if not isinstance(recipe, Recipe):
            raise SettingError(f"{where} is a {type(recipe).__name__}; it must be a steepest.Recipe")
        refuse_solver(recipe, where)
        if recipe.loss.regression != (classes == 0):
            kinds = ("numbers (a regression)", "classes")
            raise SettingError(f"{where}: {type(recipe.loss).__name__} is for {kinds[not recipe.loss.regression]}")
        try:
            recipe.model.check(shape)
            check_techniques(recipe, shape)
        except SettingError as error:
            raise SettingError(f"{where}: {error}") from error
