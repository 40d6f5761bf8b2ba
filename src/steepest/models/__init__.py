"""Models: scores from rows. Importing this needs no JAX."""

from steepest.core.registry import Registry

MODELS = Registry(
    "model",
    {
        "linear": "steepest.models.linear:Linear",
        "mlp": "steepest.models.mlp:MLP",
    },
    group="steepest.models",
)

__all__ = ["MODELS"]
