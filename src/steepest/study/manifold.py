"""The manifold tangent classifier: tangents learnt by a contractive autoencoder, and scores that are flat along them.

Images of one thing fill a thin sheet among all images. An autoencoder that must rebuild rows, and is charged for every
direction its code answers to, keeps those that lie in the sheet; the classifier is told not to care about them.
(Rifai, Dauphin, Vincent, Bengio & Muller 2011)
"""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from steepest.core.errors import DataError, whole_number
from steepest.core.hyper import Hyper, strength
from steepest.core.spec import spec
from steepest.data.standard import Standard
from steepest.inits.given import Given
from steepest.losses.contract import Loss
from steepest.methods.adam import Adam
from steepest.models.contract import Array, Model, Tree, dense, features, flat, times
from steepest.models.mlp import MLP
from steepest.models.passes import PREDICT, Predict
from steepest.study import single
from steepest.techniques.learnt import LearntTangents, learnt
from steepest.train.cache import precision, prepare
from steepest.train.fitted import Fitted
from steepest.train.recipe import Recipe


@spec
class ContractiveAutoencoder(Model):
    """What it costs to rebuild a row: ½‖Wᵀ·h + c − x‖² + λ·‖∂h/∂x‖²_F, with the code h = σ(W·x + b).

    The same weights code and rebuild (tied). Its one score is the cost, so that any method trains it, by the loss
    `Cost`. **Hyperparameters**: contraction λ ≥ 0, searched log-uniform 1e-3 … 10. **Settings**: hidden units.
    **Differs** from Rifai et al.: no second-order term (their CAE+H), and a linear output, as rows are standardised.
    """

    hidden: int = 64
    contraction: Hyper = strength(0.1, 1e-3, 10.0)

    equation = "½‖Wᵀ·h + c − x‖² + λ·‖∂h/∂x‖²_F, h = σ(W·x + b)"

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        code = dense(key, "code", (features(shape), self.hidden), init, dtype)
        return init.tree({"code": code, "rebuilt": {"b": jnp.zeros((features(shape),), dtype)}})

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        x, W = flat(rows), params["code"]["W"]
        h = how.hidden(self.code(params, x))
        error = times(W.T, h, params["rebuilt"]["b"]) - x
        slope = (h * (1 - h)) ** 2 @ jnp.sum(W * W, axis=1)
        return (0.5 * jnp.sum(error * error, axis=1) + self.contraction * slope)[:, None]

    def code(self, params: Tree, x: Array) -> Array:
        """The code h of rows [rows, features]."""
        return jax.nn.sigmoid(times(params["code"]["W"], x, params["code"]["b"]))

    def rebuilt(self, params: Tree, x: Array) -> Array:
        """Rows [rows, features] as they come out again."""
        return times(params["code"]["W"].T, self.code(params, x), params["rebuilt"]["b"])

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        return [features(shape), self.hidden, features(shape), outputs]


@spec
class Cost(Loss):
    """The loss of a model whose one score is its cost already; labels are ignored."""

    equation = "ℓ = s"
    regression = True
    probabilistic = False

    def outputs(self, classes: int = 0) -> int:
        del classes
        return 1

    def rows(self, scores: Array, y: Array) -> Array:
        del y
        return scores[..., 0]


class ManifoldTangentClassifier(ClassifierMixin, BaseEstimator):
    """A network whose scores are flat along the tangents that an autoencoder has learnt.  (Rifai et al. 2011)

    First a contractive autoencoder is trained on all rows, those without labels too. Then a network with its code for
    hidden layer starts from its weights, and is trained with tangent prop along the code's strongest directions.

    **Settings**: hidden units; tangents a row; strength λ of tangent prop; contraction λ of the autoencoder; epochs of
    the classifier and of the autoencoder (`pretraining`); batch_size; method and code_method, which train the one and
    the other (None: Adam at 3e-3); standardize by all rows; random_state a whole number.
    **After fit**: classes_, n_features_in_; autoencoder_ and fitted_, a `Fitted` each.
    **Shapes**: X [rows, features], y [rows] labels of any kind, unlabelled [more rows, features].
    **Raises** SettingError for settings that do not fit, DataError for rows that cannot be used; warns with
    ConvergenceWarning where a training diverged. **Takes** an eigenvalue problem of the smaller of hidden units and
    features for every row of every step.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> few = ManifoldTangentClassifier(hidden=32, tangents=4, pretraining=5, epochs=40)
    >>> few.fit(X[:300], y[:300], unlabelled=X[300:600]).score(X[600:], y[600:]) > 0.8
    True
    """

    def __init__(
        self,
        hidden: int = 128,
        tangents: int = 12,
        strength: float = 0.1,
        contraction: float = 0.1,
        *,
        epochs: int = 20,
        pretraining: int = 20,
        batch_size: int = 32,
        method: Any = None,
        code_method: Any = None,
        standardize: bool = True,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.tangents = tangents
        self.strength = strength
        self.contraction = contraction
        self.epochs = epochs
        self.pretraining = pretraining
        self.batch_size = batch_size
        self.method = method
        self.code_method = code_method
        self.standardize = standardize
        self.random_state = random_state

    def fit(self, X: Any, y: Any, unlabelled: Any = None) -> ManifoldTangentClassifier:
        """Learn tangents from X and the unlabelled rows, then the classes y of X."""
        for name in ("hidden", "tangents", "epochs", "pretraining", "batch_size"):
            whole_number(name, getattr(self, name))
        whole_number("random_state", self.random_state, 0)
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f"y holds one class, {self.classes_[0]!r}; a classifier needs at least two")
        everything = X if unlabelled is None else np.concatenate([X, self._more(unlabelled)])
        standard = Standard.fit(everything) if self.standardize else None
        self.autoencoder_ = self._autoencoder(everything, standard)
        self.fitted_ = self._classifier(X, numbers.astype(np.int32), standard)
        for fitted in (self.autoencoder_, self.fitted_):
            for note in fitted.notes:
                warnings.warn(note, ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The label of each row [rows], in the kind of y."""
        return self.classes_[self._fitted().predict(self._more(X))]

    def predict_proba(self, X: Any) -> np.ndarray:
        """How probable each class is [rows, classes], in the order of classes_."""
        found = self._fitted().probabilities(self._more(X))
        assert found is not None  # by cross-entropy
        return found

    def tangents_of(self, X: Any) -> np.ndarray:
        """The learnt tangents at rows, orthonormal in standardised units, the strongest first: [rows, tangents, …]."""
        rows = self._fitted().prepared(self._more(X))
        prepare()
        with precision("float64"):
            encoder = {name: np.asarray(leaf, np.float64) for name, leaf in self.autoencoder_.params["code"].items()}
            return np.asarray(learnt(encoder, jnp.asarray(rows, jnp.float64), self.tangents))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _autoencoder(self, X: np.ndarray, standard: Standard | None) -> Fitted:
        recipe = Recipe(
            model=ContractiveAutoencoder(self.hidden, self.contraction),
            method=self.code_method or Adam(rate=3e-3),
            loss=Cost(),
            batch_size=self.batch_size,
        )
        return self._trained(recipe, X, np.zeros(len(X), np.float32), standard, self.pretraining)

    def _classifier(self, X: np.ndarray, y: np.ndarray, standard: Standard | None) -> Fitted:
        code = self.autoencoder_.params["code"]
        top = {"W": np.zeros((len(self.classes_), self.hidden)), "b": np.zeros(len(self.classes_))}  # convex: no chance
        recipe = Recipe(
            model=MLP(widths=(self.hidden,), activation="sigmoid"),
            method=self.method or Adam(rate=3e-3),
            init=Given({"layer1": code, "output": top}),
            techniques=(LearntTangents(encoder=code, strength=self.strength, count=self.tangents),),
            batch_size=self.batch_size,
        )
        return self._trained(recipe, X, y, standard, self.epochs)

    def _trained(self, recipe: Recipe, X: np.ndarray, y: np.ndarray, standard: Standard | None, epochs: int) -> Fitted:
        labels = np.zeros(0) if recipe.loss.regression else self.classes_
        fitted = single.untrained(recipe, labels, X.shape[1], standard, self.random_state)
        rows = single.real(fitted.prepared(X), recipe.dtype)
        everyone = np.arange(len(X)), np.arange(0)
        replicate = single.replicate_of(fitted, rows, y, np.ones(len(X)), everyone, False)
        return single.trained(fitted, replicate, epochs, False)

    def _fitted(self) -> Fitted:
        check_is_fitted(self, "fitted_")
        return self.fitted_

    def _more(self, X: Any) -> np.ndarray:
        return np.asarray(validate_data(self, X, reset=False, dtype=[np.float64, np.float32]))
