import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from steepest.inits.scaled import He
from steepest.losses.softmax import CrossEntropy
from steepest.models.activations import ACTIVATIONS
from steepest.models.cnn import CNN
from steepest.models.convolution import convolve
from steepest.models.linear import Linear
from steepest.models.mlp import MLP
from steepest.models.passes import norm_start
from steepest.train.passes import Training


@pytest.mark.parametrize("model", [Linear(), *(MLP(widths=(6, 5), activation=a, slope=0.2) for a in ACTIVATIONS)])
def test_gradients_pass_gradcheck(model):
    rng = np.random.default_rng(0)
    rows, y = jnp.asarray(rng.normal(size=(7, 4))), jnp.asarray(rng.integers(0, 3, size=7))
    params = model.init(jax.random.key(0), (4,), 3, He(), "float64")
    params = jax.tree.map(lambda p: p + jnp.asarray(0.1 * rng.normal(size=p.shape)), params)
    assert all(leaf.dtype == jnp.float64 for leaf in jax.tree.leaves(params))
    check_grads(lambda p: CrossEntropy().rows(model.apply(p, rows), y), (params,), order=2, atol=2e-5, rtol=2e-5)


IMAGES = [CNN(channels=(2, 3), dense=4, activation=a, slope=0.2) for a in ("leaky-relu", "tanh")]
IMAGES += [CNN(channels=(2,), dense=3, kernel=5)]


@pytest.mark.parametrize("model", IMAGES, ids=str)
def test_convolutions_pass_gradcheck_in_weights_and_in_rows(model):
    rng = np.random.default_rng(1)
    rows, y = jnp.asarray(rng.normal(size=(3, 6, 5, 2))), jnp.asarray(rng.integers(0, 3, size=3))
    params = model.init(jax.random.key(0), (6, 5, 2), 3, He(), "float64")
    params = jax.tree.map(lambda p: p + jnp.asarray(0.1 * rng.normal(size=p.shape)), params)
    loss = jax.jit(lambda p, x: CrossEntropy().rows(model.apply(p, x), y))
    check_grads(loss, (params, rows), order=1, atol=1e-6, rtol=1e-6, eps=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_is_linear_and_its_transpose_is_its_own(stride):
    """⟨conv(x), up⟩ = ⟨x, convᵀ(up)⟩, and jvp is the convolution of the tangent."""
    rng = np.random.default_rng(2)
    W, x, v = (jnp.asarray(rng.normal(size=s)) for s in ((3, 18), (2, 5, 6, 4), (2, 5, 6, 4)))
    out, pull = jax.vjp(lambda x: convolve(W, x, stride=stride), x)
    up = jnp.asarray(rng.normal(size=out.shape))
    np.testing.assert_allclose(jnp.vdot(out, up), jnp.vdot(x, pull(up)[0]), rtol=1e-12)
    tangent = jax.jvp(lambda x: convolve(W, x, stride=stride), (x,), (v,))[1]
    np.testing.assert_allclose(tangent, convolve(W, v, stride=stride), rtol=1e-12, atol=1e-12)


def test_batch_norm_passes_gradcheck_through_its_batch_statistics():
    rng = np.random.default_rng(3)
    layer = {"norm": {name: jnp.asarray(rng.normal(size=3)) for name in ("scale", "shift")}}
    weight, up = jnp.asarray([1.0, 2.0, 0.0, 0.5]), jnp.asarray(rng.normal(size=(4, 5, 3)))

    def loss(layer, h):
        how = Training((), [], weight, {"norm": norm_start(3, "float64")})
        return jnp.sum(weight[:, None, None] * up * how.norm(layer, "norm", h) ** 2)

    check_grads(
        jax.jit(loss), (layer, jnp.asarray(rng.normal(size=(4, 5, 3)))), order=1, atol=1e-6, rtol=1e-6, eps=1e-6
    )
