"""V1: the loss of a training by epoch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.draw.canvas import COLOURS, FAINT, INK, entitle, new_figure, write_figure

LINES = (("train_loss", "training", COLOURS[0]), ("validation_loss", "validation", COLOURS[1]))
LOG_FROM = 30.0  # a loss that falls (or rises) by more than this factor is drawn on a logarithmic axis
APART = 0.08  # of the axis, between the names of two lines


def loss_curve(curves: Mapping[str, Any], path: str | os.PathLike[str], title: str = "Loss by epoch") -> Path:
    """Draw training and validation loss by epoch, each named at its end, and mark the lowest validation loss.

    curves: "train_loss" and, where there are validation rows, "validation_loss" → [epochs], NaN after the training's
    end. The picture is .png, .svg or .pdf, by its name. **Raises** DataError where no loss is a number.
    """
    lines = [
        (name, colour, np.asarray(curves[key], np.float64))
        for key, name, colour in LINES
        if key in curves and np.isfinite(np.asarray(curves[key], np.float64)).any()
    ]
    if not lines:
        raise DataError("there is no loss to draw: no epoch of the training has a finite one")
    figure, axes = new_figure()
    for name, colour, loss in lines:
        _line(axes, name, colour, loss)
    values = np.concatenate([loss[np.isfinite(loss)] for _, _, loss in lines])
    if values.min() > 0 and values.max() / values.min() > LOG_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
    elif values.min() >= 0:
        axes.set_ylim(bottom=0)
    entitle(axes, title)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if max(len(loss) for _, _, loss in lines) == 1:
        axes.set_xlim(0.5, 1.5)
        axes.set_xticks([1])
    axes.grid(axis="y", color=FAINT, alpha=0.35, linewidth=0.8)
    axes.set_axisbelow(True)
    _name_ends(axes, lines)
    return write_figure(figure, path)


def _line(axes: Any, name: str, colour: str, loss: np.ndarray) -> None:
    shown = np.where(np.isfinite(loss), loss, np.nan)
    epochs = np.arange(1, len(loss) + 1)
    single = np.isfinite(shown).sum() == 1
    axes.plot(epochs, shown, color=colour, linewidth=2, marker="o" if single else None, solid_capstyle="round")
    best = int(np.nanargmin(shown))
    if name == "validation" and best < int(np.flatnonzero(np.isfinite(shown))[-1]):
        axes.plot(best + 1, shown[best], "o", color=colour, markersize=6, markeredgecolor="white")
        axes.annotate(
            f"lowest: {shown[best]:.3g}, epoch {best + 1}",
            (best + 1, shown[best]),
            xytext=(0, 10),
            textcoords="offset points",
            ha="right" if best > 0.6 * len(loss) else "left",
            fontsize=8.5,
            color=INK,
        )


def _name_ends(axes: Any, lines: list[tuple[str, str, np.ndarray]]) -> None:
    """The name of each line right of its last point; names that would touch are moved apart."""
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = []
    for name, colour, loss in lines:
        last = int(np.flatnonzero(np.isfinite(loss))[-1])
        ends.append([*to_axes.transform((last + 1, loss[last])), name, colour, last])
    if len(ends) == 2 and abs(ends[0][1] - ends[1][1]) < APART:
        lower, upper = sorted(ends, key=lambda end: end[1])
        middle = (lower[1] + upper[1]) / 2
        lower[1], upper[1] = middle - APART / 2, middle + APART / 2
    for x, y, name, colour, _ in ends:
        axes.annotate(
            name,
            (x, y),
            xycoords="axes fraction",
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold",
            annotation_clip=False,
        )
