"""Cross-entropy on a softmax."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from steepest.core.spec import spec
from steepest.losses.contract import Array, Loss, hot


@spec
class CrossEntropy(Loss):
    """Cross-entropy of the softmax: ℓ = log Σⱼ exp(sⱼ) − s_y.  (Goodfellow et al. 6.2.2.3)

    **Shapes**: scores [rows, classes], y [rows] class numbers → [rows]. Two classes have two scores, too.
    **Range**: 0 … ∞; finite for any finite scores (the largest score is taken out first). ∇ = softmax(s) − onehot(y).
    **Differs**: equals torch's CrossEntropyLoss(reduction="none") and Keras's from_logits=True.

    >>> CrossEntropy().rows(jnp.array([[0.0, 0.0]]), jnp.array([1])).tolist()
    [0.6931471824645996]
    """

    equation = "ℓ = log Σⱼ exp(sⱼ) − s_y"
    paper = "Goodfellow et al. 6.2.2.3"

    def rows(self, scores: Array, y: Array) -> Array:
        s = scores.T  # classes first, as the model's product gives them: see steepest.models.contract.times
        below = s - jax.lax.stop_gradient(s.max(axis=0))
        own = jnp.sum(jnp.where(hot(scores, y).T, below, 0), axis=0)
        return jnp.log(jnp.sum(jnp.exp(below), axis=0)) - own

    def average(self, scores: Array, share: Array) -> Array:
        return jax.nn.logsumexp(jax.nn.log_softmax(scores, axis=-1), axis=0, b=share[..., None])

    def voted(self, shares: Array) -> Array:
        return jnp.log(jnp.maximum(shares, jnp.finfo(shares.dtype).tiny))

    def probabilities(self, scores: Array) -> Array:
        return jax.nn.softmax(scores, axis=-1)
