"""Cross-entropy of several tasks: weighted sums of each task's own."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest import MLP, He, Recipe
from steepest.core.errors import SettingError
from steepest.core.stack import stack, structure
from steepest.losses import LOSSES
from steepest.losses.multitask import MultiTask
from steepest.losses.softmax import CrossEntropy
from steepest.study.parts import part_from_text, part_text
from steepest.train.ensemble import together
from steepest.train.recipe_json import recipe_from_json, recipe_to_json

RNG = np.random.default_rng(2)
SCORES = RNG.normal(scale=2, size=(6, 9)).astype("f4")
Y = np.stack([RNG.integers(count, size=6) for count in (4, 2, 3)], axis=1)
LOSS = MultiTask(classes=(4, 2, 3), weights=(1.0, 0.25, 2.0))


def by_hand(scores, y):
    shares = np.exp(scores.astype("f8")) / np.exp(scores.astype("f8")).sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(len(y)), y])


def test_rows_labels_and_probabilities_are_those_of_each_task():
    columns = (SCORES[:, :4], SCORES[:, 4:6], SCORES[:, 6:])
    each = [by_hand(scores, Y[:, task]) for task, scores in enumerate(columns)]
    np.testing.assert_allclose(LOSS.rows(SCORES, Y), each[0] + 0.25 * each[1] + 2 * each[2], rtol=1e-5)
    np.testing.assert_array_equal(LOSS.labels(SCORES), np.stack([s.argmax(axis=1) for s in columns], axis=1))
    np.testing.assert_allclose(LOSS.probabilities(SCORES).sum(axis=1), 3, rtol=1e-5)
    np.testing.assert_allclose(LOSS.probabilities(SCORES)[:, 4:6], jax.nn.softmax(columns[1]), rtol=1e-5)
    assert LOSS.outputs() == 9


def test_the_shared_gradient_is_the_weighted_sum_of_the_tasks():
    model, X = MLP(widths=(5,), activation="tanh"), RNG.normal(size=(6, 3)).astype("f4")
    params = model.init(jax.random.key(0), (3,), 9, He(), "float32")

    def gradient(loss_of):
        return jax.grad(lambda p: jnp.mean(loss_of(model.apply(p, X))))(params)

    got = gradient(lambda scores: LOSS.rows(scores, Y))
    alone = [
        gradient(lambda scores, own=own, task=task: CrossEntropy().rows(scores[:, own], Y[:, task]))
        for task, own in enumerate(LOSS.slices)
    ]
    want = jax.tree.map(lambda a, b, c: a + 0.25 * b + 2 * c, *alone)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(want)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    heads = [np.flatnonzero(np.abs(one["output"]["W"]).sum(axis=1)).tolist() for one in alone]
    assert heads == [[0, 1, 2, 3], [4, 5], [6, 7, 8]]  # a task moves its own head only


def test_weights_are_leaves():
    """So losses that weigh tasks differently train in one program."""
    other = MultiTask(classes=(4, 2, 3), weights=(0.0, 3.0, 1.0))
    assert structure(other) == structure(LOSS)
    both = jax.vmap(lambda loss: loss.rows(jnp.asarray(SCORES), jnp.asarray(Y)))(stack([LOSS, other]))
    np.testing.assert_allclose(both[0], LOSS.rows(SCORES, Y), rtol=1e-6)
    np.testing.assert_allclose(both[1], other.rows(SCORES, Y), rtol=1e-6)


def test_an_ensemble_averages_the_probabilities_of_each_task():
    each = RNG.normal(size=(3, 6, 9)).astype("f4")
    made = together(LOSS, "average", each, np.full((3, 6), 1 / 3, "f4"))
    want = np.mean([LOSS.probabilities(one) for one in each], axis=0)
    np.testing.assert_allclose(LOSS.probabilities(made), want, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": (3, 1)}, r"MultiTask: classes = \(3, 1\); it must be whole numbers of at least 2, one a task"),
        ({"classes": (3, 2), "weights": (1.0,)}, "MultiTask: 1 weights for 2 tasks"),
        ({"classes": (3, 2), "weights": (1.0, -1.0)}, "they must be finite numbers of at least 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        MultiTask(**settings)


def test_without_classes_it_waits_for_those_of_the_data():
    loss = MultiTask(weights=(1.0, 0.5))
    assert loss.weights == (1.0, 0.5)
    with pytest.raises(SettingError, match="MultiTask: is for several label columns, and there is one, of 3 classes"):
        loss.outputs(3)


def test_it_is_read_from_text_and_written_back():
    read = part_from_text(LOSSES, "multi-task:weights=1/0.5,classes=3/2")
    assert read == MultiTask(classes=(3, 2), weights=(1.0, 0.5))
    assert part_text(LOSSES, read) == "multi-task:classes=3/2,weights=1.0/0.5"
    assert part_from_text(LOSSES, part_text(LOSSES, read)) == read
    stored = json.loads(json.dumps(recipe_to_json(Recipe(loss=read))))
    assert recipe_from_json(stored).loss == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("multi-task:weights=1/x", "loss multi-task: weights = 'x'; it must be a finite number"),
        ("multi-task:weights=1/-1", "they must be finite numbers of at least 0"),
        ("multi-task:weights=1/nan", "weights = nan; it must be a finite number"),
        ("multi-task:weights=", "'weights=' is no setting"),
        ("multi-task:classes=3/1", "it must be whole numbers of at least 2"),
    ],
)
def test_weights_that_are_none_are_refused(text, said):
    with pytest.raises(SettingError, match=said):
        part_from_text(LOSSES, text)


def test_a_stored_loss_with_weights_that_are_no_numbers_is_refused():
    stored = recipe_to_json(Recipe(loss=LOSS))
    stored["loss"]["settings"]["weights"] = ["1", 1.0, 1.0]
    with pytest.raises(SettingError, match="they must be finite numbers of at least 0"):
        recipe_from_json(stored)
