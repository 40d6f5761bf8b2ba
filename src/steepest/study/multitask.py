"""`MultiTaskClassifier`: several label columns, one shared trunk, a head for each; as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace as changed
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from steepest.core.errors import DataError, SettingError, whole_number
from steepest.core.spec import replace
from steepest.data.standard import Standard
from steepest.losses.multitask import MultiTask
from steepest.losses.softmax import CrossEntropy
from steepest.models.mlp import MLP
from steepest.study import single
from steepest.study.split import split
from steepest.study.tasks import with_tasks
from steepest.train.fitted import Fitted, FittedTask, score_names
from steepest.train.recipe import Recipe
from steepest.train.techniques import check_techniques

DEFAULT = Recipe(model=MLP(widths=(64,)))


class MultiTaskClassifier(BaseEstimator):
    """One model for several tasks: a trunk that they share, and a head of scores for each (`MultiTask`).

    **Settings**: recipe, a `Recipe` whose model is the trunk with the heads as its last layer (None: mlp:64), and whose
    loss is CrossEntropy, or MultiTask with weights; weights, how much each task counts (None: 1 each, or the recipe's;
    0: not at all); epochs ≥ 1; validation_fraction of the rows, drawn evenly from the first task's classes, for
    stopping rules and schedules to look at; standardize by the training rows; exact: bit for bit the same on any
    machine's CPU whatever the block; random_state a whole number.

    **After fit**: classes_, an array a task; n_tasks_; fitted_, a `Fitted` with a class "TASK:CLASS" for each score,
    whose `predict` is [rows, tasks] and that can be saved; n_iter_; loss_curve_.

    **Raises** SettingError for settings that do not fit, DataError for rows or labels that cannot be used; warns with
    ConvergenceWarning where the training diverged. **Differs** from scikit-learn's MultiOutputClassifier, which trains
    a model of its own for each task.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> Y = np.stack([X[:, 0] > 0, X[:, 0] + X[:, 1] > 0], axis=1)
    >>> MultiTaskClassifier(epochs=30).fit(X, Y).predict(X[:5]).shape
    (5, 2)
    """

    def __init__(
        self,
        recipe: Recipe | None = None,
        weights: Sequence[float] | None = None,
        *,
        epochs: int = 20,
        validation_fraction: float = 0.0,
        standardize: bool = True,
        exact: bool = False,
        random_state: int = 0,
    ) -> None:
        self.recipe = recipe
        self.weights = weights
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.standardize = standardize
        self.exact = exact
        self.random_state = random_state

    def fit(self, X: Any, Y: Any) -> MultiTaskClassifier:
        """Train on X [rows, features] (or images [rows, H, W, C]), Y [rows, tasks] labels of any kind."""
        whole_number("epochs", self.epochs)
        seed = whole_number("random_state", self.random_state, 0)
        X = validate_data(self, X, dtype=[np.float64, np.float32], allow_nd=True)
        self.classes_, y = _tasks(Y, len(X))
        self.n_tasks_ = len(self.classes_)
        recipe = self._recipe(X.shape[1:])
        training, validation = self._parts(recipe, y[:, 0], seed)
        standard = Standard.fit(X.reshape(len(X), -1)[training]) if self.standardize else None
        tasks = tuple(FittedTask(f"task {k}", tuple(map(str, known))) for k, known in enumerate(self.classes_, 1))
        fitted = single.untrained(recipe, np.array(score_names(tasks)), X[0].size, standard, seed)
        fitted = changed(fitted, shape=X.shape[1:], tasks=tasks)
        rows = single.real(fitted.prepared(X), recipe.dtype)
        replicate = single.replicate_of(fitted, rows, y, np.ones(len(X)), (training, validation), self.exact)
        self.fitted_ = single.trained(fitted, replicate, self.epochs, self.exact)
        self.n_iter_ = self.fitted_.epochs
        self.loss_curve_ = self.fitted_.curves["train_loss"][: self.n_iter_].tolist()
        for note in self.fitted_.notes:
            warnings.warn(note, ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The label of each row for each task [rows, tasks], in the kind of Y."""
        fitted, rows = self._checked(X)
        numbers = fitted.predict(rows)
        return np.stack([known[numbers[:, task]] for task, known in enumerate(self.classes_)], axis=1)

    def predict_proba(self, X: Any) -> list[np.ndarray]:
        """How probable each class is, an array [rows, classes] for each task, in the order of classes_."""
        fitted, rows = self._checked(X)
        found = fitted.probabilities(rows)
        assert found is not None  # a softmax gives them
        return [found[:, own] for own in fitted.recipe.loss.slices]

    def accuracies(self, X: Any, Y: Any) -> np.ndarray:
        """The share of rows that each task gets right [tasks]."""
        said, Y = self.predict(X), np.asarray(Y)
        if Y.shape != said.shape:
            raise DataError(f"Y has shape {Y.shape}; {said.shape} is needed, a label for each row and task")
        return np.mean(said == Y, axis=0)

    def score(self, X: Any, Y: Any) -> float:
        """The mean of the tasks' accuracies."""
        return float(self.accuracies(X, Y).mean())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _recipe(self, shape: tuple[int, ...]) -> Recipe:
        """The recipe with the tasks' loss in place of its own."""
        recipe = DEFAULT if self.recipe is None else self.recipe
        if not isinstance(recipe, Recipe):
            raise SettingError(f"MultiTaskClassifier.recipe is a {type(recipe).__name__}; it must be a steepest.Recipe")
        if self.weights is not None and not isinstance(recipe.loss, CrossEntropy):
            loss = repr(recipe.loss)
            raise SettingError(f"MultiTaskClassifier: weights go with CrossEntropy, and the recipe's loss is {loss}")
        if self.weights is not None:
            recipe = replace(recipe, loss=MultiTask(weights=self.weights))
        made = with_tasks(recipe, [len(known) for known in self.classes_])
        check_techniques(made, shape)
        return made

    def _parts(self, recipe: Recipe, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers to train and to validate on."""
        share = self.validation_fraction
        if not isinstance(share, Real) or not 0 <= share < 1:
            raise SettingError(f"validation_fraction = {share!r}; it must be a share in [0, 1)")
        if share == 0:
            if recipe.stop is not None and recipe.stop.needs_validation:
                name = type(recipe.stop).__name__
                raise SettingError(f"{name} looks at validation rows; give validation_fraction, 0.2 for instance")
            return np.arange(len(y)), np.arange(0)
        parts = split(y, None, seed, 0, 0.0, float(share), [str(known) for known in self.classes_[0]])
        return parts.train.rows, parts.validation.rows

    def _checked(self, X: Any) -> tuple[Fitted, Any]:
        check_is_fitted(self, "fitted_")
        return self.fitted_, validate_data(self, X, reset=False, dtype=[np.float64, np.float32], allow_nd=True)


def _tasks(Y: Any, rows: int) -> tuple[list[np.ndarray], np.ndarray]:
    """The classes of each task, and class numbers int32 [rows, tasks]."""
    Y = check_array(Y, dtype=None)  # pyright: ignore[reportArgumentType]
    if len(Y) != rows:
        raise DataError(f"Y has {len(Y)} rows, and X has {rows}")
    known, numbers = [], []
    for task, column in enumerate(Y.T):
        names, found = np.unique(column, return_inverse=True)
        if len(names) < 2:
            raise DataError(
                f"task {task + 1} of {Y.shape[1]} holds one class, {str(names[0])!r}; it needs at least two"
            )
        known.append(names)
        numbers.append(found.astype(np.int32))
    return known, np.stack(numbers, axis=1)
