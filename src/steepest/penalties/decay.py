"""Decoupled weight decay: the weights shrink by themselves, past the gradient and the method's memory."""

from __future__ import annotations

from steepest.core.hyper import Hyper, choice, strength
from steepest.core.spec import spec
from steepest.penalties.contract import TARGETS, Array, Penalty, Tree, change


@spec
class WeightDecay(Penalty):
    """Decoupled weight decay: w ← (1 − ε·λ)·w before each step of rate ε.  (Loshchilov & Hutter 2019, "SGDW")

    With plain SGD it equals L2 (Goodfellow (7.5): w ← (1 − ελ)w − ε∇); with momentum or an adaptive method it does
    not, since λw passes neither through the velocity nor through the division by √v. It is no term of the objective,
    so `value` and `smooth` are 0.

    **Differs**: Keras's `weight_decay` is this one; torch's SGD `weight_decay` is `L2`; torch's AdamW is this one with
    Adam, as `AdamW` is here: do not give AdamW this penalty too, it would decay twice.
    **Hyperparameters**: strength λ ≥ 0, searched log-uniform 1e-5 … 1e-1.
    **Settings**: on = "weights" or "all" (biases too, as torch and Keras do).

    >>> import jax.numpy as jnp
    >>> WeightDecay(0.5).shrink({"W": jnp.array([8.0])}, rate=0.5)["W"].tolist()
    [6.0]
    """

    strength: Hyper = strength(5e-4, 1e-5, 1e-1)
    on: str = choice(TARGETS)

    equation = "w ← (1 − ελ)w"
    decoupled = True
    paper = "Loshchilov & Hutter 2019"

    def shrink(self, params: Tree, rate: Array) -> Tree:
        return change(params, self.on, lambda w: w * (1 - rate * self.strength))
