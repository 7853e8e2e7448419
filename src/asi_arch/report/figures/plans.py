"""Which figures a report has, in its order: how each is drawn, what it shows, and why it is left out where it is.

Those that stand for a figure of the paper have its number in their names.
"""

from collections.abc import Callable
from typing import NamedTuple

from matplotlib.figure import Figure

from asi_arch.domain.experiment import Experiment
from asi_arch.report.digest import Digest
from asi_arch.report.figures.course import course_figure
from asi_arch.report.figures.curves import published_curves, training_curves
from asi_arch.report.figures.mechanisms import mechanism_pairs, mechanism_use
from asi_arch.report.figures.outcomes import outcomes
from asi_arch.report.figures.parameters import parameter_counts
from asi_arch.report.figures.phylogeny import layered, radial
from asi_arch.report.figures.pool import pool_figure
from asi_arch.report.figures.progress import progress
from asi_arch.report.figures.scaling import discovery_curve
from asi_arch.report.figures.tradeoff import tradeoff
from asi_arch.report.figures.tree import is_drawn_as_discs, tree
from asi_arch.report.series.discoveries import discoveries
from asi_arch.report.series.mechanisms import mechanisms
from asi_arch.report.series.parameters import parameters
from asi_arch.report.series.rates import course
from asi_arch.report.series.trend import pool_trend
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.report.tables import Table

_NOTHING = "no experiment is finished yet"


class Shown(NamedTuple):
    """What figures are made of."""

    campaign: Digest
    table: Table
    models: list[tuple[Experiment, str, str]]
    """Whose training curves are drawn: experiment, name, colour."""


class Plan(NamedTuple):
    """A figure before it is drawn."""

    name: str
    """Of its files."""
    make: Callable[[], Figure]
    missing: str
    """Why it has nothing to show; empty where it has."""
    alt: str
    caption: str
    is_for_the_page: bool = False
    """Whether it is another view of a figure that has files of its own, and gets none."""


def plans(shown: Shown) -> list[Plan]:
    """In the order of the page."""
    return [*_search(shown), *_tree(shown.campaign), *_pool(shown.campaign), *_designs(shown), *_course(shown.campaign)]


def _search(shown: Shown) -> list[Plan]:
    campaign = shown.campaign
    own = (
        "Every measured experiment by number. Dashed lines are the baselines, measured in the same campaign; a name"
        " with an arrow lies outside the picture, as do the small triangles. Hollow points have no fitness (most recall"
        " too little), and the best so far is the best of the others. Ticks below mark those that were not measured."
    )
    imported = "Every design by number with its score as published. Nothing of it was measured here."
    return [
        Plan(
            "progress",
            lambda: progress(campaign),
            "" if campaign.lines else _NOTHING,
            "Language loss and fitness of every experiment by number, with the best so far and the baselines",
            imported if campaign.is_imported else own,
        ),
        Plan(
            "figure-1-discoveries",
            lambda: discovery_curve(campaign),
            discoveries(campaign).missing,
            "Running totals of leads and of promoted designs against the compute that the campaign used",
            _discovery_caption(campaign),
        ),
    ]


def _discovery_caption(campaign: Digest) -> str:
    """The paper's Figure 1."""
    found = discoveries(campaign)
    return (
        f"What was found by what was spent. Blue: {found.criterion}. The dashed line is fitted to these by least"
        " squares, with the 95% interval of its slope. A straight line means a constant rate; it says nothing about"
        " whether later finds are better, and points of a running total depend on each other, so the interval is too"
        " narrow."
    )


def _tree(campaign: Digest) -> list[Plan]:
    """The paper's Figures 3 and 5."""
    is_large = is_drawn_as_discs(campaign)
    missing = "" if campaign.lines else _NOTHING
    columns = (
        "Who descends from whom. Diamonds are baselines, hollow nodes have no fitness, the orange line leads to the"
        " fittest."
    )
    rows = " Children without children of their own stand in rows where they are many."
    word = "published score" if campaign.is_imported else "fitness"
    found = [
        Plan(
            "figure-3-tree",
            lambda: layered(campaign) if is_large else tree(campaign),
            missing,
            f"Tree of experiments by generation, coloured by {word}, with the way to the best",
            f"{columns} One column for each generation.{rows}" if is_large else columns,
        ),
        Plan(
            "figure-5-phylogeny",
            lambda: radial(campaign),
            missing,
            f"Radial tree of experiments coloured by {word}, roots in the middle, with the way to the best",
            f"The same tree from the middle outward, one ring for each generation, coloured by {word}.{rows}",
        ),
    ]
    if is_large:
        caption = "The same tree by family: each disc is a parent amid those of its children that had none themselves."
        alt = "Tree of experiments by family"
        found.append(Plan("tree-families", lambda: tree(campaign), missing, alt, caption, is_for_the_page=True))
    return found


def _pool(campaign: Digest) -> list[Plan]:
    """The paper's Figures 6 and 8."""
    own = (
        "Means over the pool at every refresh: raw numbers, and the fitness with its three parts. A pool of the fittest"
        " can only get fitter; whether it got better shows in the raw numbers."
    )
    imported = (
        "After every 50 designs, the mean of the 50 with the highest published score so far, and the highest. Which"
        f" designs the source's own pool held is {NOT_IMPORTED}."
    )
    return [
        Plan(
            "figure-6-pool",
            lambda: pool_figure(campaign),
            "" if len(pool_trend(campaign)) > 1 else "the pool has not been refreshed twice yet",
            "Mean loss, recall and fitness of the candidate pool at every refresh",
            imported if campaign.is_imported else own,
        ),
        Plan(
            "figure-8-parameters",
            lambda: parameter_counts(campaign),
            parameters(campaign).missing,
            "Counts of parameters by batch of experiments, and against fitness",
            _parameter_caption(campaign),
        ),
    ]


def _parameter_caption(campaign: Digest) -> str:
    found = parameters(campaign)
    boxes = "Boxes: from the first to the third quartile of a batch, with the median; thin lines to the extremes."
    if found.tolerance is None:
        return f"Parameters of the whole model as published, of {len(found.designs):,} designs. {boxes}"
    return (
        f"Parameters of one mixer. Whole models are made equally large, within {found.tolerance:.0%}, by the width of"
        f" their MLP, so size can't buy quality here, but a mixer can take a larger share. {boxes}"
    )


def _designs(shown: Shown) -> list[Plan]:
    campaign, table, models = shown
    found = mechanisms(campaign)
    has_rows = bool(table.rows or table.unscored) and not campaign.is_imported
    unmeasured = f"language loss and recall are {NOT_IMPORTED}" if campaign.is_imported else "nothing is measured yet"
    return [
        Plan(
            "tradeoff",
            lambda: tradeoff(campaign, table),
            "" if has_rows else unmeasured,
            "Scatter of language loss against recall accuracy with intervals",
            "Being good at both is what counts: language loss alone rewards models that can't recall. A baseline beyond"
            " the frame is given by its numbers in the legend.",
        ),
        _curves(campaign, models),
        Plan(
            "figure-7-mechanisms",
            lambda: mechanism_use(campaign),
            found.missing,
            "Bars: share of the best designs, and of all others, that have each mechanism; points: ratio of the shares",
            f"How often {found.gallery} have a mechanism, and how often the others have it; on the right the ratio of"
            " the two, half a case added to each count, blue or orange where its 95% interval excludes 1. A"
            " description, no test: designs descend from each other, and many mechanisms are looked at.",
        ),
        Plan(
            "figure-7-pairs",
            lambda: mechanism_pairs(campaign),
            found.missing,
            "Table of how many designs have each pair of mechanisms",
            "How many designs have both of two mechanisms, on the diagonal the one; coloured by how far that is from"
            " what independent use would give.",
        ),
    ]


def _curves(campaign: Digest, models: list[tuple[Experiment, str, str]]) -> Plan:
    if campaign.is_imported:
        has_curves = any(line.published and line.published.curve for line in campaign.lines)
        return Plan(
            "curves",
            lambda: published_curves(campaign),
            "" if has_curves else f"training curves are {NOT_IMPORTED}",
            "Training losses as published",
            "Training losses as they were published, for the designs whose curves are in the data.",
        )
    return Plan(
        "curves",
        lambda: training_curves(models),
        "" if models else "no candidate has a fitness yet",
        "Training loss of the best design, its parent and the reference baseline, for both stages",
        "Training losses, smoothed; thin lines are single seeds, thick ones their mean.",
    )


def _course(campaign: Digest) -> list[Plan]:
    found = course(campaign)
    has_outcomes = bool(campaign.candidates) and not campaign.is_imported
    return [
        Plan(
            "outcomes",
            lambda: outcomes(campaign),
            "" if has_outcomes else found.missing or f"what it cost is {NOT_IMPORTED}",
            "Counts by outcome, CPU time by use, and share of failures over the campaign",
            "What became of the candidates, where the CPU time went, and whether fewer fail than at the start.",
        ),
        Plan(
            "course",
            lambda: course_figure(campaign),
            found.missing,
            "Shares of rejected, crashed, stopped and repaired proposals by batch, and shares of the time by use",
            "By batch of experiments: shares of proposals with 95% intervals (Wilson), and the experiments' wall time"
            " by use. Training and scoring are split by their CPU time; the rest is waiting for a free worker or a"
            " mind, and the attempts before a repair.",
        ),
    ]
