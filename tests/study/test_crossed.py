"""Comparison on a fixed test set: seeds crossed with examples, by simulation and against a decomposition by hand."""

import numpy as np
import pytest
from scipy import special

from steepest.core.errors import SettingError
from steepest.study.crossed import compare_crossed, crossed, interval_crossed


def studies(number, seeds, examples, of_seed, of_example, shift=0.0, chance=0):
    """Hits of two methods that are equal on new rows but for `shift`: examples suit one or the other by chance."""
    rng = np.random.default_rng(chance)
    for _ in range(number):
        hard = 1.5 * rng.normal(size=examples) + 0.8
        suits = hard + of_example * rng.normal(size=(2, examples)) + np.array([[shift], [0.0]])
        noise = of_seed * rng.normal(size=(seeds, 2, 1)) + 0.3 * rng.normal(size=(seeds, 2, examples))
        yield (suits + noise > 0).astype(float)


@pytest.mark.parametrize(("of_seed", "of_example"), [(0.3, 0.0), (0.1, 0.3), (0.3, 0.5), (0.0, 0.0)])
def test_equal_methods_are_called_different_in_at_most_five_in_a_hundred(of_seed, of_example):
    found = [compare_crossed(scores, margin=0)[0].p <= 0.05 for scores in studies(1500, 10, 75, of_seed, of_example)]
    assert np.mean(found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1500)


def test_seeds_alone_would_err_where_examples_suit_a_method_by_chance():
    """source: statistics.md, the first row of its table: a paired t over seeds on one split."""
    wrong = right = 0
    for scores in studies(400, 10, 75, 0.1, 0.5, chance=1):
        gap = (scores[:, 0] - scores[:, 1]).mean(axis=1)
        t = gap.mean() / (gap.std(ddof=1) / np.sqrt(10)) if gap.std() else 0.0
        wrong += 2 * special.stdtr(9, -abs(t)) <= 0.05
        right += compare_crossed(scores)[0].p <= 0.05
    assert wrong / 400 > 0.25
    assert right / 400 < 0.08


def test_a_method_that_is_better_is_found():
    found = [compare_crossed(scores)[0] for scores in studies(200, 10, 1000, 0.1, 0.3, shift=0.2)]
    assert np.mean([pair.verdict == "better" for pair in found]) > 0.8
    assert np.mean([pair.low <= pair.difference <= pair.high for pair in found]) == 1


def test_the_mean_squares_add_up_as_by_hand():
    rng = np.random.default_rng(3)
    table = rng.normal(size=(6, 9)) + rng.normal(size=(6, 1)) + rng.normal(size=(1, 9))
    found = crossed(table)
    grand = table.mean()
    seed = sum(9 * (table[s].mean() - grand) ** 2 for s in range(6)) / 5
    example = sum(6 * (table[:, e].mean() - grand) ** 2 for e in range(9)) / 8
    whole = ((table - grand) ** 2).sum()
    rest = (whole - 5 * seed - 8 * example) / 40
    variance = seed + example - rest
    assert found.mean == pytest.approx(grand)
    assert found.error == pytest.approx(np.sqrt(variance / 54))
    assert found.freedom == pytest.approx(variance**2 / (seed**2 / 5 + example**2 / 8 + rest**2 / 40))


def plainly(table):
    """`crossed` as its equation stands, with the residuals written out."""
    seeds, examples = table.shape
    mean = table.mean()
    by_seed, by_example = table.mean(axis=1) - mean, table.mean(axis=0) - mean
    rest = table - mean - by_seed[:, None] - by_example
    ms_seed, ms_example = examples * (by_seed**2).sum() / (seeds - 1), seeds * (by_example**2).sum() / (examples - 1)
    ms_rest = (rest**2).sum() / ((seeds - 1) * (examples - 1))
    variance = max(ms_seed + ms_example - ms_rest, ms_seed, ms_example)
    spread = ms_seed**2 / (seeds - 1) + ms_example**2 / (examples - 1)
    if variance > max(ms_seed, ms_example):
        spread += ms_rest**2 / ((seeds - 1) * (examples - 1))
    error = np.sqrt(variance / (seeds * examples))
    half = special.stdtrit(max(variance**2 / spread, seeds - 1), 0.975) * error
    return mean, mean - half, mean + half


@pytest.mark.parametrize("share", [1.0, 1 / 3])
def test_pairs_judged_together_are_each_as_judged_alone(share):
    """Hits that nearly all seeds share and hits by chance, for rows that count alike or not."""
    rng = np.random.default_rng(11)
    often = rng.choice([0.0, 0.02, 0.5, 0.98, 1.0], size=(1, 5, 301))
    scores = (rng.random((6, 5, 301)) < often) * np.where(rng.random(301) < 0.3, share, 1.0)
    found = compare_crossed(scores)
    assert [(pair.a, pair.b) for pair in found] == [(i, j) for i in range(5) for j in range(i + 1, 5)]
    for pair in found:
        want = plainly(scores[:, pair.a] - scores[:, pair.b])
        np.testing.assert_allclose([pair.difference, pair.low, pair.high], want, rtol=1e-12, atol=1e-14)


def test_its_interval_covers_the_mean_of_a_known_population():
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(2500):
        table = 0.5 + 0.05 * rng.normal(size=(8, 1)) + 0.1 * rng.normal(size=(1, 40)) + 0.05 * rng.normal(size=(8, 40))
        low, high = interval_crossed(table)[1:]
        inside.append(low <= 0.5 <= high)
    assert np.mean(inside) >= 0.93, "nominal: 0.95"


def test_edge_cases():
    same = np.tile(np.array([1.0, 0.0, 1.0]), (5, 2, 1))
    pair = compare_crossed(same)[0]
    assert (pair.verdict, pair.p, pair.low, pair.high) == ("equivalent", 1.0, 0.0, 0.0)
    constant = np.stack([np.ones((5, 4)), np.zeros((5, 4))], axis=1)
    assert compare_crossed(constant)[0].verdict == "undetermined"
    few = next(studies(1, 4, 75, 0.1, 0.0, shift=5.0))
    assert compare_crossed(few)[0].verdict == "undetermined"


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (np.zeros((5, 2)), r"scores have shape \(5, 2\); they must be \[seeds, candidates, examples\]"),
        (np.full((5, 2, 3), np.nan), "score of seed 0, candidate 0, example 0 is NaN"),
    ],
)
def test_what_is_no_table_of_scores_is_refused(scores, says):
    with pytest.raises(SettingError, match=says):
        compare_crossed(scores)
