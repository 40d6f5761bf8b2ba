"""Regularizing techniques beside the penalties. Importing this needs no JAX."""

from steepest.core.registry import Registry

TECHNIQUES = Registry(
    "technique",
    {},
    group="steepest.techniques",
)

__all__ = ["TECHNIQUES"]
