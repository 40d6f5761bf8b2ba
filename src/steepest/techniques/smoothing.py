"""Label smoothing."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from steepest.core.hyper import Hyper, Space, choice, fraction
from steepest.core.spec import spec
from steepest.techniques.contract import Array, Facts, Technique

SPREADS = ("all", "others")


@spec
class Smoothing(Technique):
    """Label smoothing: ℓ ← (1 − a)·ℓ(y) + (a/C)·Σ_c ℓ(c), the loss at softened labels.  (Goodfellow et al. 7.5.1)

    A loss at softened labels is the same mixture of its losses at each class, so that it goes with every loss of
    classes. Reported losses of validation and test rows are without it.

    **Shapes**: losses [rows], and those at each of the C classes [C, rows].
    **Hyperparameters**: amount a in [0, 1), 0.1 by default (Szegedy et al.), searched 0.01 … 0.4.
    **Settings**: spread="all" gives a/C to every class, the row's own included: torch's
    `CrossEntropyLoss(label_smoothing=a)` and Keras's. spread="others" gives a/(C − 1) to each other class, as in
    Goodfellow et al. 7.5.1, which is "all" with a·C/(C − 1).
    **Raises** SettingError for an amount out of its range, an unknown spread, or for a regression.
    **Differs**: nothing else from torch, whose class weights have no counterpart here.

    >>> of_class = jnp.array([1.0, 2.0, 3.0, 4.0])  # what a row's loss would be at each class
    >>> smoothed = Smoothing(0.1).losses(lambda y: of_class[y], of_class[:1], Facts(None, None, classes=4))
    >>> f"{smoothed[0]:.2f}"  # 0.9·1 + 0.1/4·10
    '1.15'
    """

    amount: Hyper = fraction(0.1, Space(0.01, 0.4))
    spread: str = choice(SPREADS)

    equation = "ℓ ← (1 − a)·ℓ(y) + (a/C)·Σ_c ℓ(c)"
    paper = "Szegedy et al. 2016"
    needs_classes = True

    def losses(self, losses_of: Callable[[Array], Array], losses: Array, facts: Facts) -> Array:
        C = facts.classes
        to_all = self.amount if self.spread == "all" else self.amount * (C / (C - 1))
        at_each = jax.vmap(lambda c: losses_of(jnp.full(losses.shape, c)))(jnp.arange(C))
        return (1 - to_all) * losses + to_all * jnp.mean(at_each, axis=0)
