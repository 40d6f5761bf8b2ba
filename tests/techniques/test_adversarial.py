"""Adversarial rows: truth 15 on the length of a step, the range, and what a linear model's worst row is."""
# source: R9

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import stack
from steepest.inits.scaled import He
from steepest.losses.softmax import CrossEntropy
from steepest.models.mlp import MLP
from steepest.techniques.adversarial import Adversarial, Attack, attacked, fgsm, pgd
from steepest.techniques.contract import Facts, View

MODEL = MLP(widths=(16,), activation="tanh")
PARAMS = MODEL.init(jax.random.key(0), (6, 6), 4, He(), "float32")
X = jax.random.normal(jax.random.key(1), (40, 6, 6))
Y = jnp.arange(40) % 4
WIDE = (jnp.full((6, 6), -100.0), jnp.full((6, 6), 100.0))
NARROW = (jnp.full((6, 6), -1.0), jnp.full((6, 6), 1.0))
KEY = jax.random.key(2)
SIZES = (0.01, 0.3, 2.0)


def losses(X):
    return CrossEntropy().rows(MODEL.apply(PARAMS, X), Y)


def lengths(moved, norm):
    change = np.asarray(moved - X, np.float64).reshape(len(X), -1)
    return np.abs(change).max(1) if norm == "inf" else np.sqrt((change**2).sum(1))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_truth_15_lengths_of_the_steps(norm, size):
    np.testing.assert_allclose(lengths(fgsm(losses, X, size, norm, *WIDE), norm), size, rtol=2e-5)
    found = lengths(pgd(losses, X, size, norm, *WIDE, 10, KEY), norm)
    assert (found <= size * (1 + 2e-5)).all()
    assert (found > 0.9 * size).mean() > 0.5, "most rows have their worst on the surface of the ball"


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_attacked_rows_stay_in_the_range_and_rows_outside_it_where_they_are(kind, norm):
    low, high = NARROW
    moved = np.asarray(attacked(Attack(0.5, kind=kind, norm=norm), losses, X, low, high, KEY))
    given = np.asarray(X)
    inside = np.abs(given) <= 1
    assert np.abs(moved[inside]).max() <= 1
    assert (np.abs(moved) <= np.maximum(np.abs(given), 1)).all()
    assert (lengths(jnp.asarray(moved), norm) <= 0.5 * (1 + 2e-5)).all()
    assert (moved != given).any(axis=(1, 2)).all()


def test_steps_raise_the_loss_and_pgd_raises_it_more():
    plain, one = losses(X), losses(fgsm(losses, X, 0.3, "inf", *WIDE))
    many = losses(pgd(losses, X, 0.3, "inf", *WIDE, 20, KEY))
    assert (one > plain).all()
    assert float(many.mean()) > float(one.mean())


def test_a_linear_model_is_attacked_as_badly_as_can_be():
    """Of w·x + b, the worst within ε is ε‖w‖₁ away in the ∞-norm, ε‖w‖₂ in the 2-norm. (Goodfellow et al. 2014, 3)"""
    w = jnp.array([3.0, -0.5, 0.0, 1e-3])
    rows = jax.random.normal(KEY, (5, 4))

    def margin(rows):
        return jnp.log1p(jnp.exp(-(rows @ w)))

    for norm, long in (("inf", jnp.abs(w).sum()), ("2", jnp.sqrt((w * w).sum()))):
        want = jnp.log1p(jnp.exp(-(rows @ w) + 0.2 * long))
        np.testing.assert_allclose(margin(fgsm(margin, rows, 0.2, norm, -10.0, 10.0)), want, rtol=1e-4)
        found = pgd(margin, rows, 0.2, norm, -10.0, 10.0, 20, KEY)
        np.testing.assert_allclose(margin(found), want, rtol=3e-2)  # from a drawn start, so not quite


def test_a_flat_loss_moves_nothing_and_tiny_slopes_still_do():
    rows = jnp.ones((2, 3))
    for norm in ("inf", "2"):
        flat = fgsm(lambda rows: 0 * rows[:, 0], rows, 0.1, norm, -9.0, 9.0)
        np.testing.assert_array_equal(flat, rows)
        tiny = fgsm(lambda rows: 1e-30 * rows[:, 0], rows, 0.1, norm, -9.0, 9.0)
        np.testing.assert_allclose(tiny[:, 0], 1.1, rtol=1e-6)


def test_starts_are_even_in_the_ball():
    """Half of the volume of a ball in d numbers lies beyond the radius 0.5^(1/d)."""
    many = jnp.zeros((4000, 3))
    drawn = pgd(lambda rows: 0 * rows[:, 0], many, 2.0, "2", -9.0, 9.0, 1, KEY)
    long = np.linalg.norm(np.asarray(drawn), axis=1) / 2
    assert abs((long > 0.5 ** (1 / 3)).mean() - 0.5) < 0.03
    np.testing.assert_allclose(np.asarray(drawn).mean(0), 0, atol=0.06)


def view(params):
    def losses_at(X):
        return CrossEntropy().rows(MODEL.apply(params, X), Y)

    now = losses_at(X)
    return View(X, Y, jnp.ones(40), lambda X: MODEL.apply(params, X), losses_at, now, (), KEY, Facts(*WIDE, 4))


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_training_mixes_both_losses_and_takes_the_rows_as_given(kind):
    technique = Adversarial(0.3, share=0.25, kind=kind)
    moved = attacked(technique, losses, X, *WIDE, KEY)
    total, grads = jax.value_and_grad(lambda p: jnp.sum(view(p).now + technique.extra(view(p))))(PARAMS)

    def by_hand(params):
        plain, hard = (CrossEntropy().rows(MODEL.apply(params, rows), Y) for rows in (X, moved))
        return jnp.sum(0.25 * plain + 0.75 * hard)

    want, slopes = jax.value_and_grad(by_hand)(PARAMS)
    np.testing.assert_allclose(total, want, rtol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), grads, slopes)


def test_sizes_of_a_population_are_its_members_own():
    attacks = [Attack(size) for size in SIZES]
    both = jax.vmap(lambda attack: attacked(attack, losses, X, *WIDE, KEY))(stack(attacks))
    for attack, found in zip(attacks, both):
        np.testing.assert_allclose(lengths(found, "inf"), attack.size, rtol=2e-5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "fgms"}, "unknown Attack.kind 'fgms'; did you mean 'fgsm'"),
        ({"norm": "1"}, "unknown Attack.norm '1'; known: inf, 2"),
        ({"size": -0.1}, "Attack.size = -0.1; it must be a finite number of at least 0"),
        ({"steps": 0}, "Attack: steps = 0; it must be a whole number of at least 1"),
        ({"steps": 1.5}, "steps = 1.5"),
    ],
)
def test_settings_that_no_attack_has(settings, said):
    with pytest.raises(SettingError, match=said.replace("(", r"\(")):
        Attack(**settings)


def test_norm_and_steps_as_a_command_line_gives_them():
    assert Attack(norm=2, kind="pgd").norm == "2"
    assert Adversarial(kind="pgd", steps="12").steps == 12
    with pytest.raises(SettingError, match="steps = 12 does nothing with kind fgsm"):
        Adversarial(steps=12)
