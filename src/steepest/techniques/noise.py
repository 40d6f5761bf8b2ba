"""Noise where a network can take it: on inputs, hidden units, weights, and labels."""

from __future__ import annotations

import zlib

import jax
import jax.numpy as jnp

from steepest.core.hyper import Domain, Hyper, Space, fraction, hyper
from steepest.core.spec import spec
from steepest.techniques.contract import Array, Facts, Technique, Tree, at_layers, change_weights, check_layers


def _scale(default: float, low: float, high: float) -> Hyper:
    """A standard deviation: at least 0, searched log-uniformly."""
    return hyper(default, Domain(low=0.0), Space(low, high, log=True))


def _with_noise(x: Array, scale: Hyper, key: Array) -> Array:
    return x + (scale * jax.random.normal(key, x.shape, x.dtype)).astype(x.dtype)


@spec
class InputNoise(Technique):
    """Noise on inputs: x ← x + scale·n, n ∼ N(0, 1) a number.  (Goodfellow et al. 7.5)

    On a linear model with squared error it adds N·scale²·‖w‖² in expectation over N rows: ridge regression.

    **Shapes**: X [rows, …]. **Hyperparameters**: scale ≥ 0, the standard deviation in units of the inputs as the model
    sees them (standardised: of each feature's own deviation; images: of the range 0 … 1); 0.1 by default, searched
    0.01 … 1, log-uniform. **Raises** SettingError for a scale out of its range.
    **Differs**: Keras's GaussianNoise(stddev); torch has none.

    >>> X = jnp.zeros((1000, 10))
    >>> X, _ = InputNoise(scale=2.0).rows(X, X[:, 0], jax.random.key(0), Facts(None, None, 2))
    >>> round(float(X.std()), 1)
    2.0
    """

    scale: Hyper = _scale(0.1, 1e-2, 1.0)

    equation = "x ← x + scale·n, n ∼ N(0, 1)"
    paper = "Bishop 1995"

    def rows(self, X: Array, y: Array, key: Array, facts: Facts) -> tuple[Array, Array]:
        return _with_noise(X, self.scale, key), y


@spec
class HiddenNoise(Technique):
    """Noise on hidden units: h ← h + scale·n, n ∼ N(0, 1) a row and unit.  (Goodfellow et al. 7.5)

    **Shapes**: h [rows, …] of each hidden layer. **Hyperparameters**: scale ≥ 0, the standard deviation in units of
    what a hidden layer gives out (after its activation); 0.1 by default, searched 0.01 … 1, log-uniform.
    **Settings**: layers, the hidden layers it acts on, counted from 1; None for all.
    **Raises** SettingError for a scale out of its range, a layer below 1, or a model without the layers.
    **Differs**: Keras's GaussianNoise after a layer; torch has none.

    >>> h = HiddenNoise(scale=2.0).hidden(jnp.ones((1000, 10)), jax.random.key(0), layer=1)
    >>> round(float(h.std()), 1), round(float(h.mean()), 1)
    (2.0, 1.0)
    """

    scale: Hyper = _scale(0.1, 1e-2, 1.0)
    layers: tuple[int, ...] | None = None

    equation = "h ← h + scale·n, n ∼ N(0, 1)"
    paper = "Poole, Sohl-Dickstein & Ganguli 2014"
    needs_hidden = True

    def __post_init__(self) -> None:
        check_layers(self)

    def hidden(self, h: Array, key: Array, layer: int) -> Array:
        if not at_layers(self.layers, layer):
            return h
        return _with_noise(h, self.scale, key)


@spec
class WeightNoise(Technique):
    """Noise on weights: the gradient is taken at W + scale·n, n ∼ N(0, 1) a weight and step.  (Goodfellow et al. 7.5)

    It pushes towards weights whose neighbourhood is good, too (Goodfellow et al. 7.5.1): where the gradient of the
    scores by the weights is small. The weights themselves stay as the method left them; biases and norm parameters get
    no noise, and a penalty sees the weights without it.

    **Shapes**: every array under `W`. **Hyperparameters**: scale ≥ 0, the standard deviation in units of a weight;
    0.02 by default, searched 0.001 … 0.3, log-uniform (He's weights have a deviation of √(2/fan_in)).
    **Raises** SettingError for a scale out of its range. **Differs**: neither torch nor Keras has it.

    >>> noisy = WeightNoise(scale=2.0).weights({"W": jnp.zeros((100, 100)), "b": jnp.zeros(3)}, jax.random.key(0))
    >>> round(float(noisy["W"].std()), 1), noisy["b"].tolist()
    (2.0, [0.0, 0.0, 0.0])
    """

    scale: Hyper = _scale(0.02, 1e-3, 0.3)

    equation = "g ← ∇ℓ(W + scale·n), n ∼ N(0, 1)"
    paper = "Graves 2011"

    def weights(self, params: Tree, key: Array) -> Tree:
        def noisy(W: Array, name: str) -> Array:
            # by its name, so that a draw does not hang on other layers
            return _with_noise(W, self.scale, jax.random.fold_in(key, zlib.crc32(name.encode())))

        return change_weights(params, noisy)


@spec
class LabelNoise(Technique):
    """Noise on labels: with probability `rate` a row is shown with another class.  (Goodfellow et al. 7.5)

    Drawn anew at each step, uniformly, so that none is learnt by heart; in expectation it is label smoothing with
    Goodfellow's amount = rate (`Smoothing(amount, spread="others")`), with noise on the gradient.

    **Shapes**: y [rows] class numbers. **Hyperparameters**: rate in [0, 1), 0.1 by default, searched 0.01 … 0.4. At
    (C−1)/C of C classes labels say nothing any more.
    **Raises** SettingError for a rate out of its range, or for a regression.
    **Differs**: the replaced label is never the row's own; DisturbLabel draws from all classes, its α being
    rate·C/(C−1).

    >>> y = jnp.zeros(10_000, jnp.int32)
    >>> _, shown = LabelNoise(rate=0.2).rows(y[:, None], y, jax.random.key(0), Facts(None, None, classes=3))
    >>> round(float((shown != y).mean()), 2), sorted(set(shown.tolist()))
    (0.2, [0, 1, 2])
    """

    rate: Hyper = fraction(0.1, Space(0.01, 0.4))

    equation = "y ← another class with probability rate"
    paper = "Xie et al. 2016"
    needs_classes = True

    def rows(self, X: Array, y: Array, key: Array, facts: Facts) -> tuple[Array, Array]:
        whether, which = jax.random.split(key)
        further = jax.random.randint(which, y.shape, 1, facts.classes, y.dtype)  # classes ahead, never 0
        wrong = jax.random.uniform(whether, y.shape) < self.rate
        return X, jnp.where(wrong, (y + further) % facts.classes, y)
