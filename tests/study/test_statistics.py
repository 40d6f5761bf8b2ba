"""compare_paired and interval against scipy, brute force and values worked by hand."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from steepest.core.errors import SettingError
from steepest.study.statistics import (
    compare_paired,
    holm,
    interval,
    without_verdict,
)

TABLE = np.array(
    [
        [0.90, 0.86, 0.89],
        [0.92, 0.87, 0.90],
        [0.88, 0.85, 0.89],
        [0.91, 0.88, 0.87],
        [0.93, 0.86, 0.91],
        [0.90, 0.87, 0.90],
    ]
)


def around(differences, level=0.5):
    """Two candidates with these differences."""
    second = np.full(len(differences), level)
    return np.column_stack([second + differences, second])


def test_numbers_are_nadeau_and_bengios_with_holm():
    pairs = compare_paired(TABLE, n_train=180, n_test=75)
    assert [(p.a, p.b) for p in pairs] == [(0, 1), (0, 2), (1, 2)]
    plain = []
    for p in pairs:  # the naive t of scipy, its standard error widened by the correction
        d = [a - b for a, b in zip(TABLE[:, p.a], TABLE[:, p.b])]
        widen = math.sqrt((1 / 6 + 75 / 180) / (1 / 6))
        t = stats.ttest_1samp(d, 0).statistic / widen
        plain.append(2 * stats.t.sf(abs(t), 5))
        low, high = stats.t.interval(0.95, 5, loc=np.mean(d), scale=stats.sem(d) * widen)
        assert p.difference == pytest.approx(np.mean(d), abs=1e-15)
        assert (p.low, p.high) == pytest.approx((low, high), abs=1e-12)
    order = np.argsort(plain)
    worst = 0.0
    for rank, k in enumerate(order):
        worst = max(worst, (3 - rank) * plain[k])
        assert pairs[k].p == pytest.approx(min(worst, 1), rel=1e-10)


def test_level_sets_both_interval_and_verdict():
    wide = compare_paired(TABLE, 400, 75, level=0.01)[0]
    usual = compare_paired(TABLE, 400, 75, level=0.05)[0]
    assert wide.high - wide.low > usual.high - usual.low
    assert wide.p == usual.p
    assert (usual.verdict, wide.verdict) == ("better", "undetermined")


def test_verdict_is_from_as_side():
    scores = around([0.10, 0.11, 0.09, 0.12, 0.10])
    assert compare_paired(scores, 300, 100)[0].verdict == "better"
    turned = compare_paired(scores[:, ::-1], 300, 100)[0]
    assert turned.verdict == "worse"
    assert turned.difference == pytest.approx(-0.104)
    assert compare_paired(scores, 300, 100)[0].turned().as_dict() == pytest.approx({**turned.as_dict(), "a": 1, "b": 0})


def test_holm_can_withhold_what_a_plain_interval_claims():
    differences = np.array([0.02, 0.05, 0.03, 0.06, 0.01])
    assert compare_paired(around(differences), 3000, 100)[0].verdict == "better"
    noise = np.random.default_rng(0).normal(0.5, 0.2, (5, 4)).clip(0, 1)
    pair = compare_paired(np.hstack([around(differences), noise]), 3000, 100)[0]
    assert pair.low > 0
    assert pair.p > 0.05
    assert pair.verdict == "undetermined"


@pytest.mark.parametrize("replicates", [2, 3, 4])
def test_below_five_replicates_only_estimates(replicates):
    rng = np.random.default_rng(1)
    scores = np.column_stack([0.9 + 1e-3 * rng.random(replicates), 0.1 + 1e-3 * rng.random(replicates)])
    pair = compare_paired(scores, 10_000, 100)[0]
    assert pair.verdict == "undetermined"
    assert pair.low > 0.7
    assert compare_paired(np.full((replicates, 2), 0.5), 300, 100)[0].verdict == "undetermined"


def test_equivalence_needs_the_interval_inside_the_margin_and_goes_first():
    tiny = around([0.0010, 0.0012, 0.0011, 0.0009, 0.0008, 0.0010])
    pair = compare_paired(tiny, 300, 100)[0]
    assert pair.p < 0.05  # significant too, and yet
    assert pair.verdict == "equivalent"
    assert compare_paired(tiny, 300, 100, margin=0.0005)[0].verdict == "better"
    loose = around([0.02, -0.02, 0.01, -0.01, 0.0, 0.0])  # no difference seen, but none excluded
    assert compare_paired(loose, 300, 100)[0].verdict == "undetermined"
    assert compare_paired(loose, 300, 100, margin=0.05)[0].verdict == "equivalent"


def test_identical_scores_are_equivalent_with_p_one():
    scores = np.column_stack([TABLE[:, 0], TABLE[:, 0]])
    pair = compare_paired(scores, 300, 100)[0]
    assert pair.as_dict() == {
        "a": 0,
        "b": 1,
        "difference": 0.0,
        "low": 0.0,
        "high": 0.0,
        "p": 1.0,
        "verdict": "equivalent",
    }


@pytest.mark.parametrize("gap", [0.1, 1 / 300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_constant_difference_is_undetermined(gap, dtype):
    base = np.array([0.1, 1 / 3, 0.47, 0.53, 0.61, 0.7])  # the differences differ in their last bits
    scores = np.column_stack([base + gap, base]).astype(dtype)
    assert np.ptp(scores[:, 0].astype(float) - scores[:, 1]) > 0
    pair = compare_paired(scores, 300, 100)[0]
    assert pair.verdict == "undetermined"
    assert pair.p == 1.0
    assert pair.difference == pytest.approx(gap, abs=1e-6)
    assert pair.low == pair.high == pair.difference


def test_fields_are_reached_both_ways_and_go_to_json():
    pair = compare_paired(TABLE, 180, 75)[0]
    assert pair["verdict"] == pair.verdict
    assert dict(pair) == pair.as_dict()
    assert list(pair) == ["a", "b", "difference", "low", "high", "p", "verdict"]
    assert json.loads(json.dumps(pair.as_dict()))["a"] == 0
    with pytest.raises(KeyError):
        pair["half_width"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores": [[0.1, 0.2], [0.3, float("nan")]]}, "replicate 1, candidate 1 is NaN"),
        ({"scores": [[0.1, 0.2], [1.3, 0.1]]}, "replicate 1, candidate 0 is 1.3"),
        ({"scores": [[0.1, -0.2], [0.3, 0.1]]}, "replicate 0, candidate 1 is -0.2"),
        ({"scores": [[0.1, float("inf")], [0.3, 0.1]]}, "replicate 0, candidate 1 is inf"),
        ({"scores": [0.1, 0.2]}, "shape"),
        ({"scores": [[0.1, 0.2], [0.3]]}, "table of numbers"),
        ({"scores": [[0.1, 0.2]]}, "1 replicates"),
        ({"scores": [[0.1], [0.2]]}, "1 candidates"),
        ({"n_train": 0}, "n_train"),
        ({"n_test": -5}, "n_test"),
        ({"n_test": float("nan")}, "n_test"),
        ({"margin": -0.1}, "margin"),
        ({"margin": float("nan")}, "margin"),
        ({"level": 0}, "level"),
        ({"level": 1}, "level"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(change, said):
    with pytest.raises(SettingError, match=said):
        compare_paired(**{"scores": TABLE, "n_train": 180, "n_test": 75, **change})
    assert issubclass(SettingError, ValueError)


def test_holm_matches_its_definition():
    rng = np.random.default_rng(3)
    p = np.concatenate([rng.random(7) ** 3, [0.02, 0.02, 1.0]])
    got = holm(p)
    for k, value in enumerate(p):
        below = sorted(q for q in p if q <= value)
        want = max(min(1, (10 - j) * q) for j, q in enumerate(below))
        if (p == value).sum() == 1:
            assert got[k] == pytest.approx(want)
    assert got[7] == got[8]
    assert holm([0.2]).tolist() == [0.2]


def test_interval_of_a_mean():
    values = TABLE[:, 0]
    got = interval(values, 180, 75)
    widen = math.sqrt((1 / 6 + 75 / 180) * 6)
    want = stats.t.interval(0.95, 5, loc=values.mean(), scale=stats.sem(values) * widen)
    assert (got.low, got.high) == pytest.approx(want, abs=1e-12)
    assert got.mean == pytest.approx(values.mean())
    near_one = interval([1.0, 0.97, 1.0, 0.99, 1.0], 180, 75)
    assert near_one.high == 1.0
    with pytest.raises(SettingError, match="replicates"):
        interval([0.9], 180, 75)
    with pytest.raises(SettingError, match="replicate 1"):
        interval([0.9, float("nan")], 180, 75)


def test_without_verdict_keeps_the_estimates():
    pair = compare_paired(TABLE, 400, 75)[0]
    assert pair.verdict == "better"
    (bare,) = without_verdict([pair])
    assert bare.as_dict() == {**pair.as_dict(), "verdict": "undetermined"}
