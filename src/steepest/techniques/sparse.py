"""Sparse representations: a penalty on what hidden units give out, not on weights."""

from __future__ import annotations

import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, Space, choice, hyper, strength
from steepest.core.spec import spec
from steepest.techniques.contract import Array, Technique, View, at_layers, check_layers

KINDS = ("l1", "kl", "poisson")
LEAST = 1e-6  # a mean activity counts as at least this, and with "kl" as at most 1 less this


@spec
class Sparse(Technique):
    """Sparse activations: a penalty that keeps most hidden units near 0 for any one row.  (Goodfellow et al. 7.10)

    **Equation**, h what a unit gives out (before dropout or noise), ρ̂ its mean |h| over the batch by row weights:
    kind "l1": λ·Σ|h|, over all units of a row, a mean over rows (7.48);
    kind "kl": λ·Σ ρ·ln(ρ/ρ̂) + (1 − ρ)·ln((1 − ρ)/(1 − ρ̂)), over units: KL of Bernoulli rates, for activities in
    (0, 1), those of sigmoid and tanh units; ρ̂ counts as at most 1 − 1e-6, where there is no slope;
    kind "poisson": λ·Σ ρ·ln(ρ/ρ̂) − ρ + ρ̂, KL of Poisson rates, for activities of any size, those of ReLUs.
    In a map of units (convolution) each channel is one unit to "kl" and "poisson", active at each place.

    **Hyperparameters**: strength λ ≥ 0, searched log-uniform 1e-5 … 1e-1; target ρ in (0, 1), which
    "l1" has no use for: it is not searched then.
    **Settings**: kind; layers, the hidden layers (1, 2, …) that are penalised, None for all.
    **Raises** SettingError for an unknown kind or layer, or numbers out of range.
    **Differs**: Keras's `activity_regularizer` sums |h| over the batch and divides by its rows, as here.

    >>> h = jnp.array([[1.0, 2.0], [0.0, 4.0]])
    >>> view = View(h, h, jnp.ones(2), None, None, jnp.zeros(2), (h,), None, None)
    >>> Sparse(strength=0.5).extra(view).tolist()
    [1.5, 2.0]
    """

    strength: Hyper = strength(1e-3, 1e-5, 1e-1)
    target: Hyper = hyper(0.1, Domain(low=0.0, high=1.0, open_low=True, open_high=True), Space(0.01, 0.3, log=True))
    kind: str = choice(KINDS)
    layers: tuple[int, ...] | None = None

    equation = "ℓ ← ℓ + λ·Σ|h|"
    paper = "Olshausen & Field 1996"
    needs_hidden = True

    def __post_init__(self) -> None:
        check_layers(self)

    @property
    def idle(self) -> tuple[str, ...]:
        return ("target",) if self.kind == "l1" else ()

    def extra(self, view: View) -> Array:
        layers = [h for layer, h in enumerate(view.hidden, 1) if at_layers(self.layers, layer)]
        total = sum((self._of(h, view.weight) for h in layers), jnp.zeros_like(view.now))
        return self.strength * total

    def _of(self, h: Array, weight: Array) -> Array:
        """The penalty of a layer, [rows]: a row's own with "l1", else the batch's, the same for each row."""
        if self.kind == "l1":
            return jnp.sum(jnp.abs(h).reshape(len(h), -1), axis=1)
        divergence = bernoulli if self.kind == "kl" else poisson
        return jnp.broadcast_to(jnp.sum(divergence(self.target, mean_activity(h, weight))), weight.shape)


def mean_activity(h: Array, weight: Array) -> Array:
    """The mean |h| of each unit over the rows that have weight: [rows, …, units] → [units]."""
    share = weight / jnp.maximum(jnp.sum(weight), jnp.finfo(h.dtype).tiny)
    active = jnp.abs(h).reshape(len(h), -1, h.shape[-1])
    return share @ jnp.where(weight[:, None] > 0, jnp.mean(active, axis=1), 0)


def bernoulli(target: Array, rate: Array) -> Array:
    """KL divergence of a coin of share `rate` from one of share `target`.

    >>> float(bernoulli(0.25, jnp.array(0.25)))
    0.0
    """
    rate = jnp.clip(rate, LEAST, 1 - LEAST)
    return target * jnp.log(target / rate) + (1 - target) * jnp.log((1 - target) / (1 - rate))


def poisson(target: Array, rate: Array) -> Array:
    """KL divergence of a Poisson distribution of mean `rate` from one of mean `target`."""
    rate = jnp.maximum(rate, LEAST)
    return target * jnp.log(target / rate) - target + rate
