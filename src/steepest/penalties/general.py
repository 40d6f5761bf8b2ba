"""Few structures: none, L1, L2 and the elastic net are the elastic net with zeros, and train as one program."""

from __future__ import annotations

from typing import Any

from steepest.core.spec import refuse
from steepest.penalties.contract import Penalty
from steepest.penalties.norms import L1, L2, ElasticNet, NoPenalty


def general(penalty: Penalty, has_stride: bool, method: str = "this method") -> Penalty:
    """The same penalty in the structure it shares with others; a pairing that makes no sense is refused by name.

    With a stride, none, L1, L2 and the elastic net become `ElasticNet(l1, l2)`; without one, none and L2 become `L2`.
    The factor "one" becomes "half" with twice the strength, exactly. What is not of this family comes back as it is.

    Raises SettingError where the penalty acts by its prox and `method` (its name) has no stride.

    >>> general(L2(0.25, factor="one"), has_stride=True)
    ElasticNet(l1=0.0, l2=0.5)
    >>> general(L1(0.1), has_stride=False, method="DeltaBarDelta")
    Traceback (most recent call last):
    steepest.core.errors.SettingError: L1: needs a method with a stride, and DeltaBarDelta has none; use \
L1(subgradient=True), L2 or another method
    """
    if penalty.proximal and not has_stride:
        name = type(penalty).__name__
        ours = f"{name}(subgradient=True), " if isinstance(penalty, L1 | ElasticNet) else ""
        raise refuse(name, f"needs a method with a stride, and {method} has none; use {ours}L2 or another method")
    if isinstance(penalty, NoPenalty):
        return ElasticNet(l1=0.0, l2=0.0) if has_stride else L2(0.0)
    if isinstance(penalty, L1):
        return ElasticNet(l1=penalty.strength, l2=0.0, subgradient=penalty.subgradient, on=penalty.on)
    if isinstance(penalty, L2):
        ridge = _halved(penalty.strength, penalty.factor)
        return ElasticNet(l1=0.0, l2=ridge, on=penalty.on) if has_stride else L2(ridge, on=penalty.on)
    if isinstance(penalty, ElasticNet):
        ridge = _halved(penalty.l2, penalty.factor)
        return ElasticNet(l1=penalty.l1, l2=ridge, subgradient=penalty.subgradient, on=penalty.on)
    return penalty


def _halved(strength: Any, factor: str) -> Any:
    return strength if factor == "half" else 2 * strength
