"""Bagging: each bag trains as it would alone, rows draw as they should, and several models decide together."""
# source: R5

import dataclasses

import jax
import numpy as np
import pytest

from steepest import L1, MLP, SGD, Adam, Linear, Recipe, sweep
from steepest.core.errors import SettingError
from steepest.core.keys import key
from steepest.inits.plain import Ones
from steepest.losses.margin import Hinge
from steepest.losses.sigmoid import OneVsRest, SquaredSigmoid
from steepest.losses.softmax import CrossEntropy
from steepest.losses.squared import Squared
from steepest.methods.averaging import EMA
from steepest.methods.clipping import ClipNorm
from steepest.methods.momentum import Momentum
from steepest.study import source as sources
from steepest.study.replicate import draw_of, draw_replicate
from steepest.techniques.bagging import Bagging
from steepest.techniques.dropout import Dropout
from steepest.train import population
from steepest.train.ensemble import bootstrap, out_of_bag, together
from steepest.train.population import train

RNG = np.random.default_rng(5)
Y = np.arange(101) % 3
X = (RNG.normal(size=(101, 7)) + Y[:, None] * RNG.normal(size=7) / 2).astype("f4")
EVEN = np.full((3, 4), 1 / 3)
SUMMED = {"method": Momentum(rate=0.05), "penalty": L1(0.003), "reduction": "sum", "batch_size": 9}


def replicate(number=0):
    source = sources.from_arrays(X, Y, regression=False)
    return draw_replicate(source, draw_of(source, 0, 0.25, 0.2, False), number)


def leaves(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize(
    "how",
    [
        {"method": Adam(rate=0.05), "clip": ClipNorm(limit=0.5), "average": EMA(decay=0.9)},
        SUMMED,
        {"model": MLP(widths=(5,), norm=True), "method": SGD(rate=0.1)},
    ],
)
def test_a_bag_trains_as_it_would_alone_with_its_counts_as_weights(how):
    """Also clipping by norm, the prox of L1, averages of weights and running statistics are a bag's own."""
    recipe = Recipe(**{"model": MLP(widths=(5,)), **how}).general()
    ours = replicate()
    found = train([dataclasses.replace(recipe, techniques=(Bagging(bags=3),))], ours, epochs=4)
    counts = ours.bags(3)
    for bag in range(3):
        rows = ours.train._replace(weight=ours.train.weight * counts[bag])
        lone = dataclasses.replace(ours, train=rows, key=jax.random.fold_in(ours.key, bag), _made={})
        want = train([recipe], lone, epochs=4).params
        for got, alone in zip(leaves(found.params), leaves(want)):
            np.testing.assert_allclose(got[0, bag], alone[0], rtol=2e-4, atol=5e-5)
    weights = leaves(found.params)[0][0]
    assert np.abs(weights[0] - weights[1]).max() > 0.1, "bags that are alike prove nothing"


def test_a_bag_is_the_same_among_any_number_of_bags():
    recipe = Recipe(model=MLP(widths=(5,)), **SUMMED).general()  # its three bags are compiled already
    few, many = (
        train([dataclasses.replace(recipe, techniques=(Bagging(bags=k),))], replicate(), epochs=4).params
        for k in (3, 5)
    )
    for one, other in zip(leaves(few), leaves(many)):
        np.testing.assert_allclose(one, other[:, :3], rtol=1e-4, atol=1e-5)


def test_an_ensemble_is_bitwise_the_same_in_any_company():
    recipes = [
        Recipe(model=MLP(widths=(5,)), method=SGD(rate=0.03 * i), techniques=(Dropout(rate=0.1 * i), Bagging(bags=3)))
        for i in range(1, 8)
    ]
    crowd = sweep(recipes, X, Y, replicates=2, epochs=2)
    alone = sweep(recipes[4], X, Y, replicates=2, epochs=2)
    for got, want in zip(leaves(crowd.params(1, 4)), leaves(alone.params(1, 0))):
        assert got.tobytes() == want.tobytes()
    assert crowd.score("loss", "validation")[1, 4] == alone.score("loss", "validation")[1, 0]
    assert len(np.unique(crowd.score("loss"))) == 14, "members that are alike prove nothing"


def test_dropout_differs_between_bags(monkeypatch):
    """From the same weights, on the same rows, only what is dropped can tell two bags apart."""
    monkeypatch.setattr(population, "bootstrap", lambda _, groups, bags: np.ones((bags, len(groups)), int))
    found = []
    for rate in (0.0, 0.5):
        techniques = (Dropout(rate=rate), Bagging(bags=2))
        recipe = Recipe(model=MLP(widths=(5,)), init=Ones(), techniques=techniques, batch_size=None)
        weights = train([recipe], replicate(), epochs=1).params["output"]["W"][0]
        found.append(np.abs(weights[0] - weights[1]).max())
    assert found[0] == 0
    assert found[1] > 1e-4


def test_bags_draw_with_replacement():
    alone = np.arange(400)
    counts = bootstrap(key(0, 0, "noise"), alone, 60)
    assert (counts.sum(axis=1) == 400).all()
    assert (bootstrap(key(0, 0, "noise"), alone, 7) == counts[:7]).all()
    assert (bootstrap(key(0, 1, "noise"), alone, 7) != counts[:7]).any()
    assert (bootstrap(key(0, 0, "noise"), alone[::-1] * 3, 7) == counts[:7]).all(), "whatever the groups are called"
    left = (counts == 0).mean()  # each of 24,000 rows is left out with probability (1 − 1/n)ⁿ = 0.3674
    p = (1 - 1 / 400) ** 400
    assert abs(left - p) < 4 * np.sqrt(p * (1 - p) / counts.size)
    assert abs(counts.var() - (1 - 1 / 400)) < 0.05  # of Binomial(n, 1/n)
    assert abs(np.corrcoef(counts[:30].ravel(), counts[30:].ravel())[0, 1]) < 4 / np.sqrt(12_000)


def test_duplicates_are_drawn_together():
    groups = np.array([7, 3, 3, 9, 7, 1, 3, 0])
    counts = bootstrap(key(0, 0, "noise"), groups, 4000)
    for group in groups:
        here = counts[:, groups == group]
        assert (here == here[:, :1]).all()
    drawn = counts[:, [0, 1, 3, 5, 7]]  # a row of each group, in the order of their first rows
    assert (drawn.sum(axis=1) == 5).all()
    assert (drawn == bootstrap(key(0, 0, "noise"), np.arange(5), 4000)).all()
    p = (1 - 1 / 5) ** 5  # that a bag lacks a group
    assert (np.abs((drawn == 0).mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / 4000)).all()


def test_rows_that_fill_up_are_in_no_bag():
    groups = np.arange(101) // 3
    source = sources.from_arrays(X, groups % 3, regression=False, groups=np.minimum(groups, 20))
    for number in range(4):
        made = draw_replicate(source, draw_of(source, 0, 0.25, 0.2, False), number)
        weight, counts = np.asarray(made.train.weight), made.bags(3)
        assert (weight == 0).any() or number
        assert (counts[:, weight == 0] == 0).all()
        _, first = np.unique(made.groups, return_index=True)
        real = counts[:, weight > 0]
        assert (real[:, first].sum(axis=1) == len(first)).all(), "as many draws as there are groups"
        for group in made.groups:
            assert np.ptp(real[:, made.groups == group], axis=1).max() == 0


def test_the_variance_of_an_averaged_score_is_truth_13():
    """v/k + (k − 1)c/k for k members of variance v and covariance c, to 1 %; 0.16 % is what chance does to 800,000."""
    for members, variance, covariance in ((2, 2.0, 0.5), (5, 1.0, 0.0), (9, 1.5, 1.5), (8, 3.0, 1.0)):
        rows = 800_000
        common = np.sqrt(covariance) * RNG.normal(size=rows)
        each = common + np.sqrt(variance - covariance) * RNG.normal(size=(members, rows))
        share = np.full((members, rows), 1 / members)
        mean = np.asarray(together(Squared(), "average", each[..., None], share))[:, 0]
        np.testing.assert_allclose(mean.var(), variance / members + (members - 1) * covariance / members, rtol=0.01)


def test_bags_of_a_trained_ensemble_vary_as_truth_13_says():
    """Members' variance and covariance over data sets give the ensemble's, and its loss is that of their mean."""
    target = (X @ RNG.normal(size=7) + RNG.normal(size=len(X))).astype("f4")
    bags, replicates = 4, 60
    recipe = Recipe(loss=Squared(), method=SGD(rate=0.05), batch_size=None, techniques=Bagging(bags=bags))
    found = sweep([recipe], X, target, replicates=replicates, epochs=40, validation=0.0)
    place = X[:20]
    each = np.empty((replicates, bags, len(place)))
    for number in range(replicates):
        params = jax.tree.map(np.float64, found.params(number, 0))
        W, b = params["W"][:, 0], params["b"][:, 0]
        each[number] = W @ place.T + b[:, None]
        rows = found.rows(number).test.rows
        off = (W @ X[rows].T + b[:, None]).mean(axis=0) - target[rows]
        assert found.score("loss")[number, 0] == pytest.approx(np.mean(off**2) / 2, rel=1e-4)
    apart = each - each.mean(axis=0)
    between = np.einsum("rip,rjp->pij", apart, apart) / replicates
    variance = np.trace(between, axis1=1, axis2=2) / bags
    covariance = (between.sum(axis=(1, 2)) - bags * variance) / (bags * (bags - 1))
    assert (covariance < 0.9 * variance).all(), "bags that are alike would prove nothing"
    assert covariance.mean() > 0.05 * variance.mean(), "they share most of their rows"
    want = variance / bags + (bags - 1) * covariance / bags
    np.testing.assert_allclose(each.mean(axis=1).var(axis=0), want, rtol=0.01)


def softmax(s):
    return np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True)


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def test_an_average_is_of_probabilities():
    each = RNG.normal(scale=3, size=(3, 4, 5)).astype("f4")
    mean = softmax(each).mean(axis=0)
    got = CrossEntropy().probabilities(together(CrossEntropy(), "average", each, EVEN))
    np.testing.assert_allclose(got, mean, rtol=1e-5)
    for loss in (OneVsRest(), SquaredSigmoid()):
        made = together(loss, "average", each, EVEN)
        np.testing.assert_allclose(sigmoid(np.asarray(made)), sigmoid(each).mean(axis=0), rtol=1e-5)
        lone = together(loss, "average", each[:1], np.ones((1, 4)))
        np.testing.assert_allclose(lone, each[0], rtol=1e-4)  # an ensemble of one is that one
    np.testing.assert_allclose(together(Hinge(), "average", each, EVEN), each.mean(axis=0), rtol=1e-5)
    far = np.array([[[900.0, 0.0]], [[-900.0, 0.0]]])
    loss = CrossEntropy().rows(together(CrossEntropy(), "average", far, np.full((2, 1), 0.5)), np.array([0]))
    np.testing.assert_allclose(loss, [np.log(2)], rtol=1e-5)


def test_votes_are_counted_and_the_average_decides_ties():
    # row 0: two weak votes for class 1 against a strong one for class 0; row 1: a tie of 0 and 2, 2 is surer
    each = np.array(
        [
            [[9.0, 0.0, 0.0], [0.1, 0.0, 0.0]],
            [[0.0, 0.1, 0.0], [0.0, 0.0, 5.0]],
            [[0.0, 0.1, 0.0], [0.0, 0.2, 0.0]],
        ]
    )
    for loss in (CrossEntropy(), OneVsRest(), Hinge()):
        share = np.full((3, 2), 1 / 3)
        assert loss.labels(together(loss, "vote", each, share)).tolist() == [1, 2]
        assert loss.labels(together(loss, "average", each, share)).tolist() == [0, 2]
    made = CrossEntropy().probabilities(together(CrossEntropy(), "vote", each, np.full((3, 2), 1 / 3)))
    np.testing.assert_allclose(made[0], (np.array([1, 2, 0]) + softmax(each[:, 0]).mean(axis=0) / 2) / 3.5, rtol=1e-5)
    two = np.array([[[1.0], [-9.0]], [[2.0], [1.0]], [[-9.0], [1.0]]])  # one score for two classes
    assert OneVsRest().labels(together(OneVsRest(), "vote", two, np.full((3, 2), 1 / 3))).tolist() == [1, 1]
    assert OneVsRest().labels(together(OneVsRest(), "average", two, np.full((3, 2), 1 / 3))).tolist() == [1, 0]


@pytest.mark.parametrize("combine", ["average", "vote"])
def test_out_of_bag_scores_are_those_of_the_bags_that_did_not_draw_the_row(combine):
    each = RNG.normal(size=(6, 40, 3)).astype("f4")
    counts = bootstrap(key(3, 0, "noise"), np.arange(40), 6)
    got = np.asarray(CrossEntropy().probabilities(out_of_bag(CrossEntropy(), combine, each, counts)))
    seen = 0
    for row in range(40):
        absent = [bag for bag in range(6) if counts[bag, row] == 0]
        if not absent:
            continue
        seen += 1
        mean = softmax(each[absent, row]).mean(axis=0)
        votes = np.bincount(each[absent, row].argmax(axis=-1), minlength=3)
        want = mean if combine == "average" else (votes + mean / 2) / (len(absent) + 0.5)
        np.testing.assert_allclose(got[row], want, rtol=1e-5)
    assert 30 < seen < 40


def test_an_ensemble_is_no_worse_than_its_bags_are_on_average():
    """By Jensen's inequality the log loss of a mean is at most the mean of log losses, and less where they differ."""
    ours = replicate()
    recipe = Recipe(model=MLP(widths=(20,)), method=Adam(rate=0.05), techniques=Bagging(bags=6))
    found = train([recipe], ours, epochs=10)
    test = ours.test
    each = jax.vmap(recipe.model.apply, in_axes=(0, None))(jax.tree.map(lambda p: p[0], found.params), test.X)
    losses = [float(np.mean(CrossEntropy().rows(one, test.y))) for one in each]
    assert found.test[1][0] < np.mean(losses) - 0.01


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(SettingError, match=r"Bagging\.bags = 0"):
        Bagging(bags=0)
    with pytest.raises(SettingError, match=r"unknown Bagging\.combine 'votes'; did you mean 'vote'"):
        Bagging(combine="votes")
    with pytest.raises(SettingError, match="bagging is there twice"):
        Recipe(techniques=(Bagging(2), Bagging(3)))
    numbers = Recipe(model=Linear(), loss=Squared(), techniques=Bagging(bags=2, combine="vote"))
    with pytest.raises(SettingError, match=r"Bagging.*is for classes"):
        sweep(numbers, X, X[:, 0], replicates=1, epochs=1)
    averaged = dataclasses.replace(numbers, techniques=(Bagging(bags=2),))
    assert np.isfinite(sweep(averaged, X, X[:, 0], replicates=1, epochs=1).score("loss")).all()
