"""`Classifier`: a recipe as a scikit-learn estimator."""

from __future__ import annotations

import contextlib
import numbers
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from steepest.core.errors import DataError, SettingError, whole_number
from steepest.core.registry import Registry
from steepest.data.standard import Standard
from steepest.inits import INITS
from steepest.losses import LOSSES
from steepest.methods import METHODS
from steepest.models.linear import Linear
from steepest.models.loading import as_model
from steepest.models.source import is_own
from steepest.models.text import model_from_text
from steepest.penalties import PENALTIES
from steepest.schedules import SCHEDULES
from steepest.stops import STOPS
from steepest.study import fit as fit_
from steepest.study import single, solver
from steepest.study.estimator_rows import flat, image_shape, relative, row_weights, with_class_weight
from steepest.study.nested import replaced, settings_of
from steepest.study.recipe_text import techniques_from_text
from steepest.study.split import split
from steepest.train.fitted import Fitted
from steepest.train.recipe import Recipe
from steepest.train.techniques import check_techniques, with_techniques

PARTS = {"method": METHODS, "penalty": PENALTIES, "loss": LOSSES, "schedule": SCHEDULES, "init": INITS, "stop": STOPS}
NESTED = (*PARTS, "model", "techniques")  # `method__rate` reaches into them


def _gives_probabilities(self: Classifier) -> bool:
    loss = self.fitted_.recipe.loss if hasattr(self, "fitted_") else _named(LOSSES, self.loss)
    if not loss.probabilistic:
        raise AttributeError(f"{type(loss).__name__} gives no probabilities; use loss cross-entropy or one-vs-rest")
    return True


class Classifier(ClassifierMixin, BaseEstimator):
    """A classifier trained by any method, with any penalty, for scikit-learn's pipelines and searches.

    **Rows** X [rows, features]; or images [rows, H, W] or [rows, H, W, channels], for models and techniques that need
    them; predict takes rows of the shape that fit met.
    **Settings**: method, penalty, loss, schedule, init and stop are registered names ("adam", "l2") for their defaults,
    or instances (`Adam(rate=1e-2)`); model is "linear", "mlp:64,32", "file.py:name", an instance, or your own
    (docs/models.md). epochs ≥ 1; init None: from zero for a linear model, by He for others. techniques: as text
    ("dropout:rate=0.2", "smoothing+early-stopping"; "none"), or instances, one or several. batch_size rows a step
    (None: all).
    validation_fraction: the share of the rows, in [0, 1), that is kept from training, for stopping rules and schedules
    to look at. standardize: by the training rows' mean and deviation.
    class_weight: None; "balanced", each class by rows / (classes · its rows); or {class: weight}. It multiplies
    sample_weight. products: as of a `Recipe`.
    exact: bit for bit as in a `sweep` of these rows (slower). random_state: a number for the same result each time,
    None for another.
    A part's own settings are nested parameters: method__rate, model__widths, techniques__dropout__rate; a name given as
    text becomes the part it names.

    **After fit**: classes_, n_features_in_ (numbers in a row), feature_names_in_, image_shape_ (None, or an image's);
    n_iter_ (epochs), loss_curve_ (training loss by epoch), fitted_ (a `Fitted`); for a linear model coef_ and
    intercept_, in the units of X as given, one row for two classes.

    **Raises** SettingError (a ValueError) for settings that do not fit, DataError (a ValueError) for rows that cannot
    be used; warns with ConvergenceWarning where the training diverged (its last finite weights are kept).
    **Differs** from SGDClassifier: rows are standardised; a batch has 32 rows; sample_weight counts within its batch
    (Σwℓ/Σw), so weight 2 is not quite the same as the row twice.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(Classifier("momentum", "l2", epochs=50).fit(X, y).score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        method: Any = "momentum",
        penalty: Any = "none",
        model: Any = "linear",
        loss: Any = "cross-entropy",
        *,
        epochs: int = 20,
        batch_size: int | None = 32,
        schedule: Any = "constant",
        init: Any = None,
        stop: Any = None,
        techniques: Any = (),
        class_weight: Any = None,
        products: str = "auto",
        validation_fraction: float = 0.0,
        standardize: bool = True,
        exact: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.method = method
        self.penalty = penalty
        self.model = model
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.schedule = schedule
        self.init = init
        self.stop = stop
        self.techniques = techniques
        self.class_weight = class_weight
        self.products = products
        self.validation_fraction = validation_fraction
        self.standardize = standardize
        self.exact = exact
        self.random_state = random_state

    def recipe(self) -> Recipe:
        """The recipe that these settings make."""
        parts = {name: _named(registry, getattr(self, name)) for name, registry in PARTS.items()}
        model = model_from_text(self.model) if isinstance(self.model, str) else as_model(self.model)
        recipe = Recipe(model=model, batch_size=self.batch_size, products=self.products, **parts)
        return with_techniques(recipe, _techniques(self.techniques))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Settings by name; with `deep` those of each part, too, as method__rate."""
        made = {name: getattr(self, name) for name in self._get_param_names()}
        if not deep:
            return made
        for name in NESTED:
            made |= {f"{name}__{inner}": value for inner, value in settings_of(self._part(name)).items()}
        return made

    def set_params(self, **params: Any) -> Classifier:
        """Change settings by name; method__rate=0.1 puts another method in the old one's place."""
        inside: dict[str, dict[str, Any]] = {}
        for name in list(params):
            owner, _, inner = name.partition("__")
            if inner and owner in self._get_param_names():
                inside.setdefault(owner, {})[inner] = params.pop(name)
        super().set_params(**params)
        for owner, changes in inside.items():
            setattr(self, owner, replaced(self._part(owner), changes, owner))
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Classifier:
        """Train on X [rows, …], y [rows] labels of any kind, sample_weight [rows] ≥ 0 (default: all alike)."""
        recipe = self.recipe()
        whole_number("epochs", self.epochs)
        self.image_shape_ = image_shape(X)
        X, y = validate_data(self, flat(X, self.image_shape_), y, dtype=[np.float64, np.float32], y_numeric=False)
        check_classification_targets(y)
        self.classes_, numbers_ = np.unique(y, return_inverse=True)
        shape = self.image_shape_ or X.shape[1:]
        recipe.model.check(shape)
        check_techniques(recipe, shape)
        weight = row_weights(sample_weight, len(X))
        if len(self.classes_) < 2:
            raise DataError(f"y holds one class, {self.classes_[0]!r}; a classifier needs at least two")
        if recipe.loss.regression:
            raise SettingError(f"Classifier: {type(recipe.loss).__name__} is for numbers, and y holds classes")
        weight = with_class_weight(weight, self.class_weight, self.classes_, y, numbers_)
        weight = relative(weight) if recipe.reduction == "mean" else weight
        used = weight > 0
        if len(np.unique(numbers_[used])) < 2:
            zero = "sample_weight" if self.class_weight is None else "class_weight times sample_weight"
            raise DataError(f"{zero} is zero for all rows but those of one class; a classifier needs at least two")
        seed = _seed(self.random_state)
        training, validation = self._parts(recipe, numbers_, used, seed)
        standard = Standard.fit(X[training]) if self.standardize else None
        fitted = replace(single.untrained(recipe, self.classes_, X.shape[1], standard, seed), shape=shape)
        rows, y = single.real(fitted.prepared(X), recipe.dtype), numbers_.astype(np.int32)
        if solver.is_solver(recipe):
            found = solver.solve(recipe, rows[training], y[training], weight[training], len(self.classes_))
            loss = fit_.mean_loss(replace(fitted, params=found.params), X[training], y[training], weight[training])
            curves = {"train_loss": np.array([loss])}
            self.fitted_ = replace(fitted, params=found.params, curves=curves, step=found.sweeps, epochs=1)
        else:
            replicate = single.replicate_of(fitted, rows, y, weight, (training, validation), self.exact)
            self.fitted_ = single.trained(fitted, replicate, self.epochs, self.exact)
        self.n_iter_ = self.fitted_.epochs
        self.loss_curve_ = self.fitted_.curves["train_loss"][: self.n_iter_].tolist()
        for note in self.fitted_.notes:
            warnings.warn(note, ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The label of each row [rows], in the kind of y."""
        fitted, rows = self._checked(X)
        return self.classes_[fitted.predict(rows)]

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """How probable each class is [rows, classes], in the order of classes_."""
        fitted, rows = self._checked(X)
        found = fitted.probabilities(rows)
        assert found is not None  # available_if
        return found

    def decision_function(self, X: Any) -> np.ndarray:
        """The scores [rows, classes]; for two classes how far the second is ahead, [rows]."""
        fitted, rows = self._checked(X)
        margins = fitted.margins(rows)
        if len(self.classes_) > 2:
            return margins
        return margins[:, 0] if margins.shape[1] == 1 else margins[:, 1] - margins[:, 0]

    @property
    def coef_(self) -> np.ndarray:
        """Weights [classes, features] ([1, features] for two classes) on rows as they are given."""
        return self._linear()[0]

    @property
    def intercept_(self) -> np.ndarray:
        """Biases [classes] ([1] for two classes) that go with coef_."""
        return self._linear()[1]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _parts(self, recipe: Recipe, y: np.ndarray, used: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers to train and to validate on, of those that have weight."""
        rows = np.flatnonzero(used)
        share = self.validation_fraction
        if not isinstance(share, numbers.Real) or not 0 <= share < 1:
            raise SettingError(f"validation_fraction = {share!r}; it must be a share in [0, 1)")
        if share == 0:
            if recipe.stop is not None and recipe.stop.needs_validation:
                raise SettingError(
                    f"{type(recipe.stop).__name__} looks at validation rows; give validation_fraction, 0.2 for instance"
                )
            return rows, rows[:0]
        parts = split(y[rows].astype(np.int64), None, seed, 0, 0.0, float(share), [str(c) for c in self.classes_])
        return rows[parts.train.rows], rows[parts.validation.rows]

    def _checked(self, X: Any) -> tuple[Fitted, np.ndarray]:
        """What was trained, and rows in the form that fit met."""
        check_is_fitted(self, "fitted_")
        shape = image_shape(X)
        if shape != self.image_shape_:
            kinds = [f"images of {each}" if each else "rows of features" for each in (shape, self.image_shape_)]
            raise DataError(f"X holds {kinds[0]}, and the classifier was fitted on {kinds[1]}; give it those")
        rows: Any = validate_data(self, flat(X, shape), reset=False, dtype=[np.float64, np.float32])
        return self.fitted_, rows

    def _part(self, name: str) -> Any:
        """What a setting stands for; None where text names nothing (`fit` refuses it), or a file (it is not run)."""
        value = getattr(self, name)
        if not isinstance(value, str) or name not in NESTED:
            return tuple(value) if isinstance(value, list) else value
        with contextlib.suppress(SettingError):
            if name == "techniques":
                return techniques_from_text(value)
            if name == "model":
                return None if is_own(value) else model_from_text(value)
            return _named(PARTS[name], value)
        return None

    def _linear(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights and biases with standardisation taken into them: W·(x − c)/s + b = (W/s)·x + (b − (W/s)·c)."""
        check_is_fitted(self, "fitted_")
        params, standard = self.fitted_.params, self.fitted_.standard
        if not isinstance(self.fitted_.recipe.model, Linear):
            raise AttributeError(f"model {self.model!r} is not linear, so it has no coef_ and no intercept_")
        if params["W"].ndim > 2 or isinstance(standard, tuple):
            raise AttributeError(f"{len(params['W'])} linear models vote, so there is no one coef_ and intercept_")
        W = params["W"].astype(np.float64)
        b = params["b"].astype(np.float64) if "b" in params else np.zeros(len(W))
        if standard is not None:
            W = W / standard.scale
            b = b - W @ standard.center
        if len(self.classes_) == 2 and len(W) == 2:
            W, b = W[1:] - W[:1], b[1:] - b[:1]
        return W, b


def _named(registry: Registry, value: Any) -> Any:
    """A registered name as an instance with its defaults; anything else as it is."""
    return registry[value]() if isinstance(value, str) else value


def _techniques(given: Any) -> tuple[Any, ...]:
    """Techniques as text, or instances, one or several."""
    if isinstance(given, str):
        return techniques_from_text(given)
    return tuple(given) if isinstance(given, tuple | list) else (given,)


def _seed(random_state: Any) -> int:
    """A whole number as it is, so that it means what `seed` means elsewhere; another kind draws one."""
    if isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool):
        if random_state < 0:
            raise SettingError(f"random_state = {random_state}; it must be at least 0")
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
