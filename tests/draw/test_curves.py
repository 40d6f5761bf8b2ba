"""The loss-curve picture: what is drawn, in each format, for every kind of training."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from steepest.core.errors import DataError, SettingError
from steepest.draw import canvas
from steepest.draw.curves import loss_curve

FALLING = 2 * np.exp(-np.arange(40) / 6) + 0.1
TURNING = 2 * np.exp(-np.arange(40) / 5) + 0.3 + 0.006 * np.arange(40)
BOTH = {"train_loss": FALLING, "validation_loss": TURNING, "validation_accuracy": np.full(40, 0.9)}


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def colours_in(path):
    pixels = (imread(path)[..., :3] * 255).round().astype(int).reshape(-1, 3)
    return {tuple(pixel) for pixel in np.unique(pixels, axis=0)}


def rgb(colour):
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def test_both_lines_are_drawn_and_named(tmp_path, drawn):
    path = loss_curve(BOTH, tmp_path / "loss.png", "digits")
    assert {rgb(canvas.COLOURS[0]), rgb(canvas.COLOURS[1])} <= colours_in(path)
    lines = {tuple(line.get_ydata()) for line in drawn[0].axes[0].lines}
    assert {tuple(FALLING), tuple(TURNING)} <= lines
    assert {"training", "validation", "digits", "epoch", "loss"} <= set(texts(drawn[0]))
    lowest = int(np.argmin(TURNING))
    assert f"lowest: {TURNING[lowest]:.3g}, epoch {lowest + 1}" in texts(drawn[0])


def test_no_line_and_no_name_without_validation_rows(tmp_path, drawn):
    path = loss_curve({**BOTH, "validation_loss": np.full(40, np.nan)}, tmp_path / "loss.png")
    assert "validation" not in texts(drawn[0])
    assert rgb(canvas.COLOURS[1]) not in colours_in(path)


@pytest.mark.parametrize("losses", [[1.0], [1.0, np.nan, np.nan], [0.5, np.inf, np.nan]])
def test_a_single_epoch_is_a_point(tmp_path, drawn, losses):
    path = loss_curve({"train_loss": losses}, tmp_path / "loss.png")
    assert rgb(canvas.COLOURS[0]) in colours_in(path)
    assert drawn[0].axes[0].lines[0].get_marker() == "o"


def test_names_of_two_ends_that_meet_do_not_touch(tmp_path, drawn):
    loss_curve({"train_loss": [1.0, 0.5], "validation_loss": [1.0, 0.5]}, tmp_path / "loss.png")
    ends = [text for text in drawn[0].findobj(Text) if text.get_text() in ("training", "validation")]
    boxes = [text.get_window_extent() for text in ends]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])


def test_a_loss_that_falls_by_decades_gets_a_logarithmic_axis_with_plain_numbers(tmp_path, drawn):
    loss_curve({"train_loss": 10.0 ** -np.arange(6)}, tmp_path / "loss.png")
    axes = drawn[0].axes[0]
    assert axes.get_yscale() == "log"
    assert "0.001" in [tick.get_text() for tick in axes.get_yticklabels()]


@pytest.mark.parametrize(
    "title", ["$\\frac{1}$ 50 % $x^2$", "猫 と 犬", "a\nb\x07", "\udcff.png", "<script>&amp;", "x" * 500]
)
@pytest.mark.filterwarnings("error")
def test_any_title_can_be_drawn(tmp_path, title):
    for suffix in canvas.FORMATS:
        path = loss_curve(BOTH, tmp_path / f"loss{suffix}", title)
        assert path.stat().st_size > 1000
    root = ET.parse(tmp_path / "loss.svg").getroot()
    assert not [element for element in root.iter() if "script" in element.tag]


def test_the_same_picture_has_the_same_bytes(tmp_path):
    for suffix in canvas.FORMATS:
        one, two = (loss_curve(BOTH, tmp_path / f"{n}{suffix}") for n in (1, 2))
        assert one.read_bytes() == two.read_bytes()


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(DataError, match="no epoch of the training has a finite one"):
        loss_curve({"train_loss": [np.nan, np.inf]}, tmp_path / "loss.png")
    with pytest.raises(SettingError, match=r"unknown kind of picture '\.jpeg'.*\.png, \.svg, \.pdf"):
        loss_curve(BOTH, tmp_path / "loss.jpeg")
    assert list(tmp_path.iterdir()) == []
