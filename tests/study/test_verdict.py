"""The sentence, on hand-made pairs: every shape an answer can take."""

import itertools
from dataclasses import replace

import pytest

from steepest.core.errors import SettingError
from steepest.study.statistics import Pair
from steepest.study.verdict import Design, Family, search_space_suspect, sentence

DESIGN = Design(replicates=10, trials=20, n_train=180, n_test=75)
BASIS = "(10 paired replicates, 20 trials each)"


def family(means, verdicts, half=0.005, factor="method"):
    """Candidates by name → mean; `verdicts` maps "a b" (a the better) to a verdict, all others are undetermined."""
    names = tuple(means)
    pairs = []
    for i, j in itertools.combinations(range(len(names)), 2):
        d = means[names[i]] - means[names[j]]
        verdict = verdicts.get(f"{names[i]} {names[j]}")
        if verdict is None:
            verdict = {"better": "worse"}.get(v := verdicts.get(f"{names[j]} {names[i]}", "undetermined"), v)
        pairs.append(Pair(i, j, d, d - half, d + half, 0.01, verdict))
    return Family(factor, names, tuple(means.values()), tuple(pairs))


def test_two_candidates_with_a_winner_named_first_whichever_came_first():
    want = f"on your data, adam beats sgd by 0.8 ± 0.5 points {BASIS}"
    assert sentence([family({"adam": 0.910, "sgd": 0.902}, {"adam sgd": "better"})], DESIGN) == want
    assert sentence([family({"sgd": 0.902, "adam": 0.910}, {"adam sgd": "better"})], DESIGN) == want


def test_two_equivalent():
    got = sentence([family({"adam": 0.910, "sgd": 0.909}, {"adam sgd": "equivalent"}, 0.002)], DESIGN)
    assert got == f"on your data, adam and sgd are equivalent within 0.5 points {BASIS}"


def test_two_undetermined_says_what_would_settle_it():
    got = sentence([family({"sgd": 0.90, "adam": 0.92}, {}, 0.024)], DESIGN)
    assert got == (
        f"on your data, it is undetermined whether sgd or adam is better: -2.0 ± 2.4 points {BASIS}. "
        "To settle adam against sgd (2.0 ± 2.4 points): about 36 replicates or about 1.4 times the rows, "
        "if the difference stays"
    ).replace("sgd or adam is better: -2.0", "adam or sgd is better: 2.0")


def test_when_no_number_of_replicates_would_do():
    got = sentence([family({"sgd": 0.90, "adam": 0.91}, {}, 0.04)], DESIGN)
    assert "16 times the rows, if the difference stays; more replicates would not do" in got


def test_a_single_winner_over_all():
    wins = {"adam sgd": "better", "adam gd": "better"}
    got = sentence([family({"gd": 0.85, "adam": 0.91, "sgd": 0.90}, wins)], DESIGN)
    assert got == f"on your data, adam beats sgd and gd, the nearest (sgd) by 1.0 ± 0.5 points {BASIS}"


def test_a_group_ahead_of_the_rest():
    wins = {f"{a} {b}": "better" for a in ("adam", "rmsprop") for b in ("sgd", "gd")}
    means = {"adam": 0.91, "rmsprop": 0.909, "sgd": 0.89, "gd": 0.88}
    got = sentence([family(means, {**wins, "adam rmsprop": "equivalent"})], DESIGN)
    assert got == (
        "on your data, adam and rmsprop each beat sgd and gd, the least (rmsprop over sgd) by 1.9 ± 0.5 points, "
        f"and of the first 2, adam and rmsprop are equivalent within 0.5 points {BASIS}"
    )
    got = sentence([family(means, wins)], DESIGN)
    assert "and of the first 2, it is undetermined whether adam or rmsprop is better: 0.1 ± 0.5 points" in got
    assert "To settle adam against rmsprop" in got


def test_no_group_ahead_but_some_wins():
    means = {"adam": 0.91, "rmsprop": 0.909, "sgd": 0.905, "gd": 0.88}
    wins = {"adam gd": "better", "rmsprop gd": "better"}
    got = sentence([family(means, wins)], DESIGN)
    assert got.startswith(
        "on your data, it is undetermined which of adam, rmsprop and sgd is best, "
        f"but adam and rmsprop each beat gd by at least 2.9 ± 0.5 points {BASIS}. To settle adam against rmsprop"
    )


def test_one_unbeaten_that_does_not_beat_all():
    means = {"adam": 0.91, "rmsprop": 0.907, "sgd": 0.88}
    wins = {"adam sgd": "better", "rmsprop sgd": "better"}
    chain = {"adam rmsprop": "better", "rmsprop sgd": "better"}  # adam against sgd is too noisy to tell
    assert "adam and rmsprop each beat sgd" in sentence([family(means, wins)], DESIGN)
    got = sentence([family(means, chain)], DESIGN)
    assert got.startswith("on your data, it is undetermined which method is best, but adam beats rmsprop by 0.3")
    assert "and rmsprop beats sgd by 2.7 ± 0.5 points" in got
    assert "To settle adam against sgd" in got


def test_all_undetermined_and_all_equivalent():
    means = {"adam": 0.910, "rmsprop": 0.909, "sgd": 0.908}
    got = sentence([family(means, {}, 0.03)], DESIGN)
    assert got.startswith(f"on your data, it is undetermined which of adam, rmsprop and sgd is best {BASIS}. To settle")
    assert "beat" not in got
    alike = {"adam rmsprop": "equivalent", "adam sgd": "equivalent", "rmsprop sgd": "equivalent"}
    assert sentence([family(means, alike)], DESIGN) == (
        f"on your data, adam, rmsprop and sgd are equivalent within 0.5 points {BASIS}"
    )
    got = sentence([family(means, {"adam rmsprop": "equivalent"})], DESIGN)
    assert "which of adam, rmsprop and sgd is best, but adam and rmsprop are equivalent within 0.5 points" in got


def test_methods_then_penalties_and_a_family_of_one_is_silent():
    methods = family({"adam": 0.910, "sgd": 0.902}, {"adam sgd": "better"})
    penalties = family({"none": 0.906, "l2": 0.9065}, {"none l2": "equivalent"}, factor="penalty")
    alone = family({"mlp": 0.9}, {}, factor="model")
    assert sentence([methods, alone, penalties], DESIGN) == (
        "on your data, adam beats sgd by 0.8 ± 0.5 points; l2 and none are equivalent within 0.5 points " + BASIS
    )
    assert sentence([alone], DESIGN) == "nothing was compared: there is only one candidate"


def test_a_given_test_set_speaks_for_this_training_set_only():
    given = replace(DESIGN, given=True)
    got = sentence([family({"adam": 0.910, "sgd": 0.902}, {"adam sgd": "better"})], given)
    assert got == (
        "for this training set, adam beats sgd by 0.8 ± 0.5 points "
        "(10 paired replicates, 20 trials each, on the data's own test rows)"
    )
    assert "To settle" not in sentence([family({"adam": 0.910, "sgd": 0.902}, {}, 0.02)], given)


def techniques(means, verdicts, half=0.005):
    return family(means, verdicts, half, factor="technique")


def test_one_technique_helps_harms_makes_no_difference_or_it_is_undetermined():
    by = {"none": 0.90, "dropout": 0.912}
    assert sentence([techniques(by, {"dropout none": "better"})], DESIGN) == (
        f"on your data, dropout helps by 1.2 ± 0.5 points {BASIS}"
    )
    assert sentence([techniques({"none": 0.90, "dropout": 0.89}, {"none dropout": "better"})], DESIGN) == (
        f"on your data, dropout harms by 1.0 ± 0.5 points {BASIS}"
    )
    assert sentence([techniques({"none": 0.90, "dropout": 0.901}, {"dropout none": "equivalent"}, 0.003)], DESIGN) == (
        f"on your data, dropout makes no difference (equivalent within 0.5 points) {BASIS}"
    )
    assert sentence([techniques(by, {}, 0.02)], DESIGN) == (
        f"on your data, it is undetermined whether dropout helps: 1.2 ± 2.0 points {BASIS}. To settle dropout "
        "against no technique (1.2 ± 2.0 points): about 2.8 times the rows, if the difference stays; more replicates "
        "would not do"
    )


def test_several_techniques_say_whether_each_helps_and_which_helps_most():
    means = {"none": 0.90, "dropout": 0.915, "augment": 0.94, "smoothing": 0.88, "max-norm": 0.902}
    verdicts = {
        "dropout none": "better", "augment none": "better", "none smoothing": "better", "augment dropout": "better",
        "augment max-norm": "better", "augment smoothing": "better",
    }  # fmt: skip
    got = sentence([techniques(means, verdicts)], DESIGN)
    assert got.startswith(
        "on your data, augment helps by 4.0 ± 0.5 points; dropout helps by 1.5 ± 0.5 points; "
        "smoothing harms by 2.0 ± 0.5 points; it is undetermined whether max-norm helps: 0.2 ± 0.5 points; "
        f"augment beats dropout and max-norm, the nearest (dropout) by 2.5 ± 0.5 points {BASIS}. "
        "To settle max-norm against no technique"
    )


def test_several_techniques_of_which_none_is_known_to_help():
    means = {"dropout": 0.905, "none": 0.90, "augment": 0.90, "smoothing": 0.899}
    got = sentence([techniques(means, {"smoothing none": "equivalent", "augment none": "equivalent"}, 0.01)], DESIGN)
    assert got.startswith(
        "on your data, augment and smoothing make no difference (equivalent within 0.5 points); "
        f"it is undetermined whether dropout helps: 0.5 ± 1.0 points {BASIS}. To settle dropout against no technique"
    )
    got = sentence([techniques(means, {}, 0.01)], DESIGN)
    assert got.startswith(
        "on your data, it is undetermined whether dropout (0.5 ± 1.0 points), augment (0.0 ± 1.0 points) or "
        f"smoothing (-0.1 ± 1.0 points) helps {BASIS}"
    )


def test_techniques_without_none_among_them_are_compared_as_methods_are():
    got = sentence([techniques({"dropout": 0.91, "augment": 0.93}, {"augment dropout": "better"})], DESIGN)
    assert got == f"on your data, augment beats dropout by 2.0 ± 0.5 points {BASIS}"


def test_estimates_tell_no_technique_from_no_penalty():
    both = [family({"none": 0.9, "l2": 0.8}, {}, factor="penalty"), techniques({"none": 0.9, "dropout": 0.8}, {})]
    got = sentence(both, Design(4, 20, 180, 75))
    assert got.endswith(": none 90.0 %, l2 80.0 %; no technique 90.0 %, dropout 80.0 %")


@pytest.mark.parametrize(("replicates", "trials"), [(4, 20), (10, 9)])
def test_too_few_replicates_or_trials_give_estimates_only(replicates, trials):
    methods = family({"sgd": 0.902, "adam": 0.910}, {"adam sgd": "better"})
    assert sentence([methods], Design(replicates, trials, 180, 75)) == (
        f"estimates only, no verdict ({replicates} paired replicates, {trials} trials each; "
        "a verdict needs at least 5 replicates and 10 trials): adam 91.0 %, sgd 90.2 %"
    )


def test_numbers_and_units():
    fine = family({"adam": 0.9100, "sgd": 0.9052}, {"adam sgd": "better"}, 0.0003)
    assert "by 0.48 ± 0.03 points" in sentence([fine], DESIGN)
    named = Design(10, 20, 180, 75, margin=0.0125, metric="f1")
    same = family({"adam": 0.91, "sgd": 0.91}, {"adam sgd": "equivalent"}, 0.0)
    assert "equivalent within 1.25 points of macro F1" in sentence([same], named)
    constant = family({"adam": 0.93, "sgd": 0.91}, {}, 0.0)
    assert "the same in every replicate" in sentence([constant], DESIGN)


def test_a_family_with_missing_pairs_is_refused():
    with pytest.raises(SettingError, match="one pair for each"):
        Family("method", ("adam", "sgd"), (0.9, 0.8), ())


def test_search_space_is_suspect_when_the_larger_loses():
    contains = {"momentum": ("sgd",), "nesterov": ("sgd",)}
    methods = family({"sgd": 0.91, "momentum": 0.90, "nesterov": 0.905}, {"sgd momentum": "better"})
    (warning,) = search_space_suspect(methods.pairs, methods.names, contains)
    assert warning.startswith("search space suspect: momentum contains sgd, yet is worse by 1.0 ± 0.5 points; widen")
    turned = family({"momentum": 0.90, "sgd": 0.91}, {"sgd momentum": "better"})
    assert search_space_suspect(turned.pairs, turned.names, contains) == [warning]
    honest = family({"sgd": 0.90, "momentum": 0.91}, {"momentum sgd": "better"})
    assert search_space_suspect(honest.pairs, honest.names, contains) == []
