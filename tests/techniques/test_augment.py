"""Augmentation: against SciPy's resampling, and what each range does alone."""  # source: R2

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import affine_transform

from steepest import MLP, Augment, Momentum, Recipe, SettingError, sweep
from steepest.core.spec import search_space
from steepest.core.stack import stack
from steepest.techniques.resample import resampled

OFF = {"shift": 0.0, "rotate": 0.0, "scale": 0.0, "flip": 0.0, "crop": 0.0, "contrast": 0.0, "cutout": 0.0}
SHAPES = [(8, 8), (7, 5), (32, 32, 3), (5, 9, 1), (1, 6, 2), (4, 1)]
KEY = jax.random.key(7)


def pictures(shape, rows=6):
    return np.random.default_rng(sum(shape)).normal(size=(rows, *shape)).astype("f4")


@jax.jit
def rows_of(technique, X, y, key):
    """One program a shape, whatever the ranges: they are leaves."""
    return technique.rows(X, y, key, None)


def augmented(X, key=KEY, **ranges):
    """What `Augment` with only these ranges makes of rows; labels must stay."""
    y = jnp.arange(len(X))
    made, labels = rows_of(Augment(**{**OFF, **ranges}), jnp.asarray(X), y, key)
    assert_array_equal(labels, y)
    assert made.shape == X.shape
    assert made.dtype == X.dtype
    return np.asarray(made)


def by_scipy(picture, matrix, offset):
    """One picture [H, W, channels] read at c + matrix·(p − c) + offset, in float64."""
    middle = (np.array(picture.shape[:2]) - 1) / 2
    corner = middle - matrix @ middle + offset
    planes = [affine_transform(plane, matrix, corner, order=1, mode="nearest") for plane in np.moveaxis(picture, 2, 0)]
    return np.stack(planes, axis=2)


MAPS = {
    "shift": ([[1, 0], [0, 1]], [0.3, -2.6]),
    "rotate": ([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]], [0, 0]),
    "scale": ([[0.7, 0], [0, 0.7]], [0, 0]),
    "smaller": ([[1.9, 0], [0, 1.9]], [0, 0]),
    "flip": ([[1, 0], [0, -1]], [0, 0]),
    "all": ([[0.8 * np.cos(1), -0.8 * np.sin(1)], [-0.8 * np.sin(1), -0.8 * np.cos(1)]], [1.5, 0.25]),
}


@pytest.mark.parametrize("shape", [(8, 8, 1), (7, 5, 3), (12, 32, 3)])
@pytest.mark.parametrize("name", MAPS)
def test_pictures_are_resampled_as_by_scipy(name, shape):
    matrix, offset = (np.array(part, float) for part in MAPS[name])
    X = pictures(shape, 3)
    got = resampled(jnp.asarray(X), jnp.tile(jnp.float32(matrix), (3, 1, 1)), jnp.tile(jnp.float32(offset), (3, 1)))
    want = np.stack([by_scipy(picture.astype(float), matrix, offset) for picture in X])
    assert_allclose(got, want, atol=2e-5)


def test_each_row_has_a_map_of_its_own():
    X = pictures((9, 9, 2), 2)
    matrix = jnp.stack([jnp.eye(2), jnp.array([[0.0, -1.0], [1.0, 0.0]])])
    offset = jnp.array([[1.0, 0.0], [0.0, 0.0]])
    got = resampled(jnp.asarray(X), matrix, offset)
    assert_array_equal(got[0], np.concatenate([X[0, 1:], X[0, -1:]]))  # up by one line, the last repeated
    assert_allclose(got[1], by_scipy(X[1].astype(float), np.array(matrix[1], float), np.zeros(2)), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_ranges_no_bit_changes(shape):
    X = pictures(shape)
    assert_array_equal(augmented(X), X)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_flip_is_the_mirror_exactly(shape):
    X = pictures(shape)
    assert_array_equal(augmented(X, flip=1.0), X[:, :, ::-1])


def test_some_are_flipped_by_their_probability_and_the_others_stay():
    X = pictures((3, 4), 4000)
    made = augmented(X, flip=0.3)
    mirrored = (made == X[:, :, ::-1]).all((1, 2))
    assert_array_equal(made[~mirrored], X[~mirrored])
    assert abs(mirrored.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 4000)


def places(shape, rows=2000):
    """Pictures whose pixels say where they are, so that what comes out says where it was read."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=2).astype("f4")
    return np.broadcast_to(grid, (rows, *grid.shape)), grid


def test_a_shift_stays_within_its_share_of_each_side():
    X, grid = places((40, 20))
    read = augmented(X, shift=0.1) - grid
    inside = read[:, 10:-10, 5:-5]  # away from edges, where places are cut off
    assert_allclose(inside, np.broadcast_to(inside[:, :1, :1], inside.shape), atol=2e-5)
    for moved, most in zip(np.moveaxis(inside[:, 0, 0], 1, 0), (4, 2)):
        assert -most <= moved.min() < -0.99 * most
        assert 0.99 * most < moved.max() <= most
        assert abs(moved.mean()) < 4 * most / np.sqrt(3 * len(moved))


def test_whole_pixels_move_a_picture_and_change_none():
    """By −2 … 2 of 8 either way, each a window of the picture with its edge repeated."""
    X = pictures((8, 8), 200)
    made = augmented(X, shift=0.3, whole=True)
    padded = np.pad(X, ((0, 0), (2, 2), (2, 2)), mode="edge")
    windows = {(d, r): padded[:, d : d + 8, r : r + 8] for d in range(5) for r in range(5)}
    found = {move: (window == made).all(axis=(1, 2)) for move, window in windows.items()}
    assert np.stack(list(found.values())).any(axis=0).all()
    assert all(hits.any() for hits in found.values())
    assert not (augmented(X, shift=0.3) == made).all(axis=(1, 2)).any()


def test_rotation_and_scale_stay_within_their_ranges():
    X, grid = places((9, 9))
    turned = augmented(X, rotate=20.0)[:, 4, 6] - grid[4, 4]  # where the pixel two right of the middle is read
    angles = np.rad2deg(np.arctan2(turned[:, 0], turned[:, 1]))
    assert_allclose(np.hypot(*turned.T), 2, rtol=1e-5)
    assert -20 <= angles.min() < -19.8
    assert 19.8 < angles.max() <= 20.001
    scaled = augmented(X, scale=0.5)[:, 4, 6] - grid[4, 4]
    assert_allclose(scaled[:, 0], 0, atol=1e-6)
    logs = np.log(scaled[:, 1] / 2)
    assert_allclose([logs.min(), logs.max()], [-0.5, 0.5], atol=0.01)
    assert abs(logs.mean()) < 4 * 0.5 / np.sqrt(3 * len(X))


def test_a_crop_shows_a_part_anywhere_and_nothing_from_outside():
    X, grid = places((9, 11))
    made = augmented(X, crop=0.5)
    part = (made[:, -1] - made[:, 0])[:, :, 0] / 8  # of the side that is seen
    assert_allclose(part, np.broadcast_to(part[:, :1], part.shape), rtol=1e-5)
    assert 0.4999 < part.min() < 0.505
    assert 0.995 < part.max() <= 1.0001
    first, last = made[:, 0, 0], made[:, -1, -1]
    assert (first > -1e-5).all()
    assert (last < grid[-1, -1] + 1e-5).all()
    small = part[:, 0] < 0.6
    assert first[small, 0].min() < 0.3
    assert last[small, 0].max() > 7.7


def test_contrast_scales_about_the_mean_and_keeps_it():
    X = pictures((6, 5, 3), 500)
    made = augmented(X, contrast=0.4)
    mean = X.mean((1, 2, 3), keepdims=True)
    assert_allclose(made.mean((1, 2, 3)), mean.ravel(), atol=2e-6)
    factor = ((made - mean) / (X - mean)).reshape(500, -1)
    assert_allclose(factor, np.broadcast_to(np.median(factor, axis=1, keepdims=True), factor.shape), rtol=0.05)
    assert 0.6 <= np.median(factor, 1).min() < 0.61
    assert 1.39 < np.median(factor, 1).max() <= 1.4


def test_cut_out_is_a_square_of_zeros_in_all_channels():
    X = np.abs(pictures((12, 8, 3), 3000)) + 1
    made = augmented(X, cutout=0.25)  # 3 by 2 pixels
    cut = made == 0
    assert_array_equal(cut, np.broadcast_to(cut[..., :1], cut.shape))
    assert_array_equal(made[~cut], X[~cut])
    down, right = cut[..., 0].any(2), cut[..., 0].any(1)
    inside = ~(down[:, [0, -1]].any(1) | right[:, [0, -1]].any(1))
    assert_array_equal(cut[inside][..., 0].sum((1, 2)), 6)
    assert 0.3 < inside.mean() < 0.8  # the others stick out
    rate = cut[..., 0].mean(0)  # pixels away from the border: 1/16 each
    assert_allclose(rate[2:-2, 2:-2], 1 / 16, atol=4 * np.sqrt(15 / 256 / 3000))


def test_members_draw_alike_and_scale_the_draws_by_their_own_ranges():
    X = jnp.asarray(pictures((9, 7, 2)))
    ranges = [{"shift": 0.1}, {"shift": 0.2, "flip": 1.0, "cutout": 0.5}, {"rotate": 30.0, "contrast": 0.5}, {}]
    members = stack([Augment(**{**OFF, **own}) for own in ranges])
    together = jax.jit(jax.vmap(lambda member: member.rows(X, 0, KEY, None)[0]))(members)
    for member, own in zip(together, ranges):
        assert_allclose(member, augmented(X, **own), atol=5e-6)
    _, grid = places((40, 40), 1)
    inside = [augmented(np.array(grid[None]), shift=share)[0, 20, 20] - grid[20, 20] for share in (0.1, 0.2)]
    assert_allclose(2 * inside[0], inside[1], rtol=1e-4)
    assert np.abs(inside[0]).max() > 0.01


def test_draws_differ_from_row_to_row_and_from_step_to_step():
    X = np.broadcast_to(pictures((8, 8), 1), (5, 8, 8))
    made = augmented(X, shift=0.3)
    assert len({row.tobytes() for row in made}) == 5
    assert (augmented(X, key=jax.random.key(8), shift=0.3) != made).any()


def test_a_member_is_the_same_bit_for_bit_alone_and_in_company():
    rng = np.random.default_rng(1)
    X, y = pictures((5, 6, 3), 60), np.arange(60) % 3

    def recipe(i):
        technique = Augment(shift=0.05 * i, rotate=9.0 * i, flip=0.1 * i, crop=0.1 * i, contrast=0.2, cutout=0.1 * i)
        model = MLP(widths=(7,))
        return Recipe(
            model=model, method=Momentum(rate=0.01 + 0.01 * rng.random()), techniques=(technique,), batch_size=8
        )

    recipes = [recipe(i) for i in range(5)]
    losses = sweep(recipes, X, y, replicates=1, epochs=2).curves["train_loss"][0]
    alone = sweep(recipes[3], X, y, replicates=1, epochs=2).curves["train_loss"][0, 0]
    assert_array_equal(alone, losses[3])
    assert len({loss.tobytes() for loss in losses}) == 5


def test_spaces_leave_a_digit_a_digit():
    spaces = search_space(Augment)
    assert set(spaces) == {"shift", "rotate", "scale"}  # no mirror, no cut-out, unless they are asked for
    assert spaces["rotate"].high <= 30
    assert spaces["shift"].high <= 0.25


@pytest.mark.parametrize(
    ("range_", "said"),
    [
        ({"flip": 1.5}, r"Augment.flip = 1.5; it must be a finite number in \[0, 1\]"),
        ({"crop": 1.0}, r"Augment.crop = 1; it must be a finite number in \[0, 1\)"),
        ({"rotate": -1.0}, r"Augment.rotate = -1; it must be a finite number in \[0, 180\]"),
    ],
)
def test_ranges_out_of_bounds_are_refused(range_, said):
    with pytest.raises(SettingError, match=said):
        Augment(**range_)
