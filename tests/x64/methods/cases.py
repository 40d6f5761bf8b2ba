"""Which settings of which method are compared with which rule by hand. Pure data: tests and mutants both read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from tests.reference import methods as hand


class Case(NamedTuple):
    """One setting of one method, and the loop by hand that must give the same weights."""

    module: str
    cls: str
    ours: dict[str, Any]  # without the rate
    hand: Callable[..., list[float]]
    theirs: dict[str, Any]
    rate: float = 0.01

    def __str__(self) -> str:
        return f"{self.cls}({', '.join(f'{k}={v}' for k, v in self.ours.items())})"


def _same(
    module: str, cls: str, rule: Callable[..., list[float]], *settings: dict[str, Any], **fixed: Any
) -> list[Case]:
    """Cases whose numbers are called the same on both sides; `fixed` is our name of the form."""
    return [Case(module, cls, {**s, **fixed}, rule, s) for s in settings]


MOMENTA = [{"momentum": 0.9}, {"momentum": 0.0}, {"momentum": 0.37}]
ADAMS = [
    {"decay1": 0.9, "decay2": 0.999, "delta": 1e-8},
    {"decay1": 0.8, "decay2": 0.9, "delta": 1e-3},
    {"decay1": 0.0, "decay2": 0.3, "delta": 0.5},
]

CASES: list[Case] = [
    *_same("sgd", "SGD", hand.sgd, {}),
    *_same("sgd", "GD", hand.sgd, {}),
    *_same("momentum", "Momentum", hand.momentum_classic, *MOMENTA),
    *_same("momentum", "Momentum", hand.momentum_torch, *MOMENTA, form="torch"),
    *_same("momentum", "Momentum", hand.momentum_averaged, *MOMENTA, form="averaged"),
    *_same("nesterov", "Nesterov", hand.nesterov, *MOMENTA),
    *_same("nesterov", "Nesterov", hand.nesterov_torch, *MOMENTA, form="torch"),
    *_same("nesterov", "Nesterov", hand.nesterov_keras, *MOMENTA, form="keras"),
    *_same(
        "delta_bar_delta",
        "DeltaBarDelta",
        hand.delta_bar_delta,
        {"growth": 1e-3, "shrink": 0.1, "averaging": 0.7},
        {"growth": 0.05, "shrink": 0.6, "averaging": 0.2},
        {"growth": 0.0, "shrink": 0.0, "averaging": 0.0},
    ),
    *_same("adagrad", "AdaGrad", hand.adagrad, {"delta": 1e-7}, {"delta": 0.2, "initial": 0.3}),
    Case("adagrad", "AdaGrad", {"delta": 1e-3, "initial": 0.1, "inside": True}, hand.adagrad,
         {"delta": 1e-3, "initial": 0.1, "inside": True}),
    *_same("adadelta", "Adadelta", hand.adadelta, {"decay": 0.9, "delta": 1e-6}, {"decay": 0.5, "delta": 1e-2}),
    *[
        Case("rmsprop", "RMSProp", {**s, "inside": inside}, hand.rmsprop, {**s, "inside": inside})
        for s in ({"decay": 0.9, "delta": 1e-6}, {"decay": 0.2, "delta": 0.1})
        for inside in (True, False)
    ],
    *[
        Case("rmsprop", "RMSPropMomentum", s, hand.rmsprop_momentum, s)
        for inside in (True, False)
        for outside in (True, False)
        for s in [{"decay": 0.8, "momentum": 0.6, "delta": 3e-2, "inside": inside, "rate_outside": outside}]
    ],
    *_same(
        "rmsprop",
        "RMSPropNesterov",
        hand.rmsprop_nesterov,
        {"decay": 0.9, "momentum": 0.9, "delta": 1e-30},
        {"decay": 0.4, "momentum": 0.3, "delta": 1e-2},
    ),
    *_same("adam", "Adam", hand.adam, *ADAMS),
    *[Case("adam", "Adam", {**s, "correct": False}, hand.adam, {**s, "correct": False}) for s in ADAMS],
    *[Case("adam", "Adam", {**s, "inside": True}, hand.adam, {**s, "inside": True}) for s in ADAMS[:2]],
    *_same("adam", "Adam", hand.adam_keras, *ADAMS, form="keras"),
    *[
        Case("adam", "AdamW", {**s, "weight_decay": w}, hand.adam, {**s, "weight_decay": w})
        for s, w in zip(ADAMS, (0.01, 0.4, 0.0))
    ],
    *_same("amsgrad", "AMSGrad", hand.amsgrad, *ADAMS),
    *[Case("amsgrad", "AMSGrad", {**s, "form": "optax"}, hand.amsgrad, {**s, "form": "optax"}) for s in ADAMS],
    *[Case("amsgrad", "AMSGrad", {**s, "correct": False}, hand.amsgrad, {**s, "correct": False}) for s in ADAMS[:2]],
    Case("amsgrad", "AMSGrad", {**ADAMS[1], "correct": False, "form": "optax"}, hand.amsgrad,
         {**ADAMS[1], "correct": False}),
]  # fmt: skip

# The constants a user gets who names none: conventions differ here most (Keras's golden test lets β₁ = 0.8 pass).
DEFAULTS: dict[tuple[str, str], dict[str, Any]] = {
    ("sgd", "SGD"): {"rate": 0.01},
    ("sgd", "GD"): {"rate": 0.1},
    ("momentum", "Momentum"): {"rate": 0.01, "momentum": 0.9, "form": "classic"},
    ("nesterov", "Nesterov"): {"rate": 0.01, "momentum": 0.9, "form": "look-ahead"},
    ("delta_bar_delta", "DeltaBarDelta"): {"rate": 0.01, "growth": 1e-3, "shrink": 0.1, "averaging": 0.7},
    ("adagrad", "AdaGrad"): {"rate": 0.01, "delta": 1e-7, "initial": 0.0, "inside": False},
    ("adadelta", "Adadelta"): {"rate": 1.0, "decay": 0.9, "delta": 1e-6},
    ("rmsprop", "RMSProp"): {"rate": 1e-3, "decay": 0.9, "delta": 1e-6, "inside": True},
    ("rmsprop", "RMSPropMomentum"): {
        "rate": 1e-3, "decay": 0.9, "momentum": 0.9, "delta": 1e-6, "inside": True, "rate_outside": False,
    },
    ("rmsprop", "RMSPropNesterov"): {"rate": 1e-3, "decay": 0.9, "momentum": 0.9, "delta": 1e-30},
    ("adam", "Adam"): {
        "rate": 1e-3, "decay1": 0.9, "decay2": 0.999, "delta": 1e-8, "correct": True, "inside": False, "form": "paper",
    },
    ("adam", "AdamW"): {
        "rate": 1e-3, "decay1": 0.9, "decay2": 0.999, "delta": 1e-8, "correct": True, "inside": False, "form": "paper",
        "weight_decay": 0.01, "on": "weights",
    },
    ("amsgrad", "AMSGrad"): {
        "rate": 1e-3, "decay1": 0.9, "decay2": 0.999, "delta": 1e-8, "correct": True, "form": "torch",
    },
    ("averaging", "EMA"): {"decay": 0.99},
    ("averaging", "UniformTail"): {"start_share": 0.5},
    ("clipping", "ClipNorm"): {"limit": 1.0, "delta": 0.0},
    ("clipping", "ClipValue"): {"limit": 1.0},
}  # fmt: skip

STEPS = 300
START = np.array([0.0, 0.0, 0.0, 0.5, -1.5, 2.0, 0.25])


def recorded() -> np.ndarray:
    """One gradient sequence [300, 7]: scales 1e-9 … 1e2, a column whose scale changes, and one that is often 0."""
    rng = np.random.default_rng(20)
    scales = np.array([1e-9, 1e-6, 1e-3, 1.0, 1e2, 1.0, 0.1])
    drawn = rng.normal(size=(STEPS, 7)) * scales + 0.3 * scales
    drawn[:, 5] *= 10.0 ** rng.uniform(-9, 2, size=STEPS)
    drawn[rng.random(STEPS) < 0.4, 6] = 0.0
    return drawn


def changing(rate: float) -> np.ndarray:
    """The rate of every step: as given, a tenth from step 101 on, three times it from step 201 on."""
    return np.repeat([rate, rate / 10, 3 * rate], STEPS // 3)
