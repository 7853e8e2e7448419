# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""One look for all figures: white ground, thin lines, colours that colour-blind readers can tell apart.

A dark page inverts the figures and turns their hues back, so what is dark here is bright there: colours that must be
seen are dark, and only hints are pale.
"""

import io
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib import colormaps, rc_context  # pyright: ignore[reportUnknownVariableType]
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

# The palette of Okabe & Ito (2008).
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK, GREY, PALE = "#222222", "#8A8A8A", "#D9D9D9"
BASELINES = ("#C24A00", "#A8487F", "#00805D", "#946400", "#4F66B0", "#7F6000", "#555555")
"""Colours of the baselines, in the profile's order; they repeat when there are more. Dark enough for their names."""
SEQUENTIAL = ListedColormap(colormaps["YlGnBu"](np.linspace(0.15, 1.0, 256)))
"""The best stand out most: darkest on white, and brightest where a dark page inverts the figure."""

OUTCOME_COLOURS = {
    "measured": BLUE,
    "stopped_early": SKY,
    "rejected": ORANGE,
    "crashed": RED,
    "diverged": PURPLE,
    "timed_out": "#7F6000",
    "suspicious": INK,
    "leaking": INK,
}
FORMATS = {"png": ("Software",), "svg": ("Date",), "pdf": ("CreationDate",)}
"""What figures can be written as, with the notes that would tell when or by what."""
_VECTOR: dict[Any, Any] = {"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "asi-arch"}
WIDTH = 9.5
"""Inches of every figure; heights differ."""
DPI = 150
TITLE = 11.5
"""Points of a title, in the weight of all letters: a second font is what takes longest to write into a PDF."""


def panels(
    rows: int,
    columns: int,
    *,
    height: float,
    ratios: Sequence[float] | None = None,
    widths: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure with its axes, row by row, all in the common look.

    `ratios` are the rows' relative heights, `widths` the columns' relative widths; panels below each other share x.
    """
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    share = "col" if rows > 1 else False
    grid = figure.subplots(rows, columns, sharex=share, squeeze=False, height_ratios=ratios, width_ratios=widths)
    axes = [cast(Axes, grid[row, column]) for row in range(rows) for column in range(columns)]
    for ax in axes:
        polish(ax)
    return figure, axes


def polish(ax: Axes) -> None:
    """Two spines, a faint grid, quiet ticks."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(colors="#444444", labelsize=9)
    ax.grid(visible=True, color="#EEEEEE", linewidth=0.8)
    ax.set_axisbelow(True)


def label(ax: Axes, *, title: str = "", x: str = "", y: str = "") -> None:
    """Title to the left, axes named."""
    if title:
        ax.set_title(title, loc="left", fontsize=TITLE, color=INK)
    ax.set_xlabel(x, fontsize=9.5, color=INK)
    ax.set_ylabel(y, fontsize=9.5, color=INK)


def legend(ax: Axes) -> None:
    """Inside the axes, where falling curves leave room."""
    ax.legend(loc="upper right", fontsize=8.5, frameon=False)


def legend_above(ax: Axes) -> None:
    """In one row above the axes, to the right, where it hides no point."""
    handles, names = ax.get_legend_handles_labels()
    if handles:
        corner = (1.0, 0.99)
        ax.legend(handles, names, loc="lower right", bbox_to_anchor=corner, ncols=4, fontsize=8.5, frameon=False)


def legend_beside(ax: Axes) -> None:
    """To the right of the axes."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5, frameon=False)


def say(ax: Axes, text: str) -> None:
    """An empty panel says why it is empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", fontsize=11, color=GREY, transform=ax.transAxes, wrap=True)


def line_labels(ax: Axes, heights: Sequence[float], names: Sequence[str], colours: Sequence[str]) -> None:
    """Names at the right edge, at the heights of their lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    places = apart([heights[i] for i in order], distance=0.058 * (high - low), top=high)
    for place, i in zip(places, order, strict=True):
        ax.annotate(
            plain(names[i]),
            xy=(1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colours[i],
            annotation_clip=False,
        )


def apart(heights: Sequence[float], *, distance: float, top: float) -> list[float]:
    """Rising `heights` moved up to be `distance` apart, and down again where that leads above `top`."""
    places: list[float] = []
    for height in heights:
        places.append(max(height, places[-1] + distance) if places else height)
    ceiling = top
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - distance
    return places


def whole_numbers(ax: Axes) -> None:
    """Ticks of experiments have no fractions."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def plain(name: str) -> str:
    """A name as it is: printable, and its dollar signs no beginning of a formula."""
    return "".join(sign for sign in name if sign.isprintable()).replace("$", r"\$")


def png(figure: Figure) -> bytes:
    """The figure as PNG, without a time stamp: equal figures are equal bytes."""
    return rendered(figure, ["png"])["png"]


def rendered(figure: Figure, formats: Sequence[str]) -> dict[str, bytes]:
    """The figure in each of the `FORMATS` asked for, laid out once; equal figures are equal bytes.

    Letters stay letters: TrueType in PDF, text in SVG.
    """
    found: dict[str, bytes] = {}
    _without_ligatures(figure)
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)  # nothing moves any more, and nothing is drawn twice to find its place
    with rc_context(_VECTOR):
        for name in formats:
            buffer = io.BytesIO()
            packing: dict[str, Any] = {"pil_kwargs": {"compress_level": 3}} if name == "png" else {}
            figure.savefig(buffer, format=name, metadata=dict.fromkeys(FORMATS[name]), **packing)
            found[name] = buffer.getvalue()
    return found


def _without_ligatures(figure: Figure) -> None:
    """An 'fi' of one glyph can't be searched for, and takes another subset of the font in a PDF.

    matplotlib joins letters from version 3.11 on, where it can be told not to.
    """
    for text in figure.findobj(Text):
        choose = getattr(text, "set_fontfeatures", None)
        if choose is not None:
            choose(("-liga",))
