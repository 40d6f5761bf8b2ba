"""Bagging: several models, each trained on its own draw of the rows, that decide together."""

from __future__ import annotations

from steepest.core.errors import whole_number
from steepest.core.hyper import choice
from steepest.core.spec import spec
from steepest.techniques.contract import Technique

COMBINES = ("average", "vote")


@spec
class Bagging(Technique):
    """Bagging: `bags` models, each trained on rows drawn with replacement; together they predict by mean or by vote.

    **Equation** p(x) = (1/k)·Σᵢ pᵢ(x), bag i trained with the weights cᵢ·w of the rows, cᵢ ~ Multinomial(n, 1/n).
    (Breiman 1996; Goodfellow et al. 7.11) Rows that are duplicates of one another are drawn as one, all together: else
    a bag that did not draw a row would know its twin, and out-of-bag scores would be too good. n counts them so. Errors
    of variance v and covariance c leave a mean of variance v/k + (k − 1)·c/k.
    **Settings** bags k ≥ 1; combine "average" the probabilities (the scores, where a loss gives none), or "vote": each
    bag has one vote, and the average half a one, so that it decides ties.
    **What is shared**: a bag trains as it would alone: its own initial weights, draws of other techniques, gradient,
    clipping, method's memory and average of weights. The order of rows, the schedule and the stopping rule are the
    ensemble's, which is judged as a whole. A batch in which a bag has no row is no step of that bag, but counts as one.
    **Draws** come from (seed, replicate, bag) alone: all recipes meet the same bags, and bag i is the same among any
    number of bags. k bags cost as much as k trainings.
    **Shapes**: every array of weights has an axis of bags in front; row weights are [bags, rows].
    **Raises** SettingError for a number of bags below 1 or an unknown way to combine.
    **Differs** from scikit-learn's BaggingClassifier: rows are weighted by their count, not copied, and meet in the
    same batches in every bag; a vote's ties go to the more probable class, there to the lower one.

    >>> Bagging(bags=5, combine="vote")
    Bagging(bags=5, combine='vote')
    """

    bags: int = 8
    combine: str = choice(COMBINES)

    equation = "p = (1/k)·Σ pᵢ, model i trained on n rows drawn with replacement"
    paper = "Breiman 1996"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bags", whole_number("Bagging.bags", self.bags))

    @property
    def needs_classes(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Numbers can be averaged, but not voted on."""
        return self.combine == "vote"
