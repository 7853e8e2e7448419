# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Training curves of a candidate beside its baseline and its parent."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from asi_arch.domain.experiment import Experiment
from asi_arch.domain.profile import StageName
from asi_arch.report.figures import style

_TITLES = {StageName.LANGUAGE: "Language stage", StageName.RECALL: "Recall stage"}


def training_curves(models: Sequence[tuple[Experiment, str, str]]) -> Figure:
    """Smoothed training losses of (experiment, name, colour), a thick mean over thin seeds, for both stages."""
    figure, axes = style.panels(1, 2, height=3.8)
    for ax, stage in zip(axes, StageName, strict=True):
        drawn = [_draw(ax, runs, name, colour) for e, name, colour in models if (runs := _losses(e, stage))]
        if not drawn:
            style.say(ax, f"no run in the {stage.value} stage")
            continue
        _focus(ax, drawn)
        style.label(ax, title=_TITLES[stage], x="step", y="training loss, nats")
        style.legend(ax)
    return figure


def smooth(losses: Sequence[float], window: int) -> NDArray[np.float64]:
    """Mean over the last `window` values, from the first full window on."""
    sums = np.cumsum(np.concatenate([[0.0], np.asarray(losses, dtype=np.float64)]))
    return (sums[window:] - sums[:-window]) / window


def _losses(experiment: Experiment, stage: StageName) -> list[tuple[float, ...]]:
    return [run.losses for run in experiment.runs if run.key.stage is stage and len(run.losses) > 1]


def _draw(ax: Axes, runs: Sequence[Sequence[float]], name: str, colour: str) -> NDArray[np.float64]:
    steps = min(len(run) for run in runs)
    window = max(1, steps // 25)
    lines = np.stack([smooth(run[:steps], window) for run in runs])
    xs = np.arange(window, steps + 1)
    ax.plot(xs, np.transpose(lines), color=colour, lw=0.7, alpha=0.35)
    ax.plot(xs, lines.mean(axis=0), color=colour, lw=2.0, label=style.plain(name))
    return lines


def _focus(ax: Axes, drawn: Sequence[NDArray[np.float64]]) -> None:
    """Leave out the first steep tenth, where all curves fall together."""
    late = [lines[:, lines.shape[1] // 10 :] for lines in drawn]
    finite = np.concatenate([part[np.isfinite(part)] for part in late])
    if finite.size:
        room = 0.05 * max(float(np.ptp(finite)), 1e-6)
        ax.set_ylim(float(finite.min()) - room, float(finite.max()) + room)
