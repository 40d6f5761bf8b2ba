"""Products with factors rounded to bfloat16, against NumPy with ml_dtypes' rounding and float64 sums."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_allclose

from steepest.models.contract import times
from steepest.models.convolution import convolve
from steepest.models.products import product

RNG = np.random.default_rng(5)
W = RNG.normal(size=(7, 50)).astype("f4")
X = RNG.normal(size=(33, 50)).astype("f4")
B = RNG.normal(size=7).astype("f4")
MOVE = RNG.normal(size=X.shape).astype("f4")
CLOSE = {"rtol": 0, "atol": 2e-5}  # float32 sums of 50 numbers; rounding the factors moves results by 2e-2 or more


def rounded(array):
    return np.asarray(array).astype(ml_dtypes.bfloat16).astype(np.float64)


def bent(W, X, B):
    """A loss whose derivative by what `times` gives is its cosine."""
    return jnp.sum(jnp.sin(times(W, X, B)))


@pytest.fixture
def _bfloat16():
    with jax.default_matmul_precision("bfloat16"):
        yield


@pytest.mark.usefixtures("_bfloat16")
def test_both_factors_are_rounded_and_summed_in_float32():
    got = jax.jit(times)(W, X, B)
    assert got.dtype == np.float32
    assert_allclose(got, rounded(X) @ rounded(W).T + B, **CLOSE)
    assert np.abs(np.asarray(got) - (X.astype("f8") @ W.T + B)).max() > 1e-2


def test_in_full_the_bits_are_those_of_a_plain_product():
    plain = jax.jit(lambda W, X: (W @ X.T).T)
    assert_allclose(jax.jit(times)(W, X), plain(W, X), rtol=0, atol=0)
    same = jax.jit(times).lower(W, X).as_text()
    assert "bf16" not in same


@pytest.mark.usefixtures("_bfloat16")
def test_products_of_the_gradient_are_rounded_too_and_it_stays_float32():
    by_w, by_x, by_b = jax.jit(jax.grad(bent, (0, 1, 2)))(W, X, B)
    g = np.cos(np.asarray(times(W, X, B)))
    assert by_w.dtype == by_x.dtype == by_b.dtype == np.float32
    assert_allclose(by_w, rounded(g).T @ rounded(X), **CLOSE)
    assert_allclose(by_x, rounded(g) @ rounded(W), **CLOSE)
    assert_allclose(by_b, g.sum(0), **CLOSE)  # a sum, not a product: as it is


@pytest.mark.usefixtures("_bfloat16")
def test_the_derivative_forward_and_the_gradient_of_it():
    _, push = jax.linearize(lambda X: times(W, X, B), X)
    assert_allclose(push(MOVE), rounded(MOVE) @ rounded(W).T, **CLOSE)

    def slope(W):  # as tangent prop has it
        return jnp.sum(jax.jvp(lambda X: times(W, X, B), (X,), (MOVE,))[1] ** 2)

    pushed = rounded(MOVE) @ rounded(W).T
    assert_allclose(
        jax.jit(jax.grad(slope))(W), rounded(2 * pushed).T @ rounded(MOVE), rtol=0, atol=1e-2 * np.abs(pushed).max()
    )


@pytest.mark.usefixtures("_bfloat16")
def test_each_member_and_each_bag_of_it_as_alone():
    many = np.stack([W, 2 * W, -W, W + 1])
    bags = many.reshape(2, 2, *W.shape)
    grad = jax.jit(jax.grad(bent, (0, 1)))
    alone = [grad(one, X, B) for one in many]
    by_w, by_x = jax.jit(jax.vmap(grad, in_axes=(0, None, None)))(many, X, B)
    for place, one in enumerate(alone):
        assert_allclose(by_w[place], one[0], **CLOSE)
        assert_allclose(by_x[place], one[1], **CLOSE)
    nested, _ = jax.jit(jax.vmap(jax.vmap(grad, in_axes=(0, None, None)), in_axes=(0, None, None)))(bags, X, B)
    assert_allclose(nested.reshape(many.shape), np.stack([by_w for by_w, _ in alone]), **CLOSE)
    rows = np.stack([X.T, X[::-1].T], axis=2)  # the axis of bags need not be the first
    got = jax.jit(jax.vmap(product, in_axes=(0, 2)))(bags[0], rows)
    assert_allclose(got[1], product(bags[0, 1], X[::-1].T), **CLOSE)


@pytest.mark.usefixtures("_bfloat16")
def test_what_members_share_gets_the_gradient_of_all():
    many = np.stack([W, 2 * W, -W])
    got = jax.jit(jax.grad(lambda X: jnp.sum(jax.vmap(lambda W: jnp.sin(times(W, X)))(many))))(X)
    alone = jax.jit(jax.grad(lambda X, one: jnp.sum(jnp.sin(times(one, X)))))
    want = sum(alone(X, one) for one in many)
    assert_allclose(got, want, rtol=0, atol=1e-4)


@pytest.mark.usefixtures("_bfloat16")
def test_a_convolution_multiplies_the_same_way():
    maps, kernel = RNG.normal(size=(2, 5, 6, 4)).astype("f4"), RNG.normal(size=(3, 18)).astype("f4")
    got = jax.jit(convolve)(kernel, maps)
    with jax.default_matmul_precision(None):
        want = jax.jit(convolve)(rounded(kernel).astype("f4"), rounded(maps).astype("f4"))
        full = jax.jit(convolve)(kernel, maps)
    assert_allclose(got, want, **CLOSE)
    assert np.abs(np.asarray(got) - np.asarray(full)).max() > 1e-2


@pytest.mark.usefixtures("_bfloat16")
def test_infinity_and_nan_come_through():
    got = product(np.float32([[np.inf, 1.0], [np.nan, 1.0], [3e38, 0.0]]), np.float32([[1.0], [1.0]]))
    assert np.isposinf(got[0, 0])
    assert np.isnan(got[1, 0])
    assert np.isfinite(got[2, 0])


def test_a_program_in_full_is_not_reused_for_rounded_products():
    run = jax.jit(times)
    full = np.asarray(run(W, X))
    with jax.default_matmul_precision("bfloat16"):
        other = np.asarray(run(W, X))
    assert np.abs(full - other).max() > 1e-2
    assert (np.asarray(run(W, X)) == full).all()
