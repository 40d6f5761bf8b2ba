"""Further tasks beside the first, as a technique: what they are worth to it is a hyperparameter like any other."""

from __future__ import annotations

from steepest.core.hyper import Hyper, Space, positive
from steepest.core.spec import spec
from steepest.techniques.contract import Technique


@spec
class FurtherTasks(Technique):
    """Multi-task learning for the first task's sake: ℓ = ℓ₁ + weight·Σₜ₌₂ ℓₜ, ℓₜ of one task.  (Caruana 1997)

    The first label column is what the model is judged by; the others have a head each on the same trunk, and help where
    what they teach the trunk is what the first needs, too. Validation rows report, and stopping rules hear, ℓ₁ alone.

    **Shapes**: y [rows, tasks]. It is no place in a step but a loss: where the labels are known, `MultiTask` with the
    weights (1, weight, …, weight) and judge="first" takes its place (`study/tasks.py`).
    **Hyperparameters**: weight > 0 of each further task, 1 by default, searched 0.03 … 3, log-uniform.
    **Raises** SettingError for a weight out of its range, for data with one label column, beside a loss other than
    cross-entropy, and with techniques that are for one task's classes.
    **Differs**: Keras's `loss_weights` give each task a weight of its own; so does `MultiTask`.

    >>> FurtherTasks(weight=0.5)
    FurtherTasks(weight=0.5)
    """

    weight: Hyper = positive(1.0, Space(0.03, 3.0, log=True))

    equation = "ℓ = ℓ₁ + weight·Σₜ₌₂ ℓₜ, a head for each task"
    paper = "Caruana 1997"
    needs_tasks = True
