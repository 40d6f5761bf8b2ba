"""One model for several tasks: both heads learn, weights decide, and what cannot be is refused."""  # source: R6

import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from steepest import MLP, Adam, Dropout, Given, He, Hinge, MultiTaskClassifier, NoGain, Recipe, Smoothing
from steepest.core.errors import DataError, SettingError
from steepest.losses.multitask import MultiTask
from steepest.techniques.bagging import Bagging

X, DIGIT = load_digits(return_X_y=True)
Y = np.stack([DIGIT.astype(str), np.where(DIGIT % 2, "odd", "even")], axis=1)
ADAM = Recipe(model=MLP(widths=(24,)), method=Adam(rate=0.01))


def started_at(outputs):
    """Weights whose first `outputs` heads are the same for any number of outputs."""
    full = MLP(widths=(24,)).init(jax.random.key(1), (64,), 12, He(), "float32")
    head = {name: leaf[:outputs] for name, leaf in full["output"].items()}
    return Recipe(model=MLP(widths=(24,)), method=Adam(rate=0.01), init=Given({**full, "output": head}))


def test_both_heads_learn_on_a_shared_trunk():
    made = MultiTaskClassifier(ADAM, epochs=15, validation_fraction=0.2).fit(X[:1200], Y[:1200])
    digit, parity = made.accuracies(X[1200:], Y[1200:])
    assert digit > 0.88
    assert parity > 0.93
    assert made.score(X[1200:], Y[1200:]) == (digit + parity) / 2
    assert made.fitted_.params["layer1"]["W"].shape == (24, 64)
    assert made.fitted_.params["output"]["W"].shape == (12, 24)
    shares = made.predict_proba(X[1200:])
    assert [one.shape for one in shares] == [(597, 10), (597, 2)]
    np.testing.assert_allclose(shares[1].sum(axis=1), 1)
    assert (made.classes_[1][shares[1].argmax(axis=1)] == made.predict(X[1200:])[:, 1]).all()
    told = made.fitted_.curves["validation_accuracy"][-1]  # of the mean over tasks
    assert abs(told - made.score(X[1200:], Y[1200:])) < 0.08


def test_a_task_of_weight_zero_is_as_if_it_were_not_there():
    both = MultiTaskClassifier(started_at(12), weights=(1.0, 0.0), epochs=3).fit(X[:600], Y[:600])
    lone = MultiTaskClassifier(started_at(10), epochs=3).fit(X[:600], Y[:600, :1])
    np.testing.assert_allclose(both.predict_proba(X)[0], lone.predict_proba(X)[0], atol=1e-4)
    heads = both.fitted_.params["output"]["W"][10:]
    np.testing.assert_array_equal(heads, started_at(12).init.values["output"]["W"][10:])
    equal = MultiTaskClassifier(started_at(12), epochs=3).fit(X[:600], Y[:600])
    assert np.abs(equal.predict_proba(X)[0] - lone.predict_proba(X)[0]).max() > 0.01


def test_it_is_an_estimator_and_the_seed_decides():
    made = MultiTaskClassifier(ADAM, weights=(1.0, 2.0), epochs=1, random_state=3)
    again = clone(made)
    assert again.get_params() == made.get_params()
    first, second = made.fit(X[:200], Y[:200]), again.fit(X[:200], Y[:200])
    assert first.predict_proba(X)[0].tobytes() == second.predict_proba(X)[0].tobytes()
    other = clone(made).set_params(random_state=4).fit(X[:200], Y[:200])
    assert first.predict_proba(X)[0].tobytes() != other.predict_proba(X)[0].tobytes()


def test_images_keep_their_shape():
    images = X.reshape(-1, 8, 8)
    flat = MultiTaskClassifier(ADAM, epochs=1).fit(X[:200], Y[:200])
    made = MultiTaskClassifier(ADAM, epochs=1).fit(images[:200], Y[:200])
    assert made.fitted_.shape == (8, 8)
    np.testing.assert_allclose(made.predict_proba(images)[0], flat.predict_proba(X)[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recipe": Recipe(loss=Hinge())}, "each task's loss is CrossEntropy, and the recipe's is Hinge"),
        ({"recipe": Recipe(techniques=Smoothing())}, "Smoothing: is for one task's classes"),
        ({"recipe": Recipe(techniques=Dropout())}, r"Dropout: acts on hidden units, and Linear\(\) has none"),
        ({"recipe": Recipe(stop=NoGain())}, "NoGain looks at validation rows"),
        ({"recipe": "mlp"}, "recipe is a str"),
        ({"weights": (1.0,)}, "1 weights for 2 tasks"),
        ({"recipe": Recipe(techniques=Bagging(combine="vote"))}, "has no votes for several tasks"),
        ({"recipe": Recipe(loss=MultiTask()), "weights": (1.0, 1.0)}, "weights go with CrossEntropy"),
        ({"epochs": 0}, "epochs = 0"),
        ({"validation_fraction": 1}, "validation_fraction = 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        MultiTaskClassifier(**settings).fit(X[:50], Y[:50])


def test_labels_that_cannot_be_used_are_refused():
    with pytest.raises(DataError, match="task 2 of 2 holds one class, 'odd'"):
        MultiTaskClassifier().fit(X[:4], [["a", "odd"], ["b", "odd"], ["a", "odd"], ["b", "odd"]])
    with pytest.raises(DataError, match="Y has 3 rows, and X has 4"):
        MultiTaskClassifier().fit(X[:4], [["a", "odd"], ["b", "odd"], ["a", "even"]])
    made = MultiTaskClassifier(ADAM, epochs=1).fit(X[:50], Y[:50])
    with pytest.raises(DataError, match=r"Y has shape \(50,\); \(50, 2\) is needed"):
        made.accuracies(X[:50], Y[:50, 0])
