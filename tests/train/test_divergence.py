"""Members that diverge, at different steps of one epoch and in later ones: when, what they keep, and whom it harms."""

import numpy as np
import pytest

import steepest as st

BATCH, EPOCHS, STRENGTH = 8, 6, 2.0
# W is multiplied by 1 − rate·strength each step: sound, then −5.6, −49, −1e6, −1e15. What overflows does so by far, for
# whether a sum at the very edge does hangs on how it is rounded on the way.
RATES = (0.01, 3.3, 25.0, 5e5, 5e14)


@pytest.fixture(scope="module")
def rows():
    chance = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 40)
    return (chance.normal(size=(120, 4)) + y[:, None]).astype(np.float32), y


def population(rows, rates=RATES, **more):
    recipes = [
        st.Recipe(
            method=st.SGD(rate=r), penalty=st.L2(strength=STRENGTH), batch_size=BATCH, shuffle=False, init=st.Ones()
        )
        for r in rates
    ]
    return st.sweep(recipes, *rows, epochs=EPOCHS, validation=0, test=0.25, **more)


def by_hand(X, y, rate):
    """Softmax regression by SGD in float32, step by step: the step that overflows (0: none), the weights before."""
    X, rate, strength = X.astype(np.float32), np.float32(rate), np.float32(STRENGTH)
    W, b = np.ones((3, X.shape[1]), np.float32), np.zeros(3, np.float32)
    t = 0
    with np.errstate(all="ignore"):
        for _ in range(EPOCHS):
            for start in range(0, len(X), BATCH):
                t += 1
                x, own = X[start : start + BATCH], np.eye(3, dtype=np.float32)[y[start : start + BATCH]]
                scores = x @ W.T + b
                raised = np.exp(scores - scores.max(1, keepdims=True))
                g = (raised / raised.sum(1, keepdims=True) - own) / np.float32(len(x))
                new = W - rate * (g.T @ x + strength * W), b - rate * g.sum(0)
                if not all(np.isfinite(part).all() for part in (*new, scores, g)):
                    return t, W, b
                W, b = new
    return 0, W, b


def test_each_stops_before_the_step_that_would_have_overflowed(rows):
    found = population(rows)
    part = found.rows(0).train.rows
    steps = []
    for place, rate in enumerate(RATES):
        step, W, b = by_hand(rows[0][part], rows[1][part], rate)
        assert found.status[0, place] == ("diverged" if step else "finished")
        assert not step or found.step[0, place] == step
        np.testing.assert_allclose(found.params(0, place)["W"], W, rtol=2e-3)
        if not step:  # under huge scores one row more or less of a class decides b, and rounding decides the row
            np.testing.assert_allclose(found.params(0, place)["b"], b, rtol=2e-3, atol=1e-6)
        assert np.isfinite(found.params(0, place)["b"]).all()
        steps.append(step)
    an_epoch = -(-len(part) // BATCH)
    assert steps[0] == 0
    assert len(set(steps)) == len(steps)
    assert len([s for s in steps if 0 < s <= an_epoch]) >= 2, "two diverge in the first epoch, at different steps"
    assert max(steps) > 2 * an_epoch, "one in a later epoch"


@pytest.mark.parametrize("exact", [True, False])
def test_the_others_are_the_same_bit_for_bit(rows, exact):
    together = population(rows, exact=exact, threads=1)
    # the company is as large in both, so that even without `exact` it is the same program
    sound = population(rows, rates=(RATES[0],) * len(RATES), exact=exact, threads=1)
    for name in ("W", "b"):
        assert np.array_equal(together.params(0, 0)[name], sound.params(0, 0)[name])
    assert np.array_equal(together.curves["train_loss"][0, 0], sound.curves["train_loss"][0, 0])


def test_a_member_that_diverged_is_as_it_is_alone(rows):
    together = population(rows)
    for place, rate in enumerate(RATES):
        alone = population(rows, rates=(rate,))
        assert together.step[0, place] == alone.step[0, 0]
        assert np.array_equal(together.params(0, place)["W"], alone.params(0, 0)["W"])
