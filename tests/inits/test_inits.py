import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import stack
from steepest.inits import INITS
from steepest.inits.plain import Normal, Uniform

KEY = jax.random.key(7)
DRAWN = {  # name → (standard deviation for n_in = 300, n_out = 200; bound of a uniform)
    "normal": (0.01, None),
    "uniform": (0.01 / np.sqrt(3), 0.01),
    "xavier": (np.sqrt(2 / 500), None),
    "xavier-uniform": (np.sqrt(2 / 500), np.sqrt(6 / 500)),
    "he": (np.sqrt(2 / 300), None),
    "he-uniform": (np.sqrt(2 / 300), np.sqrt(6 / 300)),
    "lecun": (np.sqrt(1 / 300), None),
    "torch": (np.sqrt(1 / 900), np.sqrt(1 / 300)),
}


def draw(init, key=KEY, dtype="float32"):
    return init.weights(key, (200, 300), 300, 200, dtype)


def test_every_init_is_tested_here():
    assert {*DRAWN, "zeros", "ones", "given"} == set(INITS.names())


@pytest.mark.parametrize("name", DRAWN)
def test_deviation_and_bounds(name):
    deviation, bound = DRAWN[name]
    w = np.asarray(draw(INITS[name]()), np.float64)
    # 60,000 draws: the deviation's own relative error is below 1/√(2·60000) = 0.3 %; four of them
    assert w.std() == pytest.approx(deviation, rel=0.012)
    assert abs(w.mean()) < 4 * deviation / np.sqrt(w.size)
    if bound is None:
        assert np.abs(w).max() > 3.5 * deviation  # a normal's tail is not cut off
    else:
        assert 0.999 * bound < np.abs(w).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("name", DRAWN)
def test_draws_hang_on_the_key_alone(name):
    init = INITS[name]()
    np.testing.assert_array_equal(draw(init), draw(init))
    assert (draw(init) != draw(init, jax.random.key(8))).mean() > 0.99
    assert draw(init).dtype == jnp.float32
    assert init.equation


def test_constants():
    assert not draw(INITS["zeros"]()).any()
    np.testing.assert_array_equal(draw(INITS["ones"]()), np.ones((200, 300)))


def test_scales_are_leaves_and_train_in_one_program():
    inits = stack([Normal(0.1), Normal(2.0)])
    both = jax.vmap(lambda init: draw(init))(inits)
    np.testing.assert_allclose(both[1], 20 * both[0], rtol=1e-5)


def test_a_scale_of_zero_is_refused_by_name():
    with pytest.raises(SettingError, match=r"Uniform.scale = 0; it must be a finite number above 0"):
        Uniform(0.0)
