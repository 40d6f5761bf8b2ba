"""From trainings to an answer, on made-up outcomes where every pick can be told by eye."""

import numpy as np
import pytest

from steepest.study.candidates import candidates
from steepest.study.settings import Settings
from steepest.study.statistics import compare_paired
from steepest.study.summary import LOST, Outcomes, pick, shares, summarise

R, TRIALS = 6, 10
SETTINGS = Settings(methods="sgd,momentum", penalties="none,l2", trials=TRIALS, replicates=R)
MADE = candidates(SETTINGS)
NAMES = [candidate.name for candidate in MADE]  # sgd+none, sgd+l2, momentum+none, momentum+l2


def outcomes(seed=0, **changed):
    """Random scores on a grid of 1/40, so that ties come about; the hyperparameters are those that would be drawn."""
    rng = np.random.default_rng(seed)
    shape = (R, len(MADE), 1 + TRIALS)
    facts = {
        "validation": rng.integers(20, 40, shape) / 40,
        "loss": rng.random(shape),
        "test": rng.integers(20, 40, shape) / 40,
        "diverged": rng.random(shape) < 0.1,
        "values": [[candidate.trials(r) for candidate in MADE] for r in range(R)],
    }
    return Outcomes(**{**facts, **changed})


def picked_by_hand(got, r, members):
    """(candidate, trial) of the highest validation score; of equals, the one of the lowest loss."""
    entries = [(c, t) for c in members for t in range(1, 1 + TRIALS)]
    return min(entries, key=lambda at: (-got.validation[(r, *at)], got.loss[(r, *at)]))


@pytest.mark.parametrize("seed", range(5))
def test_every_replicate_picks_for_itself_by_validation_and_then_loss(seed):
    got = outcomes(seed)
    for members in ([0], [2], [0, 1], [1, 3], [0, 1, 2, 3]):
        want = [picked_by_hand(got, r, members) for r in range(R)]
        assert [tuple(row) for row in pick(got, members)] == want
    ties = [(got.validation[r, 0, 1:] == got.validation[r, 0, 1:].max()).sum() for r in range(R)]
    assert max(ties) > 1 or seed


def test_the_defaults_are_never_picked_and_test_scores_never_choose():
    got = outcomes()
    got.validation[:, :, 0] = 1.0
    before = pick(got, [0, 1, 2, 3])
    assert (before[:, 1] > 0).all()
    got.test[:] = 1 - got.test
    assert (pick(got, [0, 1, 2, 3]) == before).all()


def test_a_loss_that_is_no_number_loses_ties():
    got = outcomes()
    got.validation[:, 0] = 0.5
    got.loss[:, 0, :] = np.inf
    got.loss[:, 0, 4] = 9.0
    assert (pick(got, [0])[:, 1] == 4).all()


def test_cells_and_pairs_of_all_three_families():
    got = outcomes(1)
    answer = summarise(SETTINGS, MADE, got, 60, 25)

    def tested(members):
        return [got.test[(r, *picked_by_hand(got, r, members))] for r in range(R)]

    for c, cell in enumerate(answer.cells):
        assert f"{cell['method']}+{cell['penalty']}" == NAMES[c]
        assert cell["test"]["values"] == tested([c])
        assert cell["test"]["mean"] == pytest.approx(np.mean(tested([c])))
        assert cell["default"] == {"mean": pytest.approx(got.test[:, c, 0].mean()), "values": list(got.test[:, c, 0])}
        assert cell["diverged"] == got.diverged[:, c].sum()
    families = {
        "method": (("sgd", "momentum"), ([0, 1], [2, 3])),
        "penalty": (("none", "l2"), ([0, 2], [1, 3])),
        "cell": (NAMES, ([0], [1], [2], [3])),
    }
    for factor, (names, groups) in families.items():
        scores = np.array([tested(members) for members in groups]).T
        want = compare_paired(scores, 60, 25)  # each family has a Holm of its own
        got_pairs = [pair for pair in answer.pairs if pair["factor"] == factor]
        assert len(got_pairs) == len(want)
        for ours, theirs in zip(got_pairs, want):
            assert (ours["a"], ours["b"]) == (names[theirs.a], names[theirs.b])
            assert {k: ours[k] for k in ("difference", "low", "high", "p", "verdict")} == {
                k: theirs[k] for k in ("difference", "low", "high", "p", "verdict")
            }
    assert [pair["factor"] for pair in answer.pairs] == ["method", "penalty", *["cell"] * 6]


def test_techniques_and_models_are_families_where_there_are_several():
    s = Settings(
        methods="sgd", penalties="none", techniques="none,dropout", model="mlp:4,mlp:8", trials=TRIALS, replicates=R
    )
    made = candidates(s)
    got = outcomes(9, values=[[candidate.trials(r) for candidate in made] for r in range(R)])
    answer = summarise(s, made, got, 60, 25)
    assert [(c["technique"], c["model"]) for c in answer.cells] == [
        ("none", "mlp:4"), ("none", "mlp:8"), ("dropout", "mlp:4"), ("dropout", "mlp:8"),
    ]  # fmt: skip
    assert [pair["factor"] for pair in answer.pairs] == ["technique", "model", *["cell"] * 6]
    for place, factor, groups in ((2, "technique", ([0, 1], [2, 3])), (3, "model", ([0, 2], [1, 3]))):
        scores = [[got.test[(r, *picked_by_hand(got, r, members))] for r in range(R)] for members in groups]
        family = answer.families[place]
        assert (family["factor"], [member["values"] for member in family["members"]]) == (factor, scores)
        (pair,) = [pair for pair in answer.pairs if pair["factor"] == factor]
        (want,) = compare_paired(np.array(scores).T, 60, 25)
        assert (pair["difference"], pair["p"]) == (want["difference"], want["p"])
    assert [family["factor"] for family in answer.families] == ["method", "penalty", "technique", "model"]
    assert answer.pairs[2]["a"] == "sgd+none, mlp:4"
    one = summarise(SETTINGS, MADE, outcomes(9), 60, 25)
    assert [family["factor"] for family in one.families] == ["method", "penalty"]


def test_scores_under_attack_are_those_of_the_picked_trials():
    got = outcomes(10)
    under = Outcomes(got.validation, got.loss, got.test, got.diverged, got.values, got.test / 2)
    answer = summarise(SETTINGS, MADE, under, 60, 25)
    for c, cell in enumerate(answer.cells):
        want = [got.test[(r, *picked_by_hand(got, r, [c]))] / 2 for r in range(R)]
        assert cell["attacked"]["values"] == want
        assert cell["attacked"]["mean"] == pytest.approx(np.mean(want))
        assert cell["attacked"]["low"] < cell["attacked"]["mean"] < cell["attacked"]["high"]
    assert "attacked" not in summarise(SETTINGS, MADE, got, 60, 25).cells[0]


def test_a_row_of_a_class_adds_its_share_to_balanced_accuracy():
    y, hits = np.array([0, 0, 0, 2]), np.array([1, 0, 1, 1])
    assert (hits * shares(y, "balanced")).mean() == pytest.approx((2 / 3 + 1) / 2)
    assert (hits * shares(y, "accuracy")).mean() == 0.75


def test_an_end_that_cannot_be_moved_is_not_warned_of():
    s = Settings(
        methods="sgd", penalties="none", techniques="augment,dropout", model="mlp:4", trials=TRIALS, replicates=R
    )
    made, got = candidates(s), outcomes(5)
    assert made[0].spaces["augment.rotate"].low == 0
    values = [[candidate.trials(r) for candidate in made] for r in range(R)]
    for trial in [trial for replicate in values for trials in replicate for trial in trials[1:]]:
        middle = {name: space.at(0.5) for c in made for name, space in c.spaces.items() if name in trial}
        trial |= middle | {name: 1e-9 for name in ("augment.rotate",) if name in trial}
        trial |= {name: 1e-9 for name in ("dropout.rate",) if name in trial}
    two = Outcomes(*(part[:, :2] for part in (got.validation, got.loss, got.test, got.diverged)), values)
    warnings = [cell["warnings"] for cell in summarise(s, made, two, 60, 25).cells]
    dropout = made[1].spaces["dropout.rate"]
    assert warnings == [
        [],
        [f"best dropout.rate lies at the low edge of its space ({dropout}); widen it: --space dropout.rate=LOW:HIGH"],
    ]


def test_an_edge_of_a_second_technique_of_a_kind_is_named_by_its_place():
    s = Settings(
        methods="sgd", penalties="none", techniques="dropout:rate=0.5,layers=1+dropout:layers=2", model="mlp:4,4",
        trials=TRIALS, replicates=R,
    )  # fmt: skip
    made, got = candidates(s), outcomes(5)
    values = [[[{}] + [{"rate": 0.01, "dropout2.rate": 0.06} for _ in range(TRIALS)]] for _ in range(R)]
    one = Outcomes(*(part[:, :1] for part in (got.validation, got.loss, got.test, got.diverged)), values)
    (cell,) = summarise(s, made, one, 60, 25).cells
    assert cell["warnings"] == [
        "best dropout2.rate lies at the low edge of its space (uniform 0.05 … 0.8); widen it: "
        "--space dropout2.rate=LOW:HIGH"
    ]


def test_expected_best_is_the_mean_over_all_subsets_of_trials():
    """By hand for n = 1, 2 and N: the mean, the mean maximum of all pairs, the maximum; averaged over replicates."""
    got = outcomes(2)
    curve = summarise(SETTINGS, MADE, got, 60, 25).cells[1]["expected_best"]
    v = got.validation[:, 1, 1:]
    pairs = [np.maximum(v[:, i], v[:, j]) for i in range(TRIALS) for j in range(i)]
    assert len(curve) == TRIALS
    assert curve[0] == pytest.approx(v.mean())
    assert curve[1] == pytest.approx(np.mean(pairs))
    assert curve[-1] == pytest.approx(v.max(axis=1).mean())


def test_the_recommended_setting_won_somewhere_and_no_test_score_chose_it():
    got = outcomes(3)
    answer = summarise(SETTINGS, MADE, got, 60, 25)
    winners = {c: [picked_by_hand(got, r, [c])[1] for r in range(R)] for c in range(4)}
    for c, cell in enumerate(answer.cells):
        tuned = [dict(got.values[r][c][t]) for r, t in enumerate(winners[c])]
        r = tuned.index(cell["tuned"]["hyperparameters"])
        assert cell["tuned"]["validation"] == got.validation[r, c, winners[c][r]]
    means = [np.mean([got.validation[r, c, t] for r, t in enumerate(winners[c])]) for c in range(4)]
    best = answer.cells[int(np.argmax(means))]
    parts = {name: best[name] for name in ("method", "penalty", "technique", "model")}
    assert answer.recommended == {**parts, **best["tuned"]}
    shuffled = outcomes(3, test=np.random.default_rng(9).permuted(got.test, axis=2))
    assert summarise(SETTINGS, MADE, shuffled, 60, 25).recommended == answer.recommended


def test_an_easy_replicate_does_not_recommend_its_winner():
    got = outcomes(4)
    got.validation[:] = 0.6
    got.validation[0] = 0.9  # replicate 0 is easy for everyone, the defaults too
    got.validation[3, :, 5] = 0.75  # in replicate 3 one trial stands out
    tuned = summarise(SETTINGS, MADE, got, 60, 25).cells[0]["tuned"]
    assert tuned["hyperparameters"] == dict(got.values[3][0][5])


def test_winners_at_the_end_of_a_space_are_warned_of_by_its_owner():
    got = outcomes(5)
    for r in range(R):
        for candidate, trials in zip(MADE, got.values[r]):
            for values in trials[1:]:
                values["rate"] = 0.95 if candidate.method == "sgd" else 0.01
                if "strength" in values:
                    values["strength"] = 1.1e-5
                if "momentum" in values:
                    values["momentum"] = 0.75
    answer = summarise(SETTINGS, MADE, got, 60, 25)
    rate = "best rate lies at the high edge of its space (log-uniform 0.0001 … 1); widen it: --space sgd.rate=LOW:HIGH"
    low = "best strength lies at the low edge of its space (log-uniform 1e-05 … 0.1); widen it: "
    low += "--space l2.strength=LOW:HIGH"
    assert [cell["warnings"] for cell in answer.cells] == [[rate], [rate, low], [], [low]]
    assert answer.warnings[-4:] == [f"sgd+none: {rate}", f"sgd+l2: {rate}", f"sgd+l2: {low}", f"momentum+l2: {low}"]


def test_a_method_that_loses_to_one_it_contains_is_suspect():
    got = outcomes(6)
    got.test[:, 2:] = got.test[:, 2:] / 10  # momentum
    answer = summarise(SETTINGS, MADE, got, 60, 25)
    assert answer.pairs[0]["verdict"] == "better"
    assert answer.warnings[0].startswith("search space suspect: momentum contains sgd, yet is worse by ")
    turned = outcomes(6)
    turned.test[:, :2] = turned.test[:, :2] / 10  # sgd
    answer = summarise(SETTINGS, MADE, turned, 60, 25)
    assert answer.pairs[0]["verdict"] == "worse"
    assert not any("suspect" in warning for warning in answer.warnings)


def test_no_verdict_below_five_replicates_or_ten_trials():
    few = Settings(methods="sgd,momentum", penalties="none,l2", trials=9, replicates=R)
    got = outcomes(7)
    got.test[:, 2:] = 0.01
    short = Outcomes(*(part[:, :, :10] for part in (got.validation, got.loss, got.test, got.diverged)), got.values)
    answer = summarise(few, candidates(few), short, 60, 25)
    assert {pair["verdict"] for pair in answer.pairs} == {"undetermined"}
    assert answer.verdict.startswith("estimates only, no verdict (6 paired replicates, 9 trials each;")
    full = summarise(SETTINGS, MADE, got, 60, 25)
    assert full.pairs[0]["verdict"] == "better"
    assert full.verdict.startswith("on your data, sgd beats momentum by ")


def test_one_candidate_is_compared_with_nobody():
    alone = Settings(methods="sgd", penalties="none", trials=TRIALS, replicates=R)
    got = outcomes(8)
    one = Outcomes(*(part[:, :1] for part in (got.validation, got.loss, got.test, got.diverged)), got.values)
    answer = summarise(alone, candidates(alone), one, 60, 25)
    assert answer.pairs == []
    assert answer.verdict == "nothing was compared: there is only one candidate"


def test_a_cell_that_only_diverged_says_so_and_nothing_of_its_space():
    got = outcomes(1)
    got.diverged[:, 2] = True
    answer = summarise(SETTINGS, MADE, got, 60, 25)
    assert answer.cells[2]["warnings"] == [LOST]
    assert f"{NAMES[2]}: {LOST}" in answer.warnings
    assert all(LOST not in cell["warnings"] for c, cell in enumerate(answer.cells) if c != 2)
