"""Running a plan: memory that runs out, interrupts, what was done before, progress."""

import threading
import time
import weakref

import jax
import numpy as np
import pytest

from steepest import MLP, SGD, Adam, Recipe, SteepestError
from steepest.study import blocks, run
from steepest.study import source as sources
from steepest.study.plan import Plan
from steepest.study.replicate import REPLICATES_IN_USE, draw_of
from steepest.study.result import memory_notes
from steepest.train import device
from steepest.train.population import train

RNG = np.random.default_rng(8)
Y = np.arange(90) % 3
X = (RNG.normal(size=(90, 6)) + 0.4 * Y[:, None]).astype("f4")
RECIPES = [Recipe(method=SGD(rate=0.002 * (i + 1)), batch_size=16) for i in range(20)]


def plan(recipes=RECIPES, replicates=1, epochs=3, **more):
    source = sources.from_arrays(X, Y, regression=False)
    return Plan(source, lambda _: recipes, draw_of(source, 0, 0.25, 0.2, False), replicates, epochs, **more)


def results(made, **more):
    found = []
    run.run(made, found.extend, **more)
    return {(r.replicate, r.recipe): r for r in found}


def short_of(most, error):
    """`train` on a machine with memory for `most` members."""
    widths = []

    def trained(recipes, replicate, epochs, width, on_epoch):
        widths.append(width)
        if width > most:
            on_epoch(len(recipes) * replicate.rows)  # the first epoch still fits
            raise error
        return train(recipes, replicate, epochs, width, on_epoch)

    return trained, widths


FULL = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 123456 bytes.")


def test_a_block_lets_go_of_what_it_held_before_its_halves_train(monkeypatch):
    class Weights:
        """What lies on the device."""

    held = []

    def trained(recipes, replicate, epochs, width, on_epoch):
        if not held:
            weights = Weights()
            held.append(weakref.ref(weights))
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 123456 bytes.")
        assert held[0]() is None
        return train(recipes, replicate, epochs, width, on_epoch)

    monkeypatch.setattr(run, "train", trained)
    assert len(results(plan(RECIPES[:2], threads=1))) == 2


@pytest.mark.parametrize("error", [FULL, MemoryError("std::bad_alloc")], ids=["device", "host"])
def test_a_block_out_of_memory_is_halved_and_gives_the_same(monkeypatch, error):
    want = results(plan())
    assert not any(r.narrowed for r in want.values())
    trained, widths = short_of(4, error)
    monkeypatch.setattr(run, "train", trained)
    seen = []
    got = results(plan(threads=1), on_progress=seen.append)
    assert widths == [32, 16, 8, 4, 4, 8, 4, 4, 16, 8, 4]  # 20 members: 16, and 4 in a block of 16
    assert got.keys() == want.keys()
    assert all(r.narrowed for r in got.values())
    for place, result in got.items():
        np.testing.assert_allclose(result.params["W"], want[place].params["W"], atol=1e-6)
        np.testing.assert_allclose(result.curves["train_loss"], want[place].curves["train_loss"], atol=1e-6)
        assert result.test["accuracy"] == want[place].test["accuracy"]
    assert seen[-1].examples == seen[-1].all_examples, "rows of a block that did not fit are not counted"
    assert seen[-1].trainings == 20
    (note,) = memory_notes(r.narrowed for r in got.values())
    assert note.startswith("20 trainings ran in blocks narrower than usual for want of memory")
    assert memory_notes(r.narrowed for r in want.values()) == ()


def test_one_training_that_does_not_fit_is_named(monkeypatch):
    trained, widths = short_of(0, FULL)
    monkeypatch.setattr(run, "train", trained)
    with pytest.raises(SteepestError) as caught:
        results(plan(RECIPES[:3], threads=1))
    assert str(caught.value).startswith("recipe 1 of 3 does not fit in memory alone; use a smaller model")
    assert "\n" not in str(caught.value)
    assert widths == [32, 16, 8, 4, 2, 1]


def test_another_failure_of_the_engine_is_not_taken_for_memory(monkeypatch):
    trained, widths = short_of(0, jax.errors.JaxRuntimeError("INTERNAL: something else"))
    monkeypatch.setattr(run, "train", trained)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        results(plan(threads=1))
    assert widths == [32]


def test_what_is_asked_for_at_the_start_fits_the_share(monkeypatch):
    rows = max(plan().draw.sizes.test, plan().draw.sizes.validation, 16)  # the most that pass through at once
    one = blocks.member_bytes(RECIPES[0].general(), (6,), 3, rows)
    beside = REPLICATES_IN_USE * sum(plan().draw.sizes) * 6 * 4  # the rows themselves
    free = 20 * one + 2 * beside
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: type("Free", (), {"available": free})())
    made = plan(threads=2, memory=0.5)
    assert {job.block.width for job in made.jobs()} == {4}  # half of 20, for two threads: 5
    assert all(job.block.narrowed for job in made.jobs())
    assert {job.block.width for job in plan(threads=1, memory=1.0).jobs()} == {16}
    assert not any(job.block.narrowed for job in plan(threads=2, exact=False).jobs())
    got = results(made)
    assert all(r.narrowed for r in got.values())
    monkeypatch.undo()
    want = results(plan())
    for place, result in got.items():
        np.testing.assert_allclose(result.params["W"], want[place].params["W"], atol=1e-6)


def same(a, b):
    facts = [(r.status, r.step, r.epochs, r.validation, r.test) for r in (a, b)]
    arrays = [[x.tobytes() for x in jax.tree.leaves((r.params, r.curves))] for r in (a, b)]
    return facts[0] == facts[1] and arrays[0] == arrays[1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_keeps_what_was_given_and_the_rest_is_trained_later(error):
    recipes = [*RECIPES, *[Recipe(method=Adam(rate=0.001 * (i + 1)), batch_size=16) for i in range(20)]]
    want = results(plan(recipes, replicates=3))
    kept = {}

    def take(given):
        kept.update({(r.replicate, r.recipe): r for r in given})
        if len(kept) > 30:
            raise error

    with pytest.raises(error):
        run.run(plan(recipes, replicates=3, threads=2), take)
    assert threading.active_count() == 1 + sum(t.daemon for t in threading.enumerate()), "no worker is left"
    assert 30 < len(kept) < 120
    before = set(kept)
    rest = results(plan(recipes, replicates=3, skip=lambda r, i: (r, i) in before))
    assert rest.keys() == want.keys() - before
    assert all(same(want[place], result) for place, result in {**kept, **rest}.items())


def test_an_interrupt_ends_long_trainings_after_their_epoch():
    slow = [Recipe(model=MLP(widths=(64,)), method=SGD(rate=1e-4), batch_size=1) for _ in range(3)]

    def interrupt(progress):
        if progress.examples:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run.run(plan(slow, epochs=1_000_000, threads=1), lambda _: None, interrupt)
    assert time.monotonic() - began < 60  # a million epochs take hours


def test_nothing_to_do_is_done_at_once():
    seen = []
    assert results(plan(skip=lambda *_: True), on_progress=seen.append) == {}
    assert (seen[-1].all_trainings, seen[-1].all_examples) == (0, 0)


def test_progress_counts_up_to_all_of_it():
    seen = []
    results(plan(replicates=2, threads=2), on_progress=seen.append)
    last = seen[-1]
    assert last.trainings == last.all_trainings == 40
    assert last.examples == last.all_examples == 40 * 3 * 54
    assert [p.examples for p in seen] == sorted(p.examples for p in seen)
    assert last.rate == pytest.approx(last.examples / last.seconds)
    assert last.seconds_left == 0
    half = run.Progress(examples=100, all_examples=400, trainings=0, all_trainings=2, seconds=2.0)
    assert (half.rate, half.seconds_left) == (50.0, 6.0)
    assert run.Progress(0, 400, 0, 2, 0.0).seconds_left == float("inf")
