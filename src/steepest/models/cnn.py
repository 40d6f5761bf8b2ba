"""The convolutional network of the sources."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from steepest.core.hyper import Hyper, fraction
from steepest.core.spec import refuse, spec
from steepest.models.activations import activate, check_activation
from steepest.models.contract import Array, Model, Tree, check_count, counts, dense, features, times
from steepest.models.convolution import convolve, image, kernels, maps
from steepest.models.passes import PREDICT, Predict
from steepest.models.pooling import max_pool


@spec
class CNN(Model):
    """Convolutions, each with φ and a 2×2 max-pool; then a dense layer, φ, and the scores.  (LeCun et al. 1998)

    **Equation**: h ← pool(φ(W∗h + b)) for each of the channels; h ← φ(W·h + b); s = W·h + b
    **Shapes**: rows [rows, H, W] or [rows, H, W, colours] → [rows, outputs]; params {"conv1": {"W": [channels[0],
    kernel²·colours], "b"}, …, "dense": {"W": [dense, what the last pool leaves], "b"}, "output": {"W": [outputs,
    dense], "b"}}. Kernels are laid out as in `models/convolution.py`; what is pooled is flattened as in torch:
    channels, height, width.
    **Settings**: channels, one number for each convolution; dense, how many hidden units; kernel, its side, odd, with
    as many zeros around the image as keep its size; activation as in `MLP`. The defaults are a small network for
    CIFAR-10, of a lecture (source: J5).
    **Starts** from He's uniform weights and zero biases where a recipe names no init, as that network does.
    **Hidden units** are those of the dense layer: dropout acts there alone, and maps are left as they are.
    **Hyperparameters**: slope of the leaky ReLU, as in `MLP`.
    **Raises** SettingError for settings that are no whole numbers of at least 1, and for rows that are no images or
    too small to be halved once a convolution.
    **Differs**: φ is taken after the pool. It rises, so this gives the same numbers for a fourth of the work; where
    numbers tie in a 2×2 square above 0, they share a gradient that torch gives to the first.

    >>> CNN().stages((32, 32, 3), 10)
    ['32×32×3', '16×16×32', '8×8×64', '4×4×128', '256', '10']
    """

    channels: tuple[int, ...] = (32, 64, 128)
    dense: int = 256
    kernel: int = 3
    activation: str = "relu"
    slope: Hyper = fraction(0.01)

    equation = "h ← pool(φ(W∗h + b)), h ← φ(W·h + b), s = W·h + b"
    rounds = True
    starts = "he-uniform"
    wide = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", counts(self, "channels", self.channels, "one a convolution"))
        check_count(self, "dense")
        check_count(self, "kernel")
        if self.kernel % 2 == 0:
            raise refuse(self, f"kernel = {self.kernel}; it must be odd, so that a kernel has a middle")
        check_activation(self.activation)

    def check(self, shape: tuple[int, ...]) -> None:
        pools = len(self.channels)
        check_image(self, shape, 1 << pools, "1 pool" if pools == 1 else f"{pools} pools")

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        self.check(shape)
        *_, colours = image(shape)
        params = {
            f"conv{i}": kernels(key, f"conv{i}", pair, self.kernel, init, dtype)
            for i, pair in enumerate(pairwise((colours, *self.channels)), 1)
        }
        params["dense"] = dense(key, "dense", (features(self.pooled(shape)[-1]), self.dense), init, dtype)
        params["output"] = dense(key, "output", (self.dense, outputs), init, dtype)
        return init.tree(params)

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        h = maps(rows)
        for i in range(1, len(self.channels) + 1):
            layer = params[f"conv{i}"]
            h = activate(self.activation, max_pool(convolve(layer["W"], h, layer["b"])), self.slope)
        h = h.reshape(-1, h.shape[-1]).T
        h = how.hidden(activate(self.activation, times(params["dense"]["W"], h, params["dense"]["b"]), self.slope))
        return times(params["output"]["W"], h, params["output"]["b"])

    def pooled(self, shape: tuple[int, ...]) -> list[tuple[int, int, int]]:
        """The image and what each pool leaves of it: height, width, channels."""
        height, width, colours = image(shape)
        sides = [(height >> i, width >> i) for i in range(len(self.channels) + 1)]
        return [(*side, count) for side, count in zip(sides, (colours, *self.channels))]

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        held = []
        for (height, width, into), after in pairwise(self.pooled(shape)):
            patches = self.kernel**2 * into
            held.append(height * width * (patches + after[-1]) + features(after))
        return [features(shape), *held, self.dense, outputs]

    def stages(self, shape: tuple[int, ...], outputs: int) -> list[str]:
        return ["×".join(map(str, sides)) for sides in self.pooled(shape)] + [str(self.dense), str(outputs)]


def check_image(model: Any, shape: tuple[int, ...], least: int, why: str) -> None:
    """Refuse rows that are no images, or whose sides are below `least`."""
    if len(shape) not in (2, 3):
        numbers = f"{features(shape):,} numbers without an order"
        raise refuse(model, f"reads images, and a row is {numbers}; use a model such as linear or mlp")
    height, width, _ = image(shape)
    if min(height, width) < least:
        raise refuse(model, f"{why} of 2×2 need images of {least}×{least} at least, and these are {height}×{width}")
