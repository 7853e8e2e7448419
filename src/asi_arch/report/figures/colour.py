# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Colour by rank: half of the colours for the better half, so that many good designs don't all look alike."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import FuncNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from asi_arch.report.figures import style

_SHARES = (0.02, 0.25, 0.5, 0.75, 1.0)
"""From the second percentile up, so that a few bad ones don't take half of the scale."""


class Ranked(NamedTuple):
    """A scale of colours with the values that its bar names: quartiles, near enough."""

    scale: ScalarMappable
    ticks: tuple[float, ...]

    def fill(self, values: Sequence[float]) -> NDArray[np.float64]:
        """[N, 4] colours."""
        return np.asarray(self.scale.to_rgba(np.asarray(values, dtype=np.float64)), dtype=np.float64)


def ranked(values: Sequence[float]) -> Ranked | None:
    """The scale of these values; None where there are none."""
    if not values:
        return None
    ticks = tuple(float(tick) for tick in np.unique(np.quantile(np.asarray(values), _SHARES)))
    if min(ticks) == max(ticks):
        return Ranked(ScalarMappable(Normalize(min(ticks) - 1e-9, max(ticks) + 1e-9), style.SEQUENTIAL), ticks)
    places = np.linspace(0.0, 1.0, len(ticks))

    def forward(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(value, ticks, places)

    def backward(place: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(place, places, ticks)

    norm = FuncNorm((forward, backward), vmin=ticks[0], vmax=ticks[-1])
    return Ranked(ScalarMappable(norm, style.SEQUENTIAL), ticks)


def bar(figure: Figure, ax: Axes, colours: Ranked, word: str) -> None:
    """The scale beside the axes, named at the quartiles."""
    drawn = figure.colorbar(colours.scale, ax=ax, shrink=0.45, aspect=30, pad=0.01, panchor=False)
    drawn.set_ticks(list(colours.ticks), labels=[f"{tick:.2f}" for tick in colours.ticks])
    drawn.minorticks_off()
    drawn.set_label(f"{word}, by quartile", fontsize=9)
    drawn.ax.tick_params(labelsize=8)
