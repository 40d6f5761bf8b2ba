"""How good predictions are: confusion matrices, the scores read off them, and the report by class. NumPy only.

A score is a function of a confusion matrix, so a whole population is scored at once: matrices [..., classes, classes].
"""

from steepest.metrics.matrix import confusion
from steepest.metrics.scores import METRICS, accuracy, balanced_accuracy, f1, metric
from steepest.metrics.summary import Averages, ClassScores, Report, report

__all__ = [
    "METRICS",
    "Averages",
    "ClassScores",
    "Report",
    "accuracy",
    "balanced_accuracy",
    "confusion",
    "f1",
    "metric",
    "report",
]
