"""Losses: one number per row, so that row weights, folds and bags work. Importing this needs no JAX."""

from steepest.core.registry import Registry

LOSSES = Registry(
    "loss",
    {
        "cross-entropy": "steepest.losses.softmax:CrossEntropy",
        "one-vs-rest": "steepest.losses.sigmoid:OneVsRest",
        "squared-sigmoid": "steepest.losses.sigmoid:SquaredSigmoid",
        "hinge": "steepest.losses.margin:Hinge",
        "squared": "steepest.losses.squared:Squared",
        "multi-task": "steepest.losses.multitask:MultiTask",
    },
    group="steepest.losses",
)

__all__ = ["LOSSES"]
