"""Penalties: what keeps weights small or sparse, so that they generalise. Importing this needs no JAX."""

from steepest.core.registry import Registry

PENALTIES = Registry(
    "penalty",
    {
        "none": "steepest.penalties.norms:NoPenalty",
        "l1": "steepest.penalties.norms:L1",
        "l2": "steepest.penalties.norms:L2",
        "elastic": "steepest.penalties.norms:ElasticNet",
        "l1-subgradient": "steepest.penalties.norms:SubgradientL1",
        "weight-decay": "steepest.penalties.decay:WeightDecay",
    },
    group="steepest.penalties",
)

__all__ = ["PENALTIES"]
