"""Several tasks at once: each has its own scores, and its own share of the loss."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.hyper import choice, several
from steepest.core.spec import refuse, spec
from steepest.losses.contract import Array, Loss
from steepest.losses.softmax import CrossEntropy

JUDGES = ("all", "first")


@spec
class MultiTask(Loss):
    """Multi-task cross-entropy: ℓ = Σₜ wₜ·ℓₜ, ℓₜ the cross-entropy of task t on its own scores.  (Caruana 1997)

    The model's last layer is the heads: the scores of task t are columns of their own (`slices`), and all that lies
    before is shared. So the gradient of the shared weights is the weighted sum of the tasks' gradients.

    **Shapes**: scores [rows, Σₜ classesₜ], y [rows, tasks] class numbers → [rows]. `labels` are [rows, tasks],
    `probabilities` [rows, Σₜ classesₜ], of which each task's sum to 1.
    **Settings**: classes, how many each task has, at least 2; () where the data are to say (`fit` does that). judge:
    what validation rows are reported, and stopped, by: "all" (the loss above, and the tasks' mean accuracy), or "first"
    (the first task's own: the others are there to help it).
    **Hyperparameters**: weights wₜ ≥ 0, one a task, by default 1 (a sum, not a mean: with more tasks the shared weights
    make larger steps). A task of weight 0 trains nothing, and the others train as they would without it.
    **Raises** SettingError for settings outside these.

    >>> loss = MultiTask(classes=(2, 3), weights=(1.0, 0.5))
    >>> loss.rows(jnp.zeros((1, 5)), jnp.array([[1, 2]])).tolist()  # log 2 + ½·log 3
    [1.2424533367156982]
    """

    classes: tuple[int, ...] = ()
    weights: Any = several()
    judge: str = choice(JUDGES)

    equation = "ℓ = Σₜ wₜ·(log Σⱼ exp(sₜⱼ) − sₜ,y)"
    paper = "Caruana 1997; Goodfellow et al. 7.7"

    def __post_init__(self) -> None:
        classes = tuple(self.classes)
        if any(isinstance(k, bool) or k != int(k) or k < 2 for k in classes):
            raise refuse(self, f"classes = {self.classes!r}; it must be whole numbers of at least 2, one a task")
        object.__setattr__(self, "classes", tuple(int(k) for k in classes))
        weights = tuple(self.weights) or (1.0,) * len(classes)
        if classes and len(weights) != len(classes):
            raise refuse(self, f"{len(weights)} weights for {len(classes)} tasks; give one a task")
        if any(isinstance(w, str) or not np.isfinite(w) or w < 0 for w in weights):
            raise refuse(self, f"weights = {weights!r}; they must be finite numbers of at least 0")
        object.__setattr__(self, "weights", tuple(float(w) for w in weights))

    @property
    def slices(self) -> list[slice]:
        """Which scores are each task's.

        >>> MultiTask(classes=(2, 3)).slices
        [slice(0, 2, None), slice(2, 5, None)]
        """
        ends = list(itertools.accumulate(self.classes))
        return [slice(end - count, end) for end, count in zip(ends, self.classes)]

    def outputs(self, classes: int = 0) -> int:
        """One score for each class of each task."""
        if not self.classes:
            raise refuse(self, f"is for several label columns, and there is one, of {classes} classes; name them all")
        return sum(self.classes)

    def rows(self, scores: Array, y: Array) -> Array:
        each = [CrossEntropy().rows(scores[..., own], y[..., task]) for task, own in enumerate(self.slices)]
        return sum(weight * losses for weight, losses in zip(self.weights, each))

    def own(self, y: Array) -> Array:
        return y

    def reported(self, scores: Array, y: Array) -> Array:
        if self.judge == "first":
            return CrossEntropy().rows(scores[..., self.slices[0]], y[..., 0])
        return self.rows(scores, y)

    def right(self, scores: Array, y: Array) -> Array:
        """The share of a row's tasks that are right; the first task's alone where that is the judge."""
        hits = self.labels(scores) == y
        return hits[..., 0] if self.judge == "first" else jnp.mean(hits, axis=-1)

    def labels(self, scores: Array) -> Array:
        """The class number of each task [rows, tasks]."""
        return jnp.stack([jnp.argmax(scores[..., own], axis=-1) for own in self.slices], axis=-1)

    def probabilities(self, scores: Array) -> Array:
        return jnp.concatenate([jax.nn.softmax(scores[..., own], axis=-1) for own in self.slices], axis=-1)

    def average(self, scores: Array, share: Array) -> Array:
        each = [CrossEntropy().average(scores[..., own], share) for own in self.slices]
        return jnp.concatenate(each, axis=-1)

    def voted(self, shares: Array) -> Array:
        raise refuse(self, 'has no votes for several tasks at once; combine by "average"')
