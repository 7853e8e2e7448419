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
from asi_arch.report.digest import Digest, Line
from asi_arch.report.figures import style
from asi_arch.report.words import number, plural

NAMED = 5
"""Published curves with a colour and a name."""
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


def published_curves(campaign: Digest) -> Figure:
    """Training losses as published: the `NAMED` with the best score, and all others in grey, on a logarithmic axis."""
    figure, (ax,) = style.panels(1, 1, height=4.4)
    known = [line for line in campaign.lines if line.published and line.published.curve]
    known.sort(key=lambda line: (line.summary.fitness or 0.0, -line.summary.index))
    for line in known[:-NAMED]:
        _published(ax, line, "#C9C9C9", 0.6, None)
    colours = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.RED)
    for line, colour in zip(known[::-1], colours[:NAMED], strict=False):
        score = "" if line.summary.fitness is None else f", score {number(line.summary.fitness)}"
        _published(ax, line, colour, 1.6, f"{line.summary.name[:40]} #{line.summary.index}{score}")
    if len(known) > NAMED:
        ax.plot([], [], color="#C9C9C9", label=plural(len(known) - NAMED, "other design"))
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(lambda loss, _: f"{loss:g}")
    ax.yaxis.set_minor_formatter(lambda loss, _: f"{loss:g}")
    ax.tick_params(which="minor", labelsize=8, colors="#444444")
    style.label(ax, title="Training losses as published", x="step", y="training loss, nats (logarithmic)")
    style.legend(ax)
    return figure


def _published(ax: Axes, line: Line, colour: str, width: float, name: str | None) -> None:
    points = line.published.curve if line.published else ()
    label = None if name is None else style.plain(name)
    xs, ys = [point.step for point in points], [point.loss_nats for point in points]
    ax.plot(xs, ys, color=colour, lw=width, label=label, zorder=2 if name is None else 3)


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
