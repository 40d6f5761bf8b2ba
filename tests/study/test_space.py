"""Drawing trials: within their space, from its prior, nested, and a longer search only adds."""

import numpy as np
import pytest
from scipy import stats

from steepest.core.errors import SettingError
from steepest.core.hyper import Space, count, positive
from steepest.study.space import at_edge, draw_trials

SPACES = {"rate": Space(1e-4, 1.0, log=True), "momentum": Space(0.5, 0.99)}


def test_draws_follow_their_priors():
    trials = draw_trials(SPACES, 4000, seed=1, replicate=0, candidate="momentum × l2")
    rates = np.log10([t["rate"] for t in trials])
    momenta = np.array([t["momentum"] for t in trials])
    assert stats.kstest(rates, stats.uniform(-4, 4).cdf).pvalue > 0.01
    assert stats.kstest(momenta, stats.uniform(0.5, 0.49).cdf).pvalue > 0.01
    assert abs(np.corrcoef(rates, momenta)[0, 1]) < 4 / np.sqrt(4000)
    assert momenta.min() >= 0.5
    assert momenta.max() <= 0.99


def test_whole_numbers_are_drawn_by_what_rounds_to_them():
    """Evenly from low to high, both among them; log-uniform, k by ln((k + ½)/(k − ½)). Counted in 40,000 draws."""
    spaces = {"even": Space(2, 6, whole=True), "log": Space(1, 8, log=True, whole=True)}
    trials = draw_trials(spaces, 40_000, seed=2, replicate=0, candidate="sgd")
    for name, numbers, weights in (
        ("even", np.arange(2, 7), np.ones(5)),
        ("log", np.arange(1, 9), np.log((np.arange(1, 9) + 0.5) / (np.arange(1, 9) - 0.5))),
    ):
        drawn, counts = np.unique([t[name] for t in trials], return_counts=True)
        np.testing.assert_array_equal(drawn, numbers)
        assert stats.chisquare(counts, 40_000 * weights / weights.sum()).pvalue > 0.01


@pytest.mark.parametrize("space", [Space(2, 20, whole=True), Space(1, 50, log=True, whole=True)])
def test_the_position_of_a_whole_number_is_the_middle_of_the_quantiles_that_give_it(space):
    quantiles = (np.arange(200_000) + 0.5) / 200_000
    drawn = np.array([space.at(u) for u in quantiles])
    for value in range(space.low, space.high + 1):
        assert space.position(value) == pytest.approx(quantiles[drawn == value].mean(), abs=1e-5)
    assert at_edge(space, space.low) == "low"
    assert at_edge(space, space.high) == "high"


def test_the_ends_of_few_whole_numbers_are_edges():
    for few in (Space(1, 3, whole=True), Space(1, 4, log=True, whole=True)):
        assert [at_edge(few, k) for k in range(int(few.low), int(few.high) + 1)] == [
            "low",
            *[None] * int(few.high - few.low - 1),
            "high",
        ]


def test_a_declared_space_of_a_whole_number_is_of_whole_numbers():
    assert count(5, space=Space(2, 20)).metadata["space"] == Space(2, 20, whole=True)
    assert positive(5.0, Space(2, 20)).metadata["space"] == Space(2, 20)


def test_every_replicate_and_candidate_draws_its_own():
    first = draw_trials(SPACES, 5, 0, 0, "adam × none")
    assert first == draw_trials(SPACES, 5, 0, 0, "adam × none")
    for other in ((0, 1, "adam × none"), (1, 0, "adam × none"), (0, 0, "adam × l1")):
        again = draw_trials(SPACES, 5, *other)
        assert not {t["rate"] for t in first} & {t["rate"] for t in again}


def test_more_trials_only_add():
    assert draw_trials(SPACES, 50, 3, 2, "sgd")[:20] == draw_trials(SPACES, 20, 3, 2, "sgd")


def test_a_candidate_without_spaces_has_empty_trials():
    assert draw_trials({}, 3, 0, 0, "fixed") == [{}, {}, {}]


def test_a_value_never_leaves_its_space_by_rounding():
    narrow = {"rate": Space(1e-6, np.nextafter(1e-6, 1), log=True)}
    assert narrow["rate"].at(0.0) > narrow["rate"].high  # exp(log(x)) is not x
    for trial in draw_trials(narrow, 100, 0, 0, "x"):
        assert narrow["rate"].low <= trial["rate"] <= narrow["rate"].high


def test_impossible_searches_are_refused_by_name():
    with pytest.raises(SettingError, match="trials = 0"):
        draw_trials(SPACES, 0, 0, 0, "sgd")
    with pytest.raises(SettingError, match=r"adam\.rate"):
        draw_trials({"rate": Space(0.0, 1.0, log=True)}, 3, 0, 0, "adam")
    with pytest.raises(SettingError, match=r"adam\.rate"):
        draw_trials({"rate": Space(1.0, 0.5)}, 3, 0, 0, "adam")


@pytest.mark.parametrize(
    ("space", "value", "edge"),
    [
        (SPACES["rate"], 2e-4, "low"),
        (SPACES["rate"], 0.5, "high"),
        (SPACES["rate"], 0.01, None),
        (SPACES["rate"], 3e-4, None),
        (SPACES["rate"], 0.0, "low"),
        (SPACES["rate"], 7.0, "high"),
        (SPACES["momentum"], 0.52, "low"),
        (SPACES["momentum"], 0.6, None),
        (SPACES["momentum"], [0.98, 0.97, 0.6], "high"),
        (SPACES["momentum"], [0.98, 0.7, 0.6], None),
    ],
)
def test_at_edge(space, value, edge):
    assert at_edge(space, value) == edge


def test_edges_are_rarely_flagged_by_chance_and_mostly_found():
    """The two rates that the docstring states, by simulation."""
    rng = np.random.default_rng(0)
    unit = Space(0.0, 1.0)
    flat = [at_edge(unit, list(winners)) is not None for winners in rng.random((2000, 10))]
    assert np.mean(flat) < 0.01
    capped = [at_edge(unit, list(winners)) == "high" for winners in rng.random((500, 10, 20)).max(-1)]
    assert np.mean(capped) > 0.95
