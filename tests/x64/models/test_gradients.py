import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from steepest.inits.scaled import He
from steepest.losses.softmax import CrossEntropy
from steepest.models.linear import Linear
from steepest.models.activations import ACTIVATIONS
from steepest.models.mlp import MLP


@pytest.mark.parametrize("model", [Linear(), *(MLP(widths=(6, 5), activation=a, slope=0.2) for a in ACTIVATIONS)])
def test_gradients_pass_gradcheck(model):
    rng = np.random.default_rng(0)
    rows, y = jnp.asarray(rng.normal(size=(7, 4))), jnp.asarray(rng.integers(0, 3, size=7))
    params = model.init(jax.random.key(0), (4,), 3, He(), "float64")
    params = jax.tree.map(lambda p: p + jnp.asarray(0.1 * rng.normal(size=p.shape)), params)
    assert all(leaf.dtype == jnp.float64 for leaf in jax.tree.leaves(params))
    check_grads(lambda p: CrossEntropy().rows(model.apply(p, rows), y), (params,), order=2, atol=2e-5, rtol=2e-5)
