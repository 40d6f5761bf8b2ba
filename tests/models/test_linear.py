import jax
import jax.numpy as jnp
import numpy as np

from steepest.inits.plain import Normal, Zeros
from steepest.losses.softmax import CrossEntropy
from steepest.models.linear import Linear

KEY = jax.random.key(1)


def test_shapes_and_scores():
    params = Linear().init(KEY, (2, 3), 4, Normal(1.0), "float32")
    assert {name: leaf.shape for name, leaf in params.items()} == {"W": (4, 6), "b": (4,)}
    assert not params["b"].any()
    rows = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    params = {**params, "b": jnp.arange(4.0)}
    want = rows.reshape(5, 6) @ np.asarray(params["W"]).T + np.arange(4.0)
    np.testing.assert_allclose(Linear().apply(params, rows), want, rtol=1e-5, atol=1e-5)


def test_without_a_bias_there_is_none():
    params = Linear(bias=False).init(KEY, (3,), 2, Zeros(), "float32")
    assert list(params) == ["W"]
    assert not Linear(bias=False).apply(params, jnp.ones((2, 3))).any()


def test_the_bias_trick_is_the_bias():
    # source: A 9.1.4 — a column of ones and no bias trains as a bias does, when no penalty acts on it
    rng = np.random.default_rng(3)
    X, y = jnp.asarray(rng.normal(size=(60, 4)), jnp.float32), jnp.asarray(rng.integers(0, 3, size=60))
    ones = jnp.concatenate([X, jnp.ones((60, 1))], axis=1)

    def trained(model, rows, steps=100):
        params = model.init(KEY, rows.shape[1:], 3, Zeros(), "float32")
        gradient = jax.jit(jax.grad(lambda p: CrossEntropy().rows(model.apply(p, rows), y).mean()))
        for _ in range(steps):
            params = jax.tree.map(lambda p, g: p - 0.5 * g, params, gradient(params))
        return params

    with_bias, with_trick = trained(Linear(), X), trained(Linear(bias=False), ones)
    np.testing.assert_allclose(with_trick["W"][:, :4], with_bias["W"], atol=2e-6)
    np.testing.assert_allclose(with_trick["W"][:, 4], with_bias["b"], atol=2e-6)
    assert np.abs(with_bias["b"]).max() > 0.05
