"""Models: scores from rows. Importing this needs no JAX."""

from steepest.core.registry import Registry

MODELS = Registry(
    "model",
    {
        "linear": "steepest.models.linear:Linear",
        "mlp": "steepest.models.mlp:MLP",
        "shared-mlp": "steepest.models.shared:SharedMLP",
        "cnn": "steepest.models.cnn:CNN",
        "resnet": "steepest.models.resnet:ResNet",
    },
    group="steepest.models",
)

PRODUCTS = ("auto", "float32", "bfloat16")  # how they multiply: `Recipe.products`

__all__ = ["MODELS", "PRODUCTS"]
