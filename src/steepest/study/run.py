"""Running a plan: recipes × replicates as blocks, several at a time. All that trains many things goes through here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import jax

from steepest.core.errors import SteepestError
from steepest.study import blocks
from steepest.study.plan import Job, Plan
from steepest.study.replicate import draw_replicate
from steepest.study.result import Result, results
from steepest.train.population import Replicate, train


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


def run(
    plan: Plan, on_results: Callable[[list[Result]], None], on_progress: Callable[[Progress], None] | None = None
) -> None:
    """Train a plan's blocks, several at a time; `on_results` gets each block's trainings as they finish.

    Both callbacks run in the calling thread. An exception in it (Ctrl-C too) stops the workers after their epoch.
    """
    jobs = plan.jobs()
    meter = _Meter(plan, jobs)
    stop = threading.Event()
    ready = _Ready(plan)

    def work(job: Job) -> list[Result]:
        def on_epoch(rows: int) -> None:
            if stop.is_set():
                raise _StoppedError
            meter.add(rows)

        replicate = ready.get(job.replicate)
        return list(_train_block(plan, job, replicate, on_epoch))

    with ThreadPoolExecutor(plan.workers) as pool:
        try:
            for finished in _in_order_of_finishing(pool, work, jobs, plan.workers, on_progress, meter):
                on_results(finished)
                meter.trainings += len(finished)
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

    def __init__(self, plan: Plan, jobs: list[Job]) -> None:
        rows = plan.draw.sizes.train
        self.all_trainings = sum(len(job.block.members) for job in jobs)
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
    work: Callable[[Job], list[Result]],
    jobs: Iterable[Job],
    ahead: int,
    on_progress: Callable[[Progress], None] | None,
    meter: _Meter,
) -> Iterator[list[Result]]:
    """Results of each job as it finishes; few jobs are under way at a time, so an interrupt leaves little undone."""
    coming = iter(jobs)
    running: set[Future[list[Result]]] = set()
    while True:
        for job in coming:
            running.add(pool.submit(work, job))
            if len(running) > ahead:
                break
        if not running:
            return
        done, running = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
        if on_progress is not None:
            on_progress(meter.now())
        for future in done:
            yield future.result()


def _train_block(plan: Plan, job: Job, replicate: Replicate, on_epoch: Callable[[int], None]) -> Iterator[Result]:
    """Train a block; where it runs out of memory, its halves."""
    members, width = job.block.members, job.block.width
    recipes = plan.recipes(job.replicate)
    chosen = [recipes[i].general() for i in members]
    counted = 0

    def count(rows: int) -> None:
        nonlocal counted
        counted += rows
        on_epoch(rows)

    try:
        found = list(results(plan, job, replicate, train(chosen, replicate, plan.epochs, width, count)))
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if not _out_of_memory(error):
            raise
        if width == 1:
            raise SteepestError(
                f"recipe {members[0] + 1} of {len(recipes)} does not fit in memory alone; use a smaller model, "
                f"smaller batches or fewer rows"
            ) from error
    else:
        yield from found
        return
    # outside of the except: while an error is being handled, its frames hold on to what the block had in memory
    on_epoch(-counted)
    half = -(-width // 2)
    for part in (members[:half], members[half:]):
        if part:
            halved = Job(job.replicate, blocks.Block(part, half, narrowed=plan.exact))
            yield from _train_block(plan, halved, replicate, on_epoch)


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error) or "ut of memory" in str(error)
