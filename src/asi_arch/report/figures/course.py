# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""Shares of failed, stopped and repaired proposals by batch, and where the wall time went."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asi_arch.report.digest import Digest
from asi_arch.report.figures import style
from asi_arch.report.series.rates import KINDS, BatchRates, Course, Times, course

_COLOURS = {
    "rejected": style.ORANGE,
    "crashed": style.RED,
    "cheating": style.INK,
    "stopped_early": style.SKY,
    "repaired": style.GREEN,
    "saved": style.PURPLE,
}
_MARKERS = dict(zip(KINDS, "osXD^v", strict=True))
_USES = {
    "propose_s": ("propose", style.PURPLE),
    "check_s": ("check", style.ORANGE),
    "train_s": ("train", style.BLUE),
    "score_s": ("score", style.GREEN),
    "wait_s": ("wait and think", style.PALE),
}


def course_figure(campaign: Digest) -> Figure:
    """Left the rates with 95% intervals, right the shares of the time."""
    found = course(campaign)
    figure, (rates, times) = style.panels(1, 2, height=3.9)
    _rates(rates, found)
    _times(times, found)
    return figure


def _rates(ax: Axes, found: Course) -> None:
    if not found.rates:
        style.say(ax, found.missing or "no candidate yet")
        return
    style.label(ax, title="What became of proposals", x="experiment", y="share of the batch's proposals")
    kinds = [kind for kind in KINDS if any(batch.of(kind).count for batch in found.rates)]
    if not kinds:
        style.say(ax, "no proposal was rejected, crashed,\nwas stopped or repaired")
        return
    top = 0.1
    for place, kind in enumerate(kinds):
        shift = (place - (len(kinds) - 1) / 2) * 0.08 * (found.rates[0].last - found.rates[0].first + 1)
        top = max(top, _rate(ax, found.rates, kind, shift))
    ax.set_ylim(-0.03 * top, 1.05 * top)
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    style.whole_numbers(ax)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=8.5, frameon=False)


def _rate(ax: Axes, batches: tuple[BatchRates, ...], kind: str, shift: float) -> float:
    """Returns the highest end of an interval."""
    xs = [(batch.first + batch.last) / 2 + shift for batch in batches]
    shares = [batch.of(kind).share for batch in batches]
    for x, share in zip(xs, shares, strict=True):
        ax.plot([x, x], [share.low, share.high], color=_COLOURS[kind], lw=0.8, alpha=0.55)
    ys = [share.estimate for share in shares]
    ax.plot(xs, ys, color=_COLOURS[kind], marker=_MARKERS[kind], ms=4.5, lw=1.4, label=KINDS[kind])
    return max(share.high for share in shares)


def _times(ax: Axes, found: Course) -> None:
    if found.total is None:
        style.say(ax, found.missing or "no time is on record")
        return
    style.label(ax, title="Where the time went", x="experiment", y="share of the experiments' wall time")
    xs = [(batch.first + batch.last) / 2 for batch in found.times]
    widths = [0.92 * (batch.last - batch.first + 1) for batch in found.times]
    bottoms = [0.0] * len(xs)
    for use, (name, colour) in _USES.items():
        heights = [_share(batch.times, use) for batch in found.times]
        text = f"{name} ({_share(found.total, use):.1%})"
        ax.bar(xs, heights, bottom=bottoms, width=widths, color=colour, label=text, linewidth=0)
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.grid(visible=False)
    style.whole_numbers(ax)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, fontsize=8.5, frameon=False)


def _share(times: Times, use: str) -> float:
    value: float = getattr(times, use)
    return value / times.total_s if times.total_s > 0 else 0.0
