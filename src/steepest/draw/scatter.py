"""V1: the data scattered, coloured by class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.draw.canvas import COLOURS, INK, MARKERS, entitle, new_figure, plain, write_figure

NAMED_IN_PLACE = 7  # classes with a colour of their own are named where they lie, more of them in a list beside
MOST_LISTED = 30
MANY_ROWS = 3000  # from here on an .svg holds the points as an image, else it would be as long as the data


def scatter(
    X: Any,
    y: Any,
    classes: Sequence[str],
    path: str | os.PathLike[str],
    title: str = "",
    axes_names: Sequence[str] = ("x₁", "x₂"),
) -> Path:
    """Scatter rows X [rows, 2], coloured by their class numbers y [rows], which `classes` names.

    Classes beyond the seventh share colours and differ by their markers too. The picture is .png, .svg or .pdf, by its
    name. **Raises** DataError for rows that are not two finite features, or labels without a class.
    """
    X, y = np.asarray(X, np.float64), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or not len(X):
        raise DataError(f"rows have shape {X.shape}; a scatter needs [rows, 2], two features of at least one row")
    if not np.isfinite(X).all():
        raise DataError(f"row {int(np.argwhere(~np.isfinite(X))[0][0]) + 1} is not finite and cannot be drawn")
    if y.shape != (len(X),) or y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= len(classes):
        raise DataError(f"y must hold a class number from 0 to {len(classes) - 1} for each of {len(X)} rows")
    figure, axes = new_figure(width=6.4, height=5.2)
    present = [int(k) for k in np.unique(y)]
    size = float(np.clip(8000 / len(X), 4, 36))
    marks = []
    for k in present:
        points = X[y == k]
        mark = axes.scatter(
            points[:, 0],
            points[:, 1],
            s=size,
            color=COLOURS[k % len(COLOURS)],
            marker=MARKERS[(k // len(COLOURS)) % len(MARKERS)],
            alpha=0.75 if len(X) < MANY_ROWS else 0.4,
            linewidths=0.4,
            edgecolors="white",
            rasterized=len(X) >= MANY_ROWS,
        )
        marks.append(mark)
    if len(classes) <= NAMED_IN_PLACE:
        _name_in_place(axes, X, y, classes, present)
    else:
        _list_beside(axes, marks, [plain(classes[k], most=28) for k in present])
    if title:
        entitle(axes, title)
    axes.set_xlabel(plain(axes_names[0]))
    axes.set_ylabel(plain(axes_names[1]))
    return write_figure(figure, path)


def _name_in_place(axes: Any, X: np.ndarray, y: np.ndarray, classes: Sequence[str], present: list[int]) -> None:
    """Each class's name at the middle of its points, on a white outline."""
    from matplotlib.patheffects import withStroke

    for k in present:
        x1, x2 = np.median(X[y == k], axis=0)
        axes.annotate(
            plain(classes[k], most=28),
            (x1, x2),
            ha="center",
            va="center",
            color=COLOURS[k % len(COLOURS)],
            fontweight="bold",
            fontsize=12,
            path_effects=[withStroke(linewidth=4, foreground="white")],
        )


def _list_beside(axes: Any, marks: list[Any], names: list[str]) -> None:
    """The first classes' marks and names in a list right of the axes."""
    more = len(names) - MOST_LISTED
    names = [*names[: MOST_LISTED - 1], f"… and {more + 1} more"] if more > 0 else names
    listed = axes.legend(marks[: len(names)], names, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    for mark, text in zip(listed.legend_handles, listed.get_texts()):
        mark.set(alpha=1, sizes=[36])
        text.set_color(INK)
