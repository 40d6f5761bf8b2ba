"""One training on rows that somebody else has split and weighted: what the estimator needs of the engine."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from steepest.core.errors import DataError
from steepest.core.keys import generator, key
from steepest.data.standard import Standard, block_rows
from steepest.study import blocks
from steepest.study.fit import divergence
from steepest.train.cache import precision
from steepest.train.fitted import Fitted
from steepest.train.limits import of_rows
from steepest.train.population import Replicate, train
from steepest.train.recipe import Recipe
from steepest.train.state import Rows


def real(rows: np.ndarray, dtype: str) -> np.ndarray:
    """Rows in the recipe's precision, in which they must not overflow."""
    with np.errstate(over="ignore"):
        made = rows.astype(dtype)
    if not np.isfinite(made).all():
        raise DataError(
            f"X holds numbers beyond {np.finfo(dtype).max:.1e}, the largest of {dtype}; standardise or scale it"
        )
    return made


def untrained(recipe: Recipe, labels: np.ndarray, features: int, standard: Standard | None, seed: int) -> Fitted:
    """What is known of a model before it is trained."""
    classes = tuple(str(label) for label in labels)
    return Fitted(
        recipe=recipe.decided(),
        params=None,
        classes=classes,
        schema=None,
        standard=standard,
        shape=(features,),
        scores={},
        curves={},
        status="finished",
        step=0,
        epochs=0,
        seed=seed,
        data={"name": "arrays", "classes": list(classes)},
    )


def replicate_of(
    fitted: Fitted,
    X: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray],
    exact: bool,
) -> Replicate:
    """The rows for the engine, with the order and the initial weights that replicate 0 of a sweep has."""
    recipe, classes, seed = fitted.recipe, len(fitted.classes), fitted.seed
    training, validation = parts
    size = min(recipe.batch_size or len(training), len(training))
    # rows without weight fill the last batch: folds of nearly one length then share a compiled program
    filling = 0 if exact else -len(training) % size
    heavy, few = training[weight[training] > 0], block_rows(int(np.prod(X.shape[1:])))

    def rows(index: np.ndarray, filling: int) -> Rows:
        heavy = np.concatenate([weight[index], np.zeros(filling)]).astype(recipe.dtype)
        index = np.concatenate([index, np.zeros(filling, index.dtype)])
        return Rows(jnp.asarray(X[index]), jnp.asarray(y[index]), jnp.asarray(heavy))

    def order(epoch: int) -> np.ndarray:
        return generator(seed, 0, "order", epoch).permutation(len(training)).astype(np.int32)

    with precision(recipe.dtype):
        return Replicate(
            train=rows(training, filling),
            validation=rows(validation, 0) if len(validation) else None,
            test=None,
            key=key(seed, 0, "init"),
            noise=key(seed, 0, "noise"),
            shape=fitted.shape,
            outputs_of=lambda recipe: recipe.loss.outputs(classes),
            order=order,
            rows=len(training),
            classes=classes,
            standard=fitted.standard if isinstance(fitted.standard, Standard) else None,  # a tuple: an ensemble's
            limits=lambda: of_rows(X[heavy[start : start + few]] for start in range(0, len(heavy), few)),
        )


def trained(fitted: Fitted, replicate: Replicate, epochs: int, exact: bool) -> Fitted:
    """Train in a block of one; with `exact` in a block of the structure's own width, as a sweep does."""
    recipe = fitted.recipe.general()
    outputs = recipe.loss.outputs(len(fitted.classes))
    width = blocks.width_of(recipe, fitted.shape, outputs) if exact else 1
    found = train([recipe], replicate, epochs, width)
    made = replace(
        fitted,
        params=jax.tree.map(lambda leaf: leaf[0].copy(), found.params),
        curves={name: curve[0] for name, curve in found.curves.items()},
        status=str(found.status[0]),
        step=int(found.step[0]),
        epochs=int(found.epochs[0]),
        limits=None if replicate.limits is None else replicate.limits(),
    )
    return replace(made, notes=(divergence(made, epochs),)) if made.status == "diverged" else made
