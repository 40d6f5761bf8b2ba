"""Tangent distance: against least squares solved pair by pair, and what it is for: images that moved a little."""
# source: R10

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier

from steepest.core.errors import DataError, SettingError
from steepest.data.opening import open as open_data
from steepest.study.tangent_distance import TangentDistance, tangent_distance
from steepest.techniques.tangent import tangents

DATA = open_data("digits")
DIGITS = np.pad(DATA.X[..., 0] / 16, ((0, 0), (2, 2), (2, 2)))  # a border, into which strokes can turn
CHOSEN = np.random.default_rng(0).permutation(len(DIGITS))
TRAIN, TEST = CHOSEN[:500], CHOSEN[500:650]


def turned(images, degrees):
    return ndimage.rotate(images, degrees, axes=(2, 1), reshape=False, order=1)


def moved(images, right):
    return ndimage.shift(images, (0, 0, right), order=1)


@pytest.mark.parametrize("spring", [0.0, 0.05])
@pytest.mark.parametrize("sides", [1, 2])
def test_it_is_the_least_distance_of_the_planes(sides, spring):
    A, B = DIGITS[:3], DIGITS[3:7]
    found = tangent_distance(A, B, sides, spring=spring)
    ways = np.asarray(tangents(jnp.asarray(DIGITS[:7], jnp.float32), 0.5), np.float64).reshape(7, 7, -1)
    for i in range(3):
        for j in range(4):
            free = [-ways[:, 3 + j], ways[:, i]][:sides]
            matrix = np.concatenate(free).T
            held = np.sqrt(spring) * np.eye(matrix.shape[1])
            apart = np.concatenate([(A[i] - B[j]).ravel(), np.zeros(len(held))])
            whole = np.concatenate([matrix, held])
            best = np.linalg.lstsq(whole, -apart, rcond=None)[0]
            np.testing.assert_allclose(found[i, j], np.linalg.norm(apart + whole @ best), rtol=1e-4)


def test_it_hardly_sees_a_small_rotation():
    """5° move a digit by a Euclidean distance of which half is left at most; other digits stay four times as far."""
    here = DIGITS[TEST]
    there = ndimage.rotate(here, 5, axes=(2, 1), reshape=False, order=3)  # linear reading would blur, which is no turn
    straight = np.sqrt(((here - there) ** 2).sum((1, 2)))
    found = tangent_distance(there, here)
    own = np.diag(found)
    assert np.median(own / straight) < 0.5
    others = np.where(DATA.y[TEST][:, None] == DATA.y[TEST], np.inf, found).min(1)
    assert np.median(others / own) > 4


def test_two_sides_are_nearer_than_one_and_one_than_none():
    here, there = DIGITS[:20], DIGITS[20:50]
    none = np.sqrt(((here[:, None] - there) ** 2).sum((2, 3)))
    one, two = (tangent_distance(here, there, sides) for sides in (1, 2))
    assert (two < one).all()
    assert (one < none).all()
    np.testing.assert_allclose(two, tangent_distance(there, here).T, rtol=1e-4)
    np.testing.assert_allclose(np.diag(tangent_distance(here, here)), 0, atol=1e-3)


def test_it_tells_moved_digits_better_than_euclidean_distance():
    ours = TangentDistance().fit(DIGITS[TRAIN], DATA.y[TRAIN])
    euclid = KNeighborsClassifier(1).fit(DIGITS[TRAIN].reshape(500, -1), DATA.y[TRAIN])
    gains = {}
    for name, images in {
        "as they are": DIGITS[TEST],
        "turned by 15°": turned(DIGITS[TEST], 15),
        "moved by a pixel": moved(DIGITS[TEST], 1),
    }.items():
        gains[name] = ours.score(images, DATA.y[TEST]) - euclid.score(images.reshape(150, -1), DATA.y[TEST])
    assert gains["as they are"] > -0.01
    assert gains["turned by 15°"] > 0.03
    assert gains["moved by a pixel"] > 0.15


def test_values_of_any_scale_flat_rows_and_labels_of_any_kind():
    names = np.array([f"digit {k}" for k in DATA.y])
    small = TangentDistance(neighbors=3).fit(DIGITS[TRAIN], names[TRAIN])
    large = TangentDistance(neighbors=3).fit(255 * DIGITS[TRAIN].reshape(500, -1), names[TRAIN])
    found = small.predict(DIGITS[TEST])
    assert (found == names[TEST]).mean() > 0.9
    np.testing.assert_array_equal(found, large.predict(255 * DIGITS[TEST].reshape(150, -1)))


def test_neighbours_are_the_nearest_first():
    model = TangentDistance(neighbors=5).fit(DIGITS[TRAIN], DATA.y[TRAIN])
    far, near = model.kneighbors(DIGITS[TEST][:10])
    every = tangent_distance(DIGITS[TEST][:10] / model.scale_, DIGITS[TRAIN] / model.scale_)
    np.testing.assert_allclose(far, np.sort(every, axis=1)[:, :5], rtol=1e-5)
    np.testing.assert_array_equal(near[:, 0], every.argmin(1))


def test_empty_images_have_no_tangents():
    found = tangent_distance(np.zeros((1, 8, 8)), DIGITS[:2, 2:-2, 2:-2])
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_errors_say_what_is_wrong():
    with pytest.raises(DataError, match=r"images have shapes \(12, 12\) and \(8, 8\)"):
        tangent_distance(DIGITS[:2], np.zeros((1, 8, 8)))
    with pytest.raises(SettingError, match="sides = 3; it must be 1"):
        tangent_distance(DIGITS[:2], DIGITS[:2], 3)
    with pytest.raises(SettingError, match="spring = -1"):
        tangent_distance(DIGITS[:2], DIGITS[:2], spring=-1)
    with pytest.raises(DataError, match=r"rows have 5 numbers, no image of shape \(2, 2\); give shape"):
        TangentDistance().fit(np.eye(5), np.arange(5))
    with pytest.raises(DataError, match="5 images, and neighbors = 9"):
        TangentDistance(9).fit(DIGITS[:5], DATA.y[:5])
