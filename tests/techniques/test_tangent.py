"""Tangents of images against the analytic ones, and tangent prop's penalty against finite differences."""
# source: R10

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from steepest.core.errors import DataError, SettingError
from steepest.data.opening import open as open_data
from steepest.inits.scaled import He
from steepest.methods.adam import Adam
from steepest.models.mlp import MLP
from steepest.study.sweep import sweep
from steepest.techniques.contract import Facts, View
from steepest.techniques.tangent import NAMES, TangentProp, change_along, tangents
from steepest.train.recipe import Recipe

SIDE, HALF = 21, 10
Y, X = np.mgrid[:SIDE, :SIDE].astype(float) - HALF
CENTRE, WIDTH = (1.5, -2.0), 9.0


def blob(x, y, thicker=0.0):
    return np.exp(-((x - CENTRE[0]) ** 2 + (y - CENTRE[1]) ** 2) / (2 * WIDTH)) + thicker


def test_tangents_are_the_derivatives_of_the_moved_image():
    """A smooth image moved by hand: (I(p + h·v(p)) − I(p − h·v(p))) / 2h, with v as the module says."""
    x, y, h = X / HALF, Y / HALF, 1e-4
    fields = {
        "shift-x": (1, 0),
        "shift-y": (0, 1),
        "scale": (x, y),
        "rotate": (-y, x),
        "axis": (y, x),
        "diagonal": (x, -y),
    }
    found = dict(zip(NAMES, np.asarray(tangents(jnp.asarray(blob(X, Y))[None], 0.4))[:, 0]))
    for name, (u, v) in fields.items():
        want = (blob(X + h * u, Y + h * v) - blob(X - h * u, Y - h * v)) / (2 * h)
        inner = (slice(2, -2), slice(2, -2))
        np.testing.assert_allclose(found[name][inner], want[inner], atol=0.06 * np.abs(want).max(), err_msg=name)
    steep = found["shift-x"] ** 2 + found["shift-y"] ** 2
    np.testing.assert_allclose(found["thickness"], steep, atol=1e-6)


def test_channels_are_images_of_their_own_and_wide_images_have_one_scale():
    rng = np.random.default_rng(0)
    colour = rng.random((3, 6, 9, 2)).astype("f4")
    both = np.asarray(tangents(jnp.asarray(colour)))
    for c in range(2):
        np.testing.assert_allclose(both[..., c], tangents(jnp.asarray(colour[..., c])), atol=1e-5)
    stripes = np.tile(np.arange(9.0), (1, 6, 1))
    grown = np.asarray(tangents(jnp.asarray(stripes), along="similar"))[2, 0]
    np.testing.assert_allclose(grown[3, 2:7], [-0.5, -0.25, 0, 0.25, 0.5], atol=1e-3)  # a pixel at the edge, x = ±1


def test_a_small_rotation_lies_along_its_tangent():
    digits = np.pad(open_data("digits").X[:100, ..., 0] / 16, ((0, 0), (2, 2), (2, 2)))
    turned = ndimage.rotate(digits, 2, axes=(2, 1), reshape=False, order=3) - digits
    found = np.asarray(tangents(jnp.asarray(digits), 0.5))
    alike = {
        n: np.median([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(turned, t)]) for n, t in zip(NAMES, found)
    }
    assert alike["rotate"] > 0.9
    assert max(abs(value) for name, value in alike.items() if name not in ("rotate", "axis")) < 0.3


def test_the_penalty_is_how_scores_change_in_pixels():
    """Of a nonlinear model on standardised rows: moved along the tangent of the image, by finite differences."""
    rng = np.random.default_rng(1)
    image = jnp.asarray(rng.random((5, 6, 6, 1)), jnp.float32)
    center, scale = (jnp.asarray(rng.random((6, 6, 1)) + 0.2, jnp.float32) for _ in range(2))
    rows = (image - center) / scale
    model = MLP(widths=(8,), activation="tanh")
    params = model.init(jax.random.key(0), (6, 6, 1), 3, He(), "float32")

    def scores(rows):
        return model.apply(params, rows)

    facts = Facts(rows.min(0), rows.max(0), 3, center, scale)
    view = View(rows, jnp.zeros(5), jnp.ones(5), scores, None, jnp.zeros(5), (), None, facts)  # type: ignore[arg-type]
    got = TangentProp(0.5, along="affine").extra(view)
    want, h = np.zeros(5), 1e-2
    for way in tangents(image, 0.7, "affine"):
        ahead, back = (scores((image + step * way - center) / scale) for step in (h, -h))
        want += 0.5 * (np.asarray(ahead - back, np.float64) ** 2).sum(1) / (2 * h) ** 2
    np.testing.assert_allclose(got, want, rtol=5e-3)


def test_a_linear_map_changes_by_its_products():
    W = np.random.default_rng(2).normal(size=(3, 4)).astype("f4")
    ways = np.random.default_rng(3).normal(size=(2, 5, 4)).astype("f4")
    want = ((ways @ W.T) ** 2).sum((0, 2))
    np.testing.assert_allclose(change_along(lambda x: x @ W.T, jnp.zeros((5, 4)), jnp.asarray(ways)), want, rtol=1e-5)


def test_training_with_it_makes_scores_flat_and_helps_where_rows_are_few():
    """15 % of the digits train; the penalty's own measure falls, and so do the errors on the rest."""
    data = open_data("digits")
    recipes = [
        Recipe(model=MLP(widths=(32,)), method=Adam(rate=3e-3), techniques=TangentProp(s, along="affine"))
        for s in (0.0, 3e-3)
    ]
    found = sweep(recipes, data, replicates=4, epochs=40, test=0.8, standardize=True, exact=False)
    gain = np.diff(found.accuracy, axis=1)[:, 0]
    assert gain.mean() > 0.002
    images = jnp.asarray(data.features().reshape(-1, 8, 8, 1)[:200])
    flat = []
    for place in range(2):
        params = jax.tree.map(jnp.asarray, found.params(0, place))
        X = data.features().reshape(len(data), -1)[found.rows(0).train.rows]
        center, scale = X.mean(0), np.where(X.std(0) > 0, X.std(0), 1)

        def scores(images, params=params, center=center, scale=scale):
            return recipes[0].model.apply(params, (images.reshape(len(images), -1) - center) / scale)

        flat.append(float(change_along(scores, images, tangents(images, 0.7, "affine")).mean()))
    assert flat[1] < 0.5 * flat[0]


def test_what_is_no_image_or_no_setting():
    with pytest.raises(DataError, match=r"rows have shape \(64,\); tangents are of images"):
        tangents(jnp.zeros((2, 64)))
    with pytest.raises(SettingError, match=r"unknown TangentProp.along 'al'; did you mean 'all'"):
        TangentProp(along="al")
    with pytest.raises(SettingError, match=r"TangentProp.smooth = 9; it must be a width in pixels, 0.3 to 4"):
        TangentProp(smooth=9)
    assert TangentProp(smooth="0.5").smooth == 0.5
