"""The scatter of the data: every row, in its class's colour, every class named."""

import numpy as np
import pytest
from matplotlib.text import Text

from steepest.core.errors import DataError
from steepest.draw import canvas
from steepest.draw.scatter import MANY_ROWS, MOST_LISTED, scatter

RNG = np.random.default_rng(0)


def blobs(classes, rows=60):
    y = np.arange(rows) % classes
    return RNG.normal(size=(classes, 2))[y] * 5 + RNG.normal(size=(rows, 2)), y


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_every_row_is_drawn_in_the_colour_of_its_class(tmp_path, drawn):
    X, y = blobs(3)
    scatter(X, y, ["red", "green", "blue"], tmp_path / "data.png", "blobs", ("width", "height"))
    clouds = drawn[0].axes[0].collections
    for k, cloud in enumerate(clouds):
        np.testing.assert_array_equal(cloud.get_offsets(), X[y == k])
        assert tuple((cloud.get_facecolor()[0, :3] * 255).round()) == tuple(
            int(canvas.COLOURS[k][i : i + 2], 16) for i in (1, 3, 5)
        )
    assert {"red", "green", "blue", "blobs", "width", "height"} <= set(texts(drawn[0]))


def test_many_classes_are_listed_and_differ_by_marker(tmp_path, drawn):
    X, y = blobs(12)
    scatter(X, y, [f"_{k}" for k in range(12)], tmp_path / "data.png")
    listed = [text.get_text() for text in drawn[0].axes[0].get_legend().get_texts()]
    assert listed == [f"_{k}" for k in range(12)]
    clouds = drawn[0].axes[0].collections
    looks = {(tuple(c.get_facecolor()[0]), c.get_paths()[0].vertices.shape) for c in clouds}
    assert len(looks) == 12


def test_more_classes_than_a_list_holds_are_counted(tmp_path, drawn):
    X, y = blobs(45, rows=90)
    scatter(X, y, [str(k) for k in range(45)], tmp_path / "data.png")
    listed = [text.get_text() for text in drawn[0].axes[0].get_legend().get_texts()]
    assert listed[-1] == f"… and {45 - (MOST_LISTED - 1)} more"
    assert len(listed) == MOST_LISTED


@pytest.mark.filterwarnings("error")
def test_any_class_name_can_be_drawn(tmp_path):
    X, y = blobs(5)
    names = ["$x^$", "犬", "a\nb", "\udcff", "_hidden"]
    assert scatter(X, y, names, tmp_path / "data.svg").stat().st_size > 1000
    X, y = blobs(10)
    assert scatter(X, y, names * 2, tmp_path / "more.png").stat().st_size > 1000


def test_many_rows_do_not_make_a_long_svg(tmp_path):
    X, y = blobs(3, rows=20 * MANY_ROWS)
    assert scatter(X, y, ["a", "b", "c"], tmp_path / "data.svg").stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((4, 3)), [0, 0, 1, 1], r"shape \(4, 3\); a scatter needs \[rows, 2\]"),
        (np.zeros((0, 2)), [], "at least one row"),
        ([[0.0, np.nan], [0.0, 1.0]], [0, 1], "row 1 is not finite"),
        (np.zeros((2, 2)), [0, 2], "class number from 0 to 1"),
        (np.zeros((2, 2)), [0], "for each of 2 rows"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, X, y, message):
    with pytest.raises(DataError, match=message):
        scatter(X, np.array(y, int), ["a", "b"], tmp_path / "data.png")
