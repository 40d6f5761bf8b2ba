"""Losses that put a sigmoid on each score: one-vs-rest log loss, and squared error on a sigmoid.

Two classes have one score, that of class 1; more classes have one score each, against all the rest.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from steepest.core.spec import spec
from steepest.losses.contract import Array, Loss, at_least_two, hot


class OnEachScore(Loss):
    """What the losses of this file share: outputs, targets, labels and probabilities."""

    def outputs(self, classes: int) -> int:
        return 1 if at_least_two(self, classes) == 2 else classes

    def labels(self, scores: Array) -> Array:
        if scores.shape[-1] == 1:
            return (scores[..., 0] > 0).astype(jnp.int32)
        return jnp.argmax(scores, axis=-1)

    def average(self, scores: Array, share: Array) -> Array:
        """The σ(sⱼ) are averaged; the score is their mean's log odds."""
        yes, no = (jax.nn.logsumexp(jax.nn.log_sigmoid(s), axis=0, b=share[..., None]) for s in (scores, -scores))
        return yes - no

    def voted(self, shares: Array) -> Array:
        """The log odds of a class's share of the votes."""
        tiny = jnp.finfo(shares.dtype).tiny
        odds = jnp.log(jnp.maximum(shares, tiny)) - jnp.log(jnp.maximum(1 - shares, tiny))
        return odds[..., 1:] if shares.shape[-1] == 2 else odds

    def probabilities(self, scores: Array) -> Array:
        """Two classes: 1 − σ(s), σ(s). More: the σ(sⱼ) divided by their sum, as scikit-learn's SGDClassifier does."""
        if scores.shape[-1] == 1:
            return jnp.concatenate([jax.nn.sigmoid(-scores), jax.nn.sigmoid(scores)], axis=-1)
        return jax.nn.softmax(jax.nn.log_sigmoid(scores), axis=-1)  # in logs, so that no row divides 0 by 0


def own(scores: Array, y: Array) -> Array:
    """Whether each score should be high: [rows, outputs]."""
    return (y == 1)[..., None] if scores.shape[-1] == 1 else hot(scores, y)


@spec
class OneVsRest(OnEachScore):
    """One-vs-rest log loss: ℓ = Σⱼ log(1 + exp(−tⱼsⱼ)), tⱼ = 1 for the row's own class, else −1.

    What scikit-learn's SGDClassifier(loss="log_loss") and LogisticRegression(solver="liblinear") minimise: the classes
    do not meet in the sum, so it trains each class's own binary classifier. Source J3's classifier.

    **Shapes**: scores [rows, 1] for two classes, [rows, classes] for more; y [rows] class numbers → [rows].
    **Range**: 0 … ∞; finite for any finite scores.
    **Differs**: torch's BCEWithLogitsLoss averages over the outputs too; this sums them.

    >>> OneVsRest().rows(jnp.array([[0.0], [-200.0]]), jnp.array([1, 1])).tolist()
    [0.6931471824645996, 200.0]
    """

    equation = "ℓ = Σⱼ log(1 + exp(−tⱼsⱼ)), tⱼ = ±1"
    paper = "Rifkin & Klautau 2004"

    def rows(self, scores: Array, y: Array) -> Array:
        return jnp.sum(jax.nn.softplus(jnp.where(own(scores, y), -scores, scores)), axis=-1)


@spec
class SquaredSigmoid(OnEachScore):
    """Squared error on a sigmoid: ℓ = ½Σⱼ(σ(sⱼ) − tⱼ)², tⱼ = 1 for the row's class, else 0.  (Rumelhart et al. 1986)

    **Settings**: half=True (default) has the gradient e·σ′(s)·x that sources A and B write by hand, and reports half of
    the Σe² they print; half=False reports Σe² and has twice their gradient. So J1's losses are 2 × those of half=True
    at the sources' rate, or those of half=False at half of it.

    **Shapes**: scores [rows, 1] for two classes, [rows, classes] for more; y [rows] class numbers → [rows].
    **Range**: 0 … ½·outputs (half). The gradient vanishes where the sigmoid saturates, on wrong rows too.

    >>> SquaredSigmoid().rows(jnp.array([[0.0]]), jnp.array([1])).tolist()
    [0.125]
    """

    half: bool = True

    equation = "ℓ = ½Σⱼ(σ(sⱼ) − tⱼ)²"
    paper = "Rumelhart, Hinton & Williams 1986"

    def rows(self, scores: Array, y: Array) -> Array:
        # σ(−s) = 1 − σ(s), without losing the digits of a score that is nearly right
        error = jax.nn.sigmoid(jnp.where(own(scores, y), -scores, scores))
        return (0.5 if self.half else 1.0) * jnp.sum(error * error, axis=-1)
