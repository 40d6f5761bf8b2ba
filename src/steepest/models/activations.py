"""What a hidden unit gives out of what it takes in."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from steepest.core.errors import unknown
from steepest.core.hyper import Hyper
from steepest.models.contract import Array

ACTIVATIONS = ("relu", "leaky-relu", "sigmoid", "tanh")


def activate(name: str, z: Array, slope: Hyper = 0.01) -> Array:
    """φ(z) of each number: max(z, 0), with `slope`·z below 0 if leaky; 1/(1 + e⁻ᶻ); or tanh z. All of them rise.

    >>> activate("leaky-relu", jnp.array([-2.0, 3.0]), 0.5).tolist()
    [-1.0, 3.0]
    """
    if name == "relu":
        return jax.nn.relu(z)
    if name == "leaky-relu":
        return jnp.where(z > 0, z, slope * z)
    return jax.nn.sigmoid(z) if name == "sigmoid" else jnp.tanh(z)


def check_activation(name: str) -> None:
    """Refuse an unknown activation by the names there are."""
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
