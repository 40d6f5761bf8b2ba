"""Schedules: how a hyperparameter of the method changes over a training. Named here, imported on use (no JAX)."""

from __future__ import annotations

from steepest.core.registry import Registry

SCHEDULES = Registry(
    "schedule",
    {
        "constant": "steepest.schedules.decay:Constant",
        "step": "steepest.schedules.decay:Step",
        "linear": "steepest.schedules.decay:LinearDecay",
        "exponential": "steepest.schedules.decay:Exponential",
        "inverse-time": "steepest.schedules.decay:InverseTime",
        "cosine": "steepest.schedules.decay:Cosine",
        "one-cycle": "steepest.schedules.cycle:OneCycle",
        "warm-up": "steepest.schedules.combine:WarmUp",
        "plateau": "steepest.schedules.plateau:Plateau",
        "momentum-switch": "steepest.schedules.switch:MomentumSwitch",
        "chain": "steepest.schedules.combine:Chain",
        "sequence": "steepest.schedules.combine:Sequence",
    },
    group="steepest.schedules",
)
