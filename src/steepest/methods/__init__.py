"""Optimization methods: pure functions on one member's weights (`contract.py`), one family a file.

Importing this names every method and imports none (`METHODS["adam"]` does), so help texts need no JAX.
"""

from __future__ import annotations

from steepest.core.registry import Registry

METHODS = Registry(
    "method",
    {
        "gd": "steepest.methods.sgd:GD",
        "sgd": "steepest.methods.sgd:SGD",
        "momentum": "steepest.methods.momentum:Momentum",
        "nesterov": "steepest.methods.nesterov:Nesterov",
        "delta-bar-delta": "steepest.methods.delta_bar_delta:DeltaBarDelta",
        "adagrad": "steepest.methods.adagrad:AdaGrad",
        "adadelta": "steepest.methods.adadelta:Adadelta",
        "rmsprop": "steepest.methods.rmsprop:RMSProp",
        "rmsprop-momentum": "steepest.methods.rmsprop:RMSPropMomentum",
        "rmsprop-nesterov": "steepest.methods.rmsprop:RMSPropNesterov",
        "adam": "steepest.methods.adam:Adam",
        "adamw": "steepest.methods.adam:AdamW",
        "amsgrad": "steepest.methods.amsgrad:AMSGrad",
        "coordinate": "steepest.methods.coordinate:Coordinate",
    },
    group="steepest.methods",
)

AVERAGES = Registry(
    "average",
    {"ema": "steepest.methods.averaging:EMA", "tail": "steepest.methods.averaging:UniformTail"},
)

CLIPS = Registry(
    "clip",
    {"norm": "steepest.methods.clipping:ClipNorm", "value": "steepest.methods.clipping:ClipValue"},
)
