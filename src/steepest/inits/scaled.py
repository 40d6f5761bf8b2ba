"""Initial weights whose variance keeps signals of one size from layer to layer.

A layer sums n_in terms, so its output's variance is n_in·σ² times its input's second moment: σ² = 1/n_in keeps it
(LeCun); ReLU throws half of it away, hence He's 2/n_in; gradients flow back through n_out terms, hence Glorot's
2/(n_in + n_out), named Xavier after his first name. A uniform draw of the same variance has the bounds ±√3·σ.
"""

from __future__ import annotations

import math
from typing import Any

import jax

from steepest.core.spec import spec
from steepest.inits.contract import Array, Init


def normal(key: Array, shape: tuple[int, ...], deviation: float, dtype: Any) -> Array:
    """Normal draws of the standard deviation named."""
    return deviation * jax.random.normal(key, shape, dtype)


def uniform(key: Array, shape: tuple[int, ...], deviation: float, dtype: Any) -> Array:
    """Uniform draws around 0 of the standard deviation named: between ±√3·deviation."""
    return math.sqrt(3) * deviation * jax.random.uniform(key, shape, dtype, -1.0, 1.0)


@spec
class Xavier(Init):
    """Glorot's normal: σ = √(2/(n_in + n_out)).  (Glorot & Bengio 2010)

    **Differs**: torch's xavier_normal_ is the same; Keras's GlorotNormal cuts the normal off at two deviations.
    """

    equation = "w ~ N(0, 2/(n_in + n_out))"
    paper = "Glorot & Bengio 2010"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        return normal(key, shape, math.sqrt(2 / (fan_in + fan_out)), dtype)


@spec
class XavierUniform(Init):
    """Glorot's uniform: ±√(6/(n_in + n_out)), as torch's xavier_uniform_ and Keras's default for Dense."""

    equation = "w ~ U(±√(6/(n_in + n_out)))"
    paper = "Glorot & Bengio 2010"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        return uniform(key, shape, math.sqrt(2 / (fan_in + fan_out)), dtype)


@spec
class He(Init):
    """He's normal: σ = √(2/n_in), for ReLU.  (He et al. 2015)

    **Differs**: torch's kaiming_normal_(nonlinearity="relu") is the same; Keras's HeNormal cuts off at two deviations.
    """

    equation = "w ~ N(0, 2/n_in)"
    paper = "He et al. 2015"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del fan_out
        return normal(key, shape, math.sqrt(2 / fan_in), dtype)


@spec
class HeUniform(Init):
    """He's uniform: ±√(6/n_in), as torch's kaiming_uniform_(nonlinearity="relu") and Keras's HeUniform."""

    equation = "w ~ U(±√(6/n_in))"
    paper = "He et al. 2015"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del fan_out
        return uniform(key, shape, math.sqrt(2 / fan_in), dtype)


@spec
class LeCun(Init):
    """LeCun's normal: σ = √(1/n_in), for linear layers, sigmoid and tanh.  (LeCun et al. 1998)"""

    equation = "w ~ N(0, 1/n_in)"
    paper = "LeCun et al. 1998"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del fan_out
        return normal(key, shape, math.sqrt(1 / fan_in), dtype)


@spec
class TorchLinear(Init):
    """torch.nn.Linear's default weights: uniform ±√(1/n_in), a variance of 1/(3·n_in).

    **Differs**: torch draws the biases from the same interval; here they start at zero.
    """

    equation = "w ~ U(±√(1/n_in))"
    paper = "torch.nn.Linear"

    def weights(self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
        del fan_out
        return uniform(key, shape, math.sqrt(1 / (3 * fan_in)), dtype)
