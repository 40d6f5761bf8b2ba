"""Pre-training: a perceptron's hidden layers learn to give back their rows, before any label is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.errors import DataError, SettingError, whole_number
from steepest.core.keys import generator, key
from steepest.core.spec import replace
from steepest.inits.given import Given
from steepest.losses.reconstruction import Reconstruction
from steepest.methods.adam import Adam
from steepest.models.autoencoder import TiedAutoencoder
from steepest.models.mlp import MLP
from steepest.study.single import real
from steepest.train.cache import precision
from steepest.train.limits import of_rows
from steepest.train.population import Replicate, train
from steepest.train.recipe import Recipe, refuse_solver
from steepest.train.state import Rows
from steepest.train.techniques import check_techniques

Tree = Any

DEFAULT = Recipe(method=Adam(rate=1e-3))


@dataclass(frozen=True, eq=False)
class Layer:
    """One trained autoencoder: its weights, its mean squared error after each epoch, and its rows encoded."""

    params: Tree
    errors: np.ndarray
    hidden: np.ndarray


def pretrain(
    X: Any, model: MLP, outputs: int, *, recipe: Recipe | None = None, epochs: int = 20, seed: int = 0
) -> Given:
    """Initial weights for `model` from rows without labels: `Recipe(model=model, init=pretrain(X, model, outputs))`.

    Layer by layer (Bengio et al. 2007), a `TiedAutoencoder` learns to give back what the layer below gave out; its W
    and b become the layer's. The output layer, `outputs` scores wide, is drawn as the model draws it (He).

    **Data** X [rows, features], as the model will see them: standardised in the same way. Leave out the rows that the
    model is tested on.
    **Settings** recipe: how the autoencoders train, their method (None: Adam(rate=1e-3)), penalty, batch size,
    techniques; with InputNoise or InputDropout they are denoising autoencoders: rows go in noisy, and are to come out
    clean. epochs for each layer; (seed, layer) decides every draw.
    **Raises** SettingError for what does not fit, or a pre-training that diverges; DataError for rows with NaN.

    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> start = pretrain(X, MLP(widths=(4,)), outputs=3, epochs=2)
    >>> {name: layer["W"].shape for name, layer in start.values.items()}
    {'layer1': (4, 6), 'output': (3, 4)}
    """
    if not isinstance(model, MLP) or model.norm:
        raise SettingError(f"pretrain: the model is {model!r}; it must be an MLP without norm, layer by layer")
    outputs = whole_number("outputs", outputs)
    recipe = DEFAULT if recipe is None else recipe
    rows = _flat(X, recipe.dtype)
    with precision(recipe.dtype):
        start = model.init(key(seed, 0, "init"), rows.shape[1:], outputs, Recipe(model=model).initial, recipe.dtype)
    weights = jax.tree.map(np.asarray, start)
    for place, (name, width) in enumerate(zip(model.names(), model.widths)):
        encoder = TiedAutoencoder(width, model.activation, model.slope)
        layer = autoencode(rows, encoder, recipe=recipe, epochs=epochs, seed=seed, layer=place)
        weights[name], rows = layer.params["encode"], layer.hidden
    return Given(weights)


def autoencode(
    X: Any, model: TiedAutoencoder, *, recipe: Recipe | None = None, epochs: int = 20, seed: int = 0, layer: int = 0
) -> Layer:
    """Train one autoencoder on rows X [rows, features]; settings as in `pretrain`, `layer` only names the draws."""
    whole_number("epochs", epochs)
    whole_number("seed", seed, 0)
    recipe = DEFAULT if recipe is None else recipe
    refuse_solver(recipe, "pretrain")
    if recipe.stop is not None and recipe.stop.needs_validation:
        raise SettingError(f"pretrain: {recipe.stop!r} looks at validation rows, and there are none; leave it out")
    rows = _flat(X, recipe.dtype)
    told = replace(recipe, model=model, loss=Reconstruction(rows.shape[1])).general()
    check_techniques(told, rows.shape[1:])
    found = train([told], _replicate(rows, told, seed, layer), epochs)
    if found.status[0] == "diverged":
        raise SettingError(f"pretrain: layer {layer + 1} diverged at step {found.step[0]:,}; lower the rate or scale X")
    params = jax.tree.map(lambda leaf: leaf[0], found.params)
    with precision(recipe.dtype):
        hidden = np.asarray(model.encode(params, rows))
    return Layer(params, found.curves["train_loss"][0], hidden)


def _replicate(rows: np.ndarray, recipe: Recipe, seed: int, layer: int) -> Replicate:
    """The rows for the engine, as their own targets."""

    def order(epoch: int) -> np.ndarray:
        return generator(seed, layer, "pretrain order", epoch).permutation(len(rows)).astype(np.int32)

    with precision(recipe.dtype):
        there = jnp.asarray(rows)
        return Replicate(
            train=Rows(there, there, jnp.ones(len(rows), recipe.dtype)),
            validation=None,
            test=None,
            key=key(seed, layer, "pretrain init"),
            noise=key(seed, layer, "pretrain noise"),
            shape=rows.shape[1:],
            outputs_of=lambda recipe: recipe.loss.outputs(),
            order=order,
            rows=len(rows),
            limits=lambda: of_rows([rows]),
        )


def _flat(X: Any, dtype: str) -> np.ndarray:
    rows = np.asarray(X)
    if rows.ndim < 2 or not len(rows):
        raise DataError(f"X has shape {rows.shape}; rows [rows, features] are needed, at least one")
    if not np.isfinite(rows).all():
        raise DataError("X holds NaN or infinity; fill missing cells first")
    return real(rows.reshape(len(rows), -1), dtype)
