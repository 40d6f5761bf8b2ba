"""A small residual network."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from steepest.core.spec import spec
from steepest.models.cnn import check_image
from steepest.models.contract import Array, Model, Tree, check_count, dense, features, times
from steepest.models.convolution import convolve, image, kernels, maps
from steepest.models.passes import PREDICT, RUNNING, Predict, norm_layer, norm_start
from steepest.models.pooling import average_map, max_pool

KERNEL = 3
MOST = 100  # residual pairs at either place: layers are made one by one, of a model file's settings, too


class Layer(NamedTuple):
    """One convolution with its batch norm: name, channels in and out, and the sides of the maps it works on."""

    name: str
    channels: tuple[int, int]
    height: int
    width: int
    pooled: bool  # 2×2 max-pool after it
    residual: bool  # the first of a pair that h is added to: h ← h + F(F(h))


@spec
class ResNet(Model):
    """A residual network for small images: F = ReLU(norm(W∗h)), h ← h + F₂(F₁(h)).  (He et al. 2016; Page 2018)

    **Layers**: F with `width` channels; three times F with twice the channels and a 2×2 max-pool, the first and the
    third of them followed by `depth` residual pairs; the mean over each map; the scores. With depth=1 these are the
    nine layers of "ResNet-9", which reaches on 32×32 images in few epochs what deeper ones reach in many.
    **Shapes**: rows [rows, H, W] or [rows, H, W, colours], H and W at least 8 → [rows, outputs]; params {"conv1":
    {"W": [width, 9·colours]}, "norm1": {"scale", "shift"}, …, "output": {"W": [outputs, 8·width], "b"}, "running":
    {"norm1": {"mean", "var"}, …}}. A batch norm stands after each convolution, which has no bias then.
    **Settings**: width, 64 in Page's network; depth, the number of residual pairs at either place.
    **Hidden units** are the means over the last maps.
    **Raises** SettingError for settings that are no whole numbers of at least 1, a depth above 100, and for rows that
    are no images or too small.
    **Differs**: Page takes the maximum over the last maps and an eighth of the scores, and smoothes the ReLU.

    >>> ResNet(width=32).stages((32, 32, 3), 10)
    ['32×32×3', '32×32×32', '16×16×64', '8×8×128', '4×4×256', '10']
    """

    width: int = 32
    depth: int = 1

    equation = "h ← h + F₂(F₁(h)), F = ReLU(norm(W∗h))"
    rounds = True
    wide = False

    def __post_init__(self) -> None:
        check_count(self, "width")
        check_count(self, "depth", MOST)

    def check(self, shape: tuple[int, ...]) -> None:
        check_image(self, shape, 8, "3 pools")

    def layers(self, shape: tuple[int, ...]) -> list[Layer]:
        """The convolutions, first to last."""
        height, width, colours = image(shape)
        made = [Layer("1", (colours, self.width), height, width, False, False)]
        for stage in (1, 2, 3):
            channels = self.width << stage
            made.append(Layer(f"{len(made) + 1}", (channels // 2, channels), height, width, True, False))
            height, width = height // 2, width // 2
            for place in range(0 if stage == 2 else 2 * self.depth):
                made.append(Layer(f"{len(made) + 1}", (channels, channels), height, width, False, place % 2 == 0))
        return made

    def init(self, key: Array, shape: tuple[int, ...], outputs: int, init: Any, dtype: Any) -> Tree:
        self.check(shape)
        params: Tree = {RUNNING: {}}
        for layer in self.layers(shape):
            name, channels = f"conv{layer.name}", layer.channels
            params[name] = kernels(key, name, channels, KERNEL, init, dtype, bias=False)
            params[f"norm{layer.name}"] = norm_layer(channels[1], dtype)
            params[RUNNING][f"norm{layer.name}"] = norm_start(channels[1], dtype)
        params["output"] = dense(key, "output", (8 * self.width, outputs), init, dtype)
        return init.tree(params)

    def apply(self, params: Tree, rows: Array, how: Predict = PREDICT) -> Array:
        h, waiting = maps(rows), None  # what the residual pair at hand is added to
        for layer in self.layers(rows.shape[1:]):
            before = h
            h = convolve(params[f"conv{layer.name}"]["W"], h)
            h = how.norm(params, f"norm{layer.name}", h, rows=-1, channels=0)
            h = jax.nn.relu(max_pool(h) if layer.pooled else h)
            if layer.residual:
                waiting = before
            elif waiting is not None:
                h, waiting = waiting + h, None
        return times(params["output"]["W"], how.hidden(average_map(h).T), params["output"]["b"])

    def sizes(self, shape: tuple[int, ...], outputs: int) -> list[int]:
        held = [
            layer.height * layer.width * (KERNEL**2 * layer.channels[0] + 2 * layer.channels[1])  # patches, W∗h, norm
            for layer in self.layers(shape)
        ]
        return [features(shape), *held, 8 * self.width, outputs]

    def stages(self, shape: tuple[int, ...], outputs: int) -> list[str]:
        height, width, colours = image(shape)
        maps = [(height >> i, width >> i, self.width << i) for i in range(4)]
        return ["×".join(map(str, sides)) for sides in ((height, width, colours), *maps)] + [str(outputs)]
