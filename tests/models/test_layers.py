"""Convolution, pooling and batch norm against loops over every number."""  # source: M11

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate

from steepest.models.contract import spread
from steepest.models.convolution import convolve, image, kernels, maps
from steepest.models.passes import PREDICT, norm_layer, norm_start
from steepest.models.pooling import average_map, average_pool, max_pool
from steepest.train.passes import Training

RNG = np.random.default_rng(5)


def by_hand(W, x, b, stride, padding):
    """Cross-correlation, one output at a time: W [out, k·k·channels], x [channels, H, W, rows]."""
    channels, height, width, rows = x.shape
    k = round((W.shape[1] / channels) ** 0.5)
    padded = np.zeros((channels, height + 2 * padding, width + 2 * padding, rows))
    padded[:, padding : padding + height, padding : padding + width] = x
    tall, wide = (height + 2 * padding - k) // stride + 1, (width + 2 * padding - k) // stride + 1
    out = np.zeros((len(W), tall, wide, rows))
    for o in range(len(W)):
        kernel = W[o].reshape(k, k, channels)
        for top in range(tall):
            for left in range(wide):
                seen = padded[:, top * stride : top * stride + k, left * stride : left * stride + k]
                out[o, top, left] = np.einsum("ijc,cijn->n", kernel, seen) + b[o]
    return out


@pytest.mark.parametrize(
    ("k", "stride", "padding"),
    [(3, 1, None), (1, 1, None), (5, 1, None), (3, 2, None), (1, 2, None), (3, 1, 0), (3, 3, 2)],
)
def test_convolution_is_a_sum_over_the_kernel(k, stride, padding):
    W, b = RNG.normal(size=(4, k * k * 2)), RNG.normal(size=4)
    x = RNG.normal(size=(2, 7, 6, 3))
    want = by_hand(W, x, b, stride, (k - 1) // 2 if padding is None else padding)
    got = convolve(*(jnp.asarray(a, jnp.float32) for a in (W, x, b)), stride, padding)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    without = convolve(*(jnp.asarray(a, jnp.float32) for a in (W, x)), stride=stride, padding=padding)
    np.testing.assert_allclose(without, want - b[:, None, None, None], rtol=1e-4, atol=1e-4)


def test_one_channel_is_scipys_correlation():
    kernel, picture = RNG.normal(size=(5, 5)), RNG.normal(size=(9, 8))
    got = convolve(jnp.asarray(kernel.reshape(1, 25), jnp.float32), maps(jnp.asarray(picture[None], jnp.float32)))
    np.testing.assert_allclose(got[0, :, :, 0], correlate(picture, kernel, "same"), rtol=1e-4, atol=1e-4)


def test_maps_are_channels_first_and_rows_last():
    rows = jnp.asarray(RNG.normal(size=(5, 4, 3, 2)), jnp.float32)
    assert maps(rows).shape == (2, 4, 3, 5)
    assert maps(rows)[1, 3, 2, 4] == rows[4, 3, 2, 1]
    grey = jnp.asarray(RNG.normal(size=(5, 4, 3)), jnp.float32)
    np.testing.assert_array_equal(maps(grey), maps(grey[..., None]))
    assert image((4, 3)) == (4, 3, 1)
    assert image((4, 3, 2)) == (4, 3, 2)


def test_a_kernel_sums_as_many_numbers_as_its_init_is_told():
    told = []

    class Spy:
        def weights(self, key, shape, fan_in, fan_out, dtype):
            told.append((shape, fan_in, fan_out))
            return jnp.zeros(shape, dtype)

    layer = kernels(jax.random.key(0), "conv1", (3, 32), 5, Spy(), "float32")
    assert told == [((32, 75), 75, 800)]  # as torch counts: 5·5·3 in, 5·5·32 out
    assert layer["b"].shape == (32,)
    assert not layer["b"].any()


@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (1, 7, 5, 2), (3, 2, 3, 4)])
def test_pools_take_each_square_and_leave_odd_sides_out(shape):
    x = RNG.normal(size=shape)
    tall, wide = shape[1] // 2, shape[2] // 2
    squares = [x[:, i : 2 * tall : 2, j : 2 * wide : 2] for i in (0, 1) for j in (0, 1)]
    np.testing.assert_allclose(max_pool(jnp.asarray(x, jnp.float32)), np.max(squares, axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        average_pool(jnp.asarray(x, jnp.float32)), np.mean(squares, axis=0), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(average_map(jnp.asarray(x, jnp.float32)), x.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)


def test_ties_in_a_pool_share_the_gradient():
    x = jnp.asarray([[[[1.0], [3.0]], [[3.0], [0.0]]]])
    gradient = jax.grad(lambda x: max_pool(x).sum())(x)
    np.testing.assert_array_equal(gradient[0, :, :, 0], [[0, 0.5], [0.5, 0]])


def test_a_bias_spread_has_the_derivative_of_a_broadcast():
    b, up = jnp.asarray(RNG.normal(size=4), jnp.float32), jnp.asarray(RNG.normal(size=(4, 9)), jnp.float32)
    np.testing.assert_array_equal(spread(b, 9), np.broadcast_to(np.asarray(b)[:, None], (4, 9)))
    np.testing.assert_allclose(jax.grad(lambda b: (spread(b, 9) * up).sum())(b), up.sum(axis=1), rtol=1e-5)


# --- batch norm -----------------------------------------------------------------------------------------------------

EPSILON, MOMENTUM = 1e-5, 0.1


def trained(batches, weights, layer, rows=0, channels=-1):
    """What batch norm gives out for each batch, and the running statistics after the last."""
    size = batches[0].shape[channels]
    running, made = {"norm": norm_start(size, "float32")}, []
    for h, weight in zip(batches, weights):
        how = Training((), [], jnp.asarray(weight, jnp.float32), running)
        made.append(how.norm({"norm": layer}, "norm", jnp.asarray(h, jnp.float32), rows, channels))
        running = how.running
    return made, running


def layer_of(channels):
    return {name: jnp.asarray(RNG.normal(size=channels), jnp.float32) for name in ("scale", "shift")}


@pytest.mark.parametrize("places", [(), (4, 3)])
def test_batch_norm_counts_each_row_as_often_as_its_weight(places):
    """Whole weights are repetitions: the reference repeats the rows and never heard of weights."""
    layer = layer_of(3)
    batches = [RNG.normal(2, 3, size=(6, *places, 3)) for _ in range(4)]
    weights = [RNG.permutation([0, 0, 1, 1, 2, 3]) for _ in batches]
    made, running = trained(batches, weights, layer)
    mean, var = np.zeros(3), np.ones(3)
    for h, weight, got in zip(batches, weights, made):
        flat = np.repeat(h, weight, axis=0).reshape(-1, 3)
        mean, var = 0.9 * mean + 0.1 * flat.mean(axis=0), 0.9 * var + 0.1 * flat.var(axis=0, ddof=1)
        want = (h - flat.mean(axis=0)) / np.sqrt(flat.var(axis=0) + EPSILON) * layer["scale"] + layer["shift"]
        np.testing.assert_allclose(np.asarray(got)[weight > 0], want[weight > 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(running["norm"]["mean"], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(running["norm"]["var"], var, rtol=1e-4)
    predicted = PREDICT.norm({"norm": layer, "running": running}, "norm", jnp.asarray(batches[0], jnp.float32))
    want = (batches[0] - mean) / np.sqrt(var + EPSILON) * layer["scale"] + layer["shift"]
    np.testing.assert_allclose(predicted, want, rtol=1e-4, atol=1e-4)


def test_batch_norm_of_maps_is_that_of_rows():
    layer, h, weight = layer_of(3), RNG.normal(size=(5, 4, 2, 3)), [1, 0, 2, 1, 1]
    (rows,), kept = trained([h], [weight], layer)
    (mapped,), same = trained([h.transpose(3, 1, 2, 0)], [weight], layer, rows=-1, channels=0)
    np.testing.assert_allclose(mapped.transpose(3, 1, 2, 0), rows, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(same["norm"]["var"], kept["norm"]["var"], rtol=1e-5)


def test_rows_without_weight_may_hold_anything():
    layer, h = layer_of(3), RNG.normal(size=(6, 3))
    weight = np.array([1, 0, 1, 1, 0, 1])
    broken = np.where(weight[:, None] > 0, h, [np.nan, np.inf, 1e30])

    def loss(layer, h):
        how = Training((), [], jnp.asarray(weight, jnp.float32), {"norm": norm_start(3, "float32")})
        out = how.norm({"norm": layer}, "norm", jnp.asarray(h, jnp.float32))
        return jnp.sum(jnp.where(weight[:, None] > 0, out**3, 0)), how.running

    for wanted, got in zip(
        *(jax.tree.leaves(jax.grad(loss, (0, 1), has_aux=True)(layer, rows)) for rows in (h, broken))
    ):
        np.testing.assert_array_equal(got, wanted)
    _, kept = trained([broken], [weight], layer)
    np.testing.assert_allclose(kept["norm"]["mean"], 0.1 * h[weight > 0].mean(axis=0), rtol=1e-5)


def test_a_batch_of_one_row_or_none_gives_numbers():
    layer = norm_layer(2, "float32")
    for weight in ([1, 0], [0, 0]):
        (out,), running = trained([np.full((2, 2), 7.0)], [weight], layer)
        assert np.isfinite(out).all()
        assert np.isfinite(running["norm"]["var"]).all()
