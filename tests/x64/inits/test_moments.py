"""Truth 14 and G8: what the initial weights do to the size of signals through layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steepest.inits.plain import Normal
from steepest.inits.scaled import He, HeUniform, LeCun, Xavier
from steepest.models.convolution import convolve, kernels

SEEDS = 60


def second_moments(init, layers=4, width=400):
    """E[h²] after each ReLU layer, as a share of the layer before: [seeds, layers]."""

    def one(key):
        h = jax.random.normal(jax.random.fold_in(key, 99), (width,), "float64")
        shares = []
        for i in range(layers):
            w = init.weights(jax.random.fold_in(key, i), (width, width), width, width, "float64")
            new = jax.nn.relu(w @ h)
            shares.append(jnp.mean(new**2) / jnp.mean(h**2))
            h = new
        return jnp.stack(shares)

    return np.asarray(jax.lax.map(one, jax.random.split(jax.random.key(0), SEEDS)))


@pytest.mark.parametrize(("init", "share"), [(He(), 1.0), (Xavier(), 0.5), (LeCun(), 0.5)])
def test_relu_layers_keep_or_halve_the_second_moment(init, share):
    got = second_moments(init)
    error = got.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    assert (np.abs(got.mean(axis=0) - share) < 4 * error).all()
    assert (error < 0.02 * share).all()  # else the line above would say little


@pytest.mark.parametrize("n_in", [1, 10, 100, 1000])
@pytest.mark.parametrize(("init", "factor"), [(Normal(1.0), None), (He(), 2.0)])
def test_variance_of_ten_outputs_grows_with_the_inputs_unless_scaled(init, factor, n_in):
    # source: G8 — with σ = 1 it is n_in in expectation (one draw there: 0.67 … 1667); with He 2, whatever n_in
    def one(key):
        x = jax.random.normal(jax.random.fold_in(key, 1), (n_in,), "float64")
        return jnp.var(init.weights(key, (10, n_in), n_in, 10, "float64") @ x, ddof=1)

    got = np.asarray(jax.vmap(one)(jax.random.split(jax.random.key(1), 2000)))
    want = factor or n_in
    error = got.std(ddof=1) / np.sqrt(2000)
    assert abs(got.mean() - want) < 4 * error
    assert error < 0.05 * want


@pytest.mark.parametrize(("init", "share"), [(He(), 1.0), (HeUniform(), 1.0), (Xavier(), 0.5)])
def test_relu_convolutions_keep_or_halve_the_second_moment(init, share):
    """Away from the edges, where zeros around the image take a part of it; as many channels out as in."""
    channels, k, seeds = 24, 3, 40

    def one(key):
        x = jax.random.normal(jax.random.fold_in(key, 99), (channels, 6, 6, 4), "float64")
        layer = kernels(key, "conv", (channels, channels), k, init, "float64")
        out = jax.nn.relu(convolve(layer["W"], x, layer["b"]))[:, 1:-1, 1:-1]
        return jnp.mean(out**2) / jnp.mean(x**2)

    got = np.asarray(jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(2), seeds)))
    error = got.std(ddof=1) / np.sqrt(seeds)
    assert abs(got.mean() - share) < 4 * error
    assert error < 0.02 * share
