"""Which recipes train together, how wide their blocks are, and what memory they may take."""

from itertools import pairwise

import numpy as np
import pytest

from steepest import L1, MLP, SGD, Adam, Linear, Momentum, Recipe
from steepest.study import blocks
from steepest.train import device

SGDS = [Recipe(method=SGD(rate=0.01 * (i + 1))).general() for i in range(50)]
ADAMS = [Recipe(method=Adam(rate=0.01 * (i + 1))).general() for i in range(5)]


def planned(recipes, exact=True, threads=2, most=64, shape=(64,), outputs=10):
    return blocks.plan(recipes, shape, [outputs] * len(recipes), exact, threads, lambda *_: most)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("most", [1, 4, 64])
def test_every_recipe_is_in_one_block_of_its_own_structure(exact, most):
    recipes = [recipe for pair in zip(SGDS[:5], ADAMS) for recipe in pair] + SGDS[5:]
    made = planned(recipes, exact, most=most)
    assert sorted(i for block in made for i in block.members) == list(range(55))
    for block in made:
        assert len({type(recipes[i].method) for i in block.members}) == 1
        assert len(block.members) <= block.width <= most
        assert list(block.members) == sorted(block.members)


def test_an_exact_width_depends_on_structure_and_shape_alone():
    natural = blocks.width_of(SGDS[0], (64,), 10)
    for count in (1, 2, 17, 50):
        for threads in (1, 2, 16):
            assert {block.width for block in planned(SGDS[:count], threads=threads)} == {natural}
    assert [len(block.members) for block in planned(SGDS)] == [natural] * (50 // natural) + [50 % natural]
    assert not any(block.narrowed for block in planned(SGDS))


def test_memory_narrows_a_block_and_it_says_so():
    for block in planned(SGDS, most=4):
        assert (block.width, block.narrowed) == (4, True)
    assert not any(block.narrowed for block in planned(SGDS, most=4, exact=False)), "nothing was promised"


def test_a_large_structure_does_not_narrow_a_small_one():
    large = Recipe(method=SGD(), model=MLP(widths=(4000, 4000))).general()
    room = {SGDS[0].model: 64, large.model: 1}
    made = blocks.plan([SGDS[0], large], (64,), [10, 10], True, 2, lambda recipe, _: room[recipe.model])
    assert [block.width for block in made] == [blocks.width_of(SGDS[0], (64,), 10), 1]


def test_inexact_blocks_have_little_padding_and_keep_all_threads_busy():
    for count, threads in ((1, 2), (3, 2), (50, 2), (50, 8), (5, 16)):
        made = planned(SGDS[:count], exact=False, threads=threads)
        assert len(made) >= min(threads, count)
        assert sum(block.width for block in made) - count < len(made)


def test_structures_take_turns():
    made = planned([*SGDS[:40], *[Recipe(method=Momentum(rate=0.1)).general()] * 40])
    first = [made[0].members[0] < 40, made[1].members[0] < 40]
    assert sorted(first) == [False, True]


def test_penalties_of_one_family_and_other_numbers_of_outputs():
    mixed = [Recipe(method=SGD()).general(), Recipe(method=SGD(), penalty=L1(0.1)).general()]
    assert len(planned(mixed)) == 1
    assert len(blocks.plan(mixed, (4,), [2, 3], True, 1, lambda *_: 64)) == 2
    assert planned([]) == []


@pytest.mark.parametrize(
    ("model", "shape", "outputs"),
    [(Linear(), (2,), 2), (Linear(), (64,), 10), (Linear(), (3072,), 3), (MLP(widths=(1024, 1024)), (3072,), 10)],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_width_fits_the_cache_and_fills_the_product(model, shape, outputs, dtype):
    recipe = Recipe(model=model, dtype=dtype)
    width = blocks.width_of(recipe, shape, outputs)
    assert width in blocks.WIDTHS
    sizes = model.sizes(shape, outputs)
    weights = sum(a * b for a, b in pairwise(sizes)) * np.dtype(dtype).itemsize
    assert width == 1 or width * weights <= blocks.CACHE_BYTES
    if width < 64:
        assert width >= 16 or 2 * width * weights > blocks.CACHE_BYTES


def test_members_that_fit_take_no_more_than_their_share(monkeypatch):
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: type("Free", (), {"available": 1000_000})())
    assert blocks.members_that_fit(0.5, 10_000, 1) == 32  # 50
    assert blocks.members_that_fit(0.5, 10_000, 2) == 16  # 25 each
    assert blocks.members_that_fit(1.0, 10_000, 1) == 64  # 100
    assert blocks.members_that_fit(0.1, 10_000_000, 4) == 1  # then halving ends in one line
    for share in (0.05, 0.3, 0.9):
        for threads in (1, 2, 7):
            fit = blocks.members_that_fit(share, 3000, threads)
            assert fit == 1 or fit * 3000 * threads <= share * 1000_000


def test_a_members_bytes_count_what_it_holds():
    def of(rows=1, dtype="float32", **parts):
        return blocks.member_bytes(Recipe(dtype=dtype, **parts), (100,), 10, rows)

    assert of(method=Adam()) - of(method=SGD()) == 4 * 2 * 1010 * 4  # two more arrays like the weights, and copies
    assert of(dtype="float64", method=SGD()) == pytest.approx(2 * of(method=SGD()), rel=0.01)
    assert of(rows=1000) - of(rows=0) == 3 * 1000 * 10 * 4  # scores and their gradients
    assert of(model=MLP(widths=(50,)), rows=1000) - of(model=MLP(widths=(50,)), rows=0) == 3 * 1000 * 60 * 4
