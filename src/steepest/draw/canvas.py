"""What all pictures share: a canvas without a window, colours that everybody can tell apart, text as it stands.

Figures are made from matplotlib's `Figure`, never from pyplot: no display is needed, nothing global is changed, and it
is imported when the first picture is drawn.
"""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

from steepest.core.atomic import check_writable, write_atomically
from steepest.core.errors import unknown
from steepest.data.paths import shown

# Okabe & Ito 2008, the order changed so that the first few differ most; yellow is left out: it is lost on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, FAINT = "#333333", "#BBBBBB"
FORMATS = (".png", ".svg", ".pdf")
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Noto Emoji", "Arial Unicode MS", "sans-serif")

STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "steepest",  # else two pictures of the same thing differ in their ids
    "text.usetex": False,
}


def new_figure(width: float = 6.4, height: float = 4.0) -> tuple[Any, Any]:
    """A figure and its axes, in our style."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
    axes.tick_params(length=0)
    return figure, axes


def entitle(axes: Any, title: str) -> None:
    """The picture's title, from the left, where reading begins."""
    axes.set_title(plain(title, most=80), loc="left", pad=14, fontsize=12, color=INK)


def write_figure(figure: Any, path: str | os.PathLike[str]) -> Path:
    """Write a figure, whole or not at all, in the format that its name ends in (.png, .svg or .pdf)."""
    import matplotlib
    from matplotlib.text import Text

    path = Path(path)
    kind = _kind(path)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a class may be called $x$
    content = io.BytesIO()
    dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    with matplotlib.rc_context({**STYLE, "font.family": _fonts()}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # drawn as a box; the rest of the text stands
        figure.savefig(content, format=kind, dpi=160, facecolor="white", metadata=dated[kind])
    return write_atomically(path, content.getvalue())


def check_picture(path: str | os.PathLike[str]) -> None:
    """Refuse a picture that `write_figure` would refuse, before the work that it is to show.

    **Raises** SettingError for a kind of picture that is not drawn, SteepestError for a place that cannot be written.
    """
    _kind(Path(path))
    check_writable(path)


def _kind(path: Path) -> str:
    if path.suffix.lower() not in FORMATS:
        raise unknown("kind of picture", path.suffix or path.name, FORMATS)
    return path.suffix.lower().removeprefix(".")


def plain(text: object, most: int = 60) -> str:
    """Any text on one line of at most `most` letters, control characters escaped.

    >>> print(plain("a cat\\n"), plain("x" * 99, most=5))
    a cat\\n xxxx…
    """
    line = shown(text)
    return line if len(line) <= most else line[: most - 1] + "…"


def _fonts() -> list[str]:
    """The fonts of FONTS that are here; matplotlib warns of others, letter by letter."""
    from matplotlib import font_manager

    here = set(font_manager.get_font_names())
    return [name for name in FONTS if name in here or name == "sans-serif"]
