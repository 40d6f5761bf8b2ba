"""What every loss must hold, whichever the registry has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import stack
from steepest.losses import LOSSES

pytestmark = pytest.mark.parametrize("name", LOSSES.names())


def made(name, classes):
    """The loss; that of several tasks with one."""
    return LOSSES[name](classes=(classes,)) if name == "multi-task" else LOSSES[name]()


def labels_of(loss, y):
    """Class numbers as the loss takes them: in a column a task, where it is of tasks."""
    return jnp.asarray(y)[:, None] if hasattr(loss, "slices") else jnp.asarray(y)


def some(loss, classes, rows=40, scale=3.0):
    rng = np.random.default_rng(classes)
    scores = jnp.asarray(scale * rng.normal(size=(rows, loss.outputs(classes))), jnp.float32)
    return scores, labels_of(loss, rng.integers(0, classes, size=rows))


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_one_number_of_at_least_zero_a_row(name, classes):
    loss = made(name, classes)
    scores, y = some(loss, classes)
    rows = loss.rows(scores, y)
    assert rows.shape == (40,)
    assert rows.dtype == jnp.float32
    assert (rows >= 0).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_do_not_meet(name, classes):
    loss = made(name, classes)
    scores, y = some(loss, classes)
    alone = jnp.concatenate([loss.rows(scores[i : i + 1], y[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(loss.rows(scores, y)[:5], alone, rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_scores_of_ten_thousand_stay_finite_with_their_gradients(name, classes):
    loss = made(name, classes)
    rng = np.random.default_rng(0)
    scores = jnp.asarray(rng.choice([-1e4, 0.0, 1e4], size=(60, loss.outputs(classes))), jnp.float32)
    y = labels_of(loss, rng.integers(0, classes, size=60))
    assert np.isfinite(loss.rows(scores, y)).all()
    assert np.isfinite(jax.grad(lambda s: loss.rows(s, y).sum())(scores)).all()


@pytest.mark.parametrize("classes", [2, 5])
def test_descending_a_little_lowers_it_and_a_lot_labels_the_rows(name, classes):
    loss = made(name, classes)
    scores, y = some(loss, classes, scale=0.5)
    gradient = jax.jit(jax.grad(lambda s: loss.rows(s, y).sum()))
    assert float(loss.rows(scores - 1e-3 * gradient(scores), y).sum()) < float(loss.rows(scores, y).sum())
    for _ in range(500):
        scores = scores - 0.5 * gradient(scores)
    np.testing.assert_allclose(loss.labels(scores), y, atol=1e-3 if loss.regression else 0)


@pytest.mark.parametrize("classes", [2, 5])
def test_probabilities_go_with_the_labels(name, classes):
    loss = made(name, classes)
    scores, _ = some(loss, classes)
    if not loss.probabilistic:
        with pytest.raises(SettingError, match="not probabilities"):
            loss.probabilities(scores)
        return
    p = loss.probabilities(scores)
    assert p.shape == (40, classes)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(labels_of(loss, p.argmax(axis=1)), loss.labels(scores))


def test_a_member_among_others_is_as_alone(name):
    losses = [made(name, 3) for _ in range(3)]
    scores, y = some(losses[0], 3)
    many = jnp.stack([scores, 2 * scores, -scores])
    together = jax.vmap(lambda loss, s: loss.rows(s, y))(stack(losses), many)
    for i in range(3):
        np.testing.assert_allclose(together[i], losses[i].rows(many[i], y), rtol=2e-6)


def test_it_says_what_it_is(name):
    cls = LOSSES[name]
    assert cls.equation
    assert cls.paper
    assert LOSSES.name_of(cls()) == name
