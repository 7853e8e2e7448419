# pyright: reportUnknownMemberType=false
# matplotlib's keyword arguments have no types.
"""What became of the candidates, where the time went, and whether fewer fail than at the start."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asi_arch.report.digest import Digest, Line
from asi_arch.report.figures import style
from asi_arch.report.words import OUTCOMES, duration

_USES = ("training: baselines", "training: measured", "training: ended early", "checks", "scoring")
_ENOUGH = 10
"""Candidates that make two points of a trend."""
_FAILURES = ("rejected", "crashed", "diverged", "timed_out", "suspicious", "leaking")


def outcomes(campaign: Digest) -> Figure:
    """Three panels: counts by outcome, CPU time by use, share of failures over the campaign."""
    figure, (counts, times, rate) = style.panels(1, 3, height=3.2)
    candidates = campaign.candidates
    kinds = [kind for kind in OUTCOMES if campaign.outcomes[kind]]
    _bars(
        counts,
        [OUTCOMES[kind] for kind in kinds],
        [float(campaign.outcomes[kind]) for kind in kinds],
        colours=[style.OUTCOME_COLOURS[kind] for kind in kinds],
        texts=[f"{campaign.outcomes[kind]:,}" for kind in kinds],
    )
    style.label(counts, title="Outcomes of candidates")
    _time(times, campaign)
    _failure_rate(rate, candidates)
    return figure


def time_by_use(campaign: Digest) -> dict[str, float]:
    """CPU seconds of the whole campaign by what they were used for."""
    used: dict[str, float] = {use: 0.0 for use in _USES}
    for line in campaign.lines:
        kind = "measured" if line.summary.is_measured else "ended early"
        used[f"training: {'baselines' if line.is_baseline else kind}"] += line.cost.train_cpu_s
        used["checks"] += line.cost.check_cpu_s
        used["scoring"] += line.cost.score_cpu_s
    return used


def _time(ax: Axes, campaign: Digest) -> None:
    used = time_by_use(campaign)
    colours = [style.RED, style.BLUE, style.SKY, style.ORANGE, style.GREEN]
    _bars(ax, list(used), list(used.values()), colours=colours, texts=[duration(value) for value in used.values()])
    style.label(ax, title="CPU time")


def _failure_rate(ax: Axes, candidates: list[Line]) -> None:
    """Share of candidates that failed, in up to twelve equal parts of the campaign."""
    style.label(ax, title="Failures over time")
    if len(candidates) < _ENOUGH:
        style.say(ax, f"no trend with fewer\nthan {_ENOUGH} candidates")
        return
    size = max(5, -(-len(candidates) // 12))
    parts = [candidates[start : start + size] for start in range(0, len(candidates), size)]
    parts = [part for part in parts if len(part) >= min(size, len(candidates)) // 2 + 1] or [candidates]
    xs = [(part[0].summary.index + part[-1].summary.index) / 2 for part in parts]
    top = 0.2
    for kinds, colour, name in ((_FAILURES, style.RED, "failed"), (("stopped_early",), style.SKY, "stopped early")):
        ys = [sum(line.summary.outcome in kinds for line in part) / len(part) for part in parts]
        ax.plot(xs, ys, color=colour, marker="o", ms=4, lw=1.6, label=name)
        top = max(top, *ys)
    ax.set_ylim(-0.03 * top, 1.3 * top)
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    style.label(ax, title="Failures over time", x="experiment", y="share of candidates")
    style.whole_numbers(ax)
    style.legend(ax)


def _bars(ax: Axes, names: list[str], values: list[float], *, colours: list[str], texts: list[str]) -> None:
    places = list(range(len(names)))
    ax.barh(places, values, color=colours, height=0.66)
    ax.set_yticks(places, names)
    ax.set_ylim(max(len(names), 5) - 0.5, -0.5)
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_xlim(0, max([*values, 1e-9]) * 1.45)
    for place, value, text in zip(places, values, texts, strict=True):
        ax.annotate(text, (value, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
