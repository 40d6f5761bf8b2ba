"""A trained model with all that predicting needs: recipe, weights, standardisation, classes and the shape of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.errors import DataError
from steepest.core.keys import key
from steepest.data.paths import counted
from steepest.data.schema import Schema
from steepest.data.standard import Standard
from steepest.train.cache import precision, prepare
from steepest.train.ensemble import out_of_bag, scores, scores_of_each
from steepest.train.limits import Limits
from steepest.train.recipe import Recipe
from steepest.train.scoring import rows_at_once
from steepest.train.uncertainty import Uncertainty, check_sampling, drawn_at_prediction, sampled

Tree = Any

FEWEST_ROWS, MOST_ROWS = 32, 4096  # rows that go through the model at once: a few shapes, so few compilations


@dataclass(frozen=True)
class FittedTask:
    """One of several tasks of a model: its name, its classes, and its scores on each part, as in `Fitted`."""

    name: str
    classes: tuple[str, ...]
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def score_names(tasks: Iterable[FittedTask]) -> tuple[str, ...]:
    """A name for each score of a model of several tasks: TASK:CLASS."""
    return tuple(f"{task.name}:{name}" for task in tasks for name in task.classes)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What one training came to.

    params: the reported weights, a tree of arrays as the model makes them (of an ensemble, with an axis of bags in
    front); shape: a row's, (D,) or (H, W, C); scores: {"train" | "validation" | "test": {"loss", "accuracy",
    "balanced", "f1"}}, {} for a part without rows, and "out-of-bag" where each bag drew its rows: every training row
    predicted by the bags that did not draw it; curves: "train_loss", "validation_loss", "validation_accuracy" →
    [epochs], NaN once the training has ended; status: "finished", "stopped" or "diverged" (then with its last finite
    weights); step: where it diverged, or the steps made; standard: a tuple where each member of an ensemble has its
    own; epochs: those trained; data: {"name", "rows", "classes", "fingerprint"}; notes: what a user should know;
    limits: the least and the most of each feature over the training rows, as the model sees them, in a row's shape;
    None where features are pixels, which go from black to white, or where it is not known.
    """

    recipe: Recipe
    params: Tree
    classes: tuple[str, ...]
    schema: Schema | None
    standard: Standard | tuple[Standard, ...] | None
    shape: tuple[int, ...]
    scores: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, np.ndarray]
    status: str
    step: int
    epochs: int
    seed: int
    data: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())
    tasks: tuple[FittedTask, ...] = ()  # where there are several; `scores` are then of all together
    limits: Limits | None = None

    def predict(self, rows: Any) -> np.ndarray:
        """The class number of each row [rows]; rows [rows, features] as `Dataset.features()` gives them.

        Of several tasks [rows, tasks], the number among that task's classes.
        """
        return self._through(_labels, rows).astype(np.int32)

    def labels(self, rows: Any) -> np.ndarray:
        """The class name of each row [rows], text; of several tasks [rows, tasks]."""
        numbers = self.predict(rows)
        if not self.tasks:
            return np.array(self.classes, dtype=object)[numbers]
        each = [np.array(task.classes, dtype=object)[numbers[:, place]] for place, task in enumerate(self.tasks)]
        return np.stack(each, axis=1)

    def probabilities(self, rows: Any) -> np.ndarray | None:
        """How probable each class is, float64 [rows, classes]; None where the loss gives none (a hinge).

        Of several tasks: the classes of each, one task after the other, each summing to 1.
        """
        if not self.recipe.loss.probabilistic:
            return None
        return self._through(_probabilities, rows)

    def uncertainty(self, rows: Any, samples: int = 100, seed: int = 0) -> Uncertainty:
        """How sure the model is: mean and spread [rows, classes] of its probabilities, units dropped `samples` times.

        Monte Carlo dropout (Gal & Ghahramani 2016), for a model trained with `Dropout` or `InputDropout`, at the rates
        it was trained with. A sample is one draw of units for all rows, so a row's numbers do not hang on the others;
        `seed` decides the draws, and more samples begin with those of fewer.
        **Raises** SettingError for a model without dropout, a loss without probabilities, or samples below 2.
        """
        check_sampling(self.recipe, samples, seed)
        what = partial(sampled, drawn_at_prediction(self.recipe), samples, key(seed, 0, "uncertainty"))
        found = self._through(what, rows)
        return Uncertainty(found[:, 0], found[:, 1])

    def margins(self, rows: Any) -> np.ndarray:
        """The model's scores, float64 [rows, outputs]."""
        return self._through(_margins, rows)

    def losses(self, rows: Any, y: Any) -> np.ndarray:
        """The loss of each row, float64 [rows]; y [rows] class numbers."""
        return self._through(_losses, rows, np.asarray(y))

    def out_of_bag(self, rows: Any, y: Any, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What an ensemble says of training rows [rows] by the bags that did not draw them: class numbers, and losses.

        counts [bags, rows]: how often each bag drew each row; a row that all bags drew has no meaningful answer.
        """
        found = self._through(_out_of_bag, rows, np.asarray(y), np.asarray(counts).T)
        return found[:, 0].astype(np.int32), found[:, 1]

    def out_of_bag_margins(self, rows: Any, counts: np.ndarray) -> np.ndarray:
        """The scores [rows, outputs] that `out_of_bag` goes by."""
        return self._through(_out_of_bag_margins, rows, np.asarray(counts).T)

    def prepared(self, rows: Any) -> np.ndarray:
        """Rows as the model sees them: standardised, in a row's own shape [rows, …].

        [rows, members, …] for an ensemble whose members each standardise by their own training rows.
        """
        rows = np.asarray(rows)
        features = int(np.prod(self.shape))
        if rows.ndim < 2 or int(np.prod(rows.shape[1:])) != features:
            raise DataError(f"rows have shape {rows.shape}; the model reads [rows, {features}]")
        rows = rows.reshape(len(rows), features)
        if isinstance(self.standard, tuple):
            each = [self._finite(standard.transform(rows)) for standard in self.standard]
            return np.stack(each, axis=1).reshape(len(rows), len(each), *self.shape)
        rows = rows if self.standard is None else self.standard.transform(rows)
        return self._finite(rows).reshape(len(rows), *self.shape)

    def _finite(self, rows: np.ndarray) -> np.ndarray:
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise DataError(
                f"row {row + 1}, feature {column + 1} is {rows[row, column]}; the model needs finite numbers"
            )
        return rows

    def _through(self, what: Callable[..., Any], rows: Any, *more: np.ndarray) -> np.ndarray:
        """`what` of each row, some thousand at a time.

        In float64 whatever the weights are in: a row's numbers do not hang on the rows that come with it.
        """
        prepare()
        X = self.prepared(rows)
        found = []
        most = min(MOST_ROWS, rows_at_once(self.recipe, self.shape, len(self.classes)))
        with precision("float64"):
            for start in range(0, max(len(X), 1), most):
                here = slice(start, start + most)
                parts = [_filled(part[here]) for part in (X.astype(np.float64, copy=False), *more)]
                params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), self.params)
                made = what(
                    isinstance(self.standard, tuple),
                    self.recipe.model,
                    self.recipe.loss,
                    self.recipe.bagging,
                    params,
                    *parts,
                )
                found.append(np.asarray(made)[: len(X[here])])
        return np.concatenate(found)

    def __repr__(self) -> str:
        accuracy = self.scores.get("test", {}).get("accuracy")
        said = "" if accuracy is None else f", {100 * accuracy:.1f} % right on the test rows"
        return f"<Fitted {self.recipe!r}: {self.status} after {counted(self.epochs, 'epoch')}{said}>"


def _filled(rows: np.ndarray) -> np.ndarray:
    """Rows with zeros after them up to a power of two."""
    wanted = FEWEST_ROWS
    while wanted < len(rows):
        wanted *= 2
    filled = np.zeros((wanted, *rows.shape[1:]), rows.dtype)
    filled[: len(rows)] = rows
    return filled


OWN_STATIC = partial(jax.jit, static_argnums=0)  # `own`: each member of an ensemble has its own rows


@OWN_STATIC
def _margins(own: bool, model: Any, loss: Any, bagging: Any, params: Tree, X: Any) -> Any:
    return scores(model, loss, bagging, params, X, own)


@OWN_STATIC
def _labels(own: bool, model: Any, loss: Any, bagging: Any, params: Tree, X: Any) -> Any:
    return loss.labels(scores(model, loss, bagging, params, X, own))


@OWN_STATIC
def _probabilities(own: bool, model: Any, loss: Any, bagging: Any, params: Tree, X: Any) -> Any:
    return loss.probabilities(scores(model, loss, bagging, params, X, own))


@OWN_STATIC
def _losses(own: bool, model: Any, loss: Any, bagging: Any, params: Tree, X: Any, y: Any) -> Any:
    return loss.rows(scores(model, loss, bagging, params, X, own), y)


@OWN_STATIC
def _out_of_bag(own: bool, model: Any, loss: Any, bagging: Any, params: Tree, X: Any, y: Any, counts: Any) -> Any:
    found = out_of_bag(loss, bagging.combine, scores_of_each(model, params, X, own), counts.T)
    return jnp.stack([loss.labels(found).astype(found.dtype), loss.rows(found, y)], axis=1)


@OWN_STATIC
def _out_of_bag_margins(own: bool, model: Any, loss: Any, bagging: Any, params: Tree, X: Any, counts: Any) -> Any:
    return out_of_bag(loss, bagging.combine, scores_of_each(model, params, X, own), counts.T)
