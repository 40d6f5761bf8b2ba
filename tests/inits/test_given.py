import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.stack import stack
from steepest.inits.given import Given
from steepest.models.linear import Linear
from steepest.models.mlp import MLP

KEY = jax.random.key(0)


def test_given_weights_are_the_models_biases_included():
    given = {"W": np.arange(6.0).reshape(2, 3), "b": np.array([7.0, 8.0])}
    params = Linear().init(KEY, (3,), 2, Given(given), "float32")
    np.testing.assert_array_equal(params["W"], given["W"])
    np.testing.assert_array_equal(params["b"], given["b"])
    assert params["W"].dtype == jnp.float32


def test_many_starting_points_are_one_population():
    points = [{"W": np.full((1, 2), x), "b": np.full(1, -x)} for x in (1.0, 2.0, 3.0)]
    started = jax.vmap(lambda init: Linear().init(KEY, (2,), 1, init, "float32"))(stack([Given(p) for p in points]))
    np.testing.assert_array_equal(started["W"][:, 0, 0], [1, 2, 3])
    np.testing.assert_array_equal(started["b"][:, 0], [-1, -2, -3])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"output": {"W": np.ones((2, 4)), "b": np.ones(2)}},
            "no weights for layer1.W; the model has layer1.W, layer1.b",
        ),
        (
            {"layer1": {"W": np.ones((4, 3)), "b": np.ones(5)}, "output": {"W": np.ones((2, 4)), "b": np.ones(2)}},
            "layer1.b is 5, and the model's is 4",
        ),
        (
            {
                "layer1": {"W": np.ones((4, 3)), "b": np.ones(4)},
                "output": {"W": np.ones((2, 4)), "b": np.ones(2), "scale": np.ones(2)},
            },
            "weights for output.scale, which the model lacks",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(values, message):
    with pytest.raises(SettingError) as error:
        MLP(widths=(4,)).init(KEY, (3,), 2, Given(values), "float32")
    assert str(error.value).startswith(f"Given: {message}")


def test_weights_that_are_no_numbers_are_refused_when_made():
    with pytest.raises(SettingError, match="Given: W holds NaN or infinity"):
        Given({"W": np.array([1.0, np.nan])})
    with pytest.raises(SettingError, match="Given: W is of type <U1"):
        Given({"W": np.array(["a"])})
