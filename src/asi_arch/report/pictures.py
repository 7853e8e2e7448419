"""All figures of a report as PNG, with their captions. Loads matplotlib when it is imported."""

from collections.abc import Callable
from typing import NamedTuple

from matplotlib.figure import Figure

from asi_arch.domain.experiment import Experiment
from asi_arch.domain.ports import Store
from asi_arch.report.digest import Digest, pools
from asi_arch.report.figures import style
from asi_arch.report.figures.components import component_use, has_fittest
from asi_arch.report.figures.curves import training_curves
from asi_arch.report.figures.outcomes import outcomes
from asi_arch.report.figures.pool import pool_trend
from asi_arch.report.figures.progress import progress
from asi_arch.report.figures.tradeoff import tradeoff
from asi_arch.report.figures.tree import tree
from asi_arch.report.tables import Table


class Picture(NamedTuple):
    """A figure ready to be shown."""

    name: str
    png: bytes
    alt: str
    """For those who can't see it."""
    caption: str


class _Plan(NamedTuple):
    """A figure before it is drawn."""

    name: str
    make: Callable[[], Figure]
    has_content: bool
    alt: str
    caption: str


def draw(campaign: Digest, table: Table, store: Store, subject: int | None) -> list[Picture]:
    """Every figure that has something to show; `subject` is the experiment whose curves are drawn."""
    models = _models(store, subject)
    plans = [
        _Plan(
            "progress",
            lambda: progress(campaign),
            bool(campaign.lines),
            "Language loss and fitness of every experiment by number, with the best so far and the baselines",
            "Every measured experiment by number. Dashed lines are the baselines, measured in the same campaign; a name"
            " with an arrow lies outside the picture, as do the small triangles. Hollow points have no fitness (most"
            " recall too little), and the best so far is the best of the others. Ticks below mark candidates that were"
            " not measured.",
        ),
        _Plan(
            "tree",
            lambda: tree(campaign),
            bool(campaign.lines),
            "Tree of experiments coloured by fitness, with the way to the best",
            "Who descends from whom. Diamonds are baselines, hollow nodes have no fitness, the orange line leads to the"
            " fittest. In large campaigns each disc is a parent amid those of its children that had none themselves.",
        ),
        _Plan(
            "pool",
            lambda: pool_trend(campaign),
            len(pools(campaign.lines, campaign.campaign)) > 1,
            "Mean loss, recall and fitness of the candidate pool at every refresh",
            "Means over the pool at every refresh: raw numbers, and the fitness with its three parts. A pool of the"
            " fittest can only get fitter; whether it got better shows in the raw numbers.",
        ),
        _Plan(
            "tradeoff",
            lambda: tradeoff(campaign, table),
            bool(table.rows or table.unscored),
            "Scatter of language loss against recall accuracy with intervals",
            "Being good at both is what counts: language loss alone rewards models that can't recall. A baseline beyond"
            " the frame is given by its numbers in the legend.",
        ),
        _Plan(
            "curves",
            lambda: training_curves(models),
            bool(models),
            "Training loss of the best design, its parent and the reference baseline, for both stages",
            "Training losses, smoothed; thin lines are single seeds, thick ones their mean.",
        ),
        _Plan(
            "components",
            lambda: component_use(campaign),
            has_fittest(campaign),
            "Bars: share of the fittest designs, and of all others, that have each mechanism",
            "How often the fittest designs have a mechanism, and how often the others have it: where the two differ,"
            " the search came to prefer or to leave it. A description, no test: designs descend from each other.",
        ),
        _Plan(
            "outcomes",
            lambda: outcomes(campaign),
            bool(campaign.candidates),
            "Counts by outcome, CPU time by use, and share of failures over the campaign",
            "What became of the candidates, where the CPU time went, and whether fewer fail than at the start.",
        ),
    ]
    return [Picture(p.name, style.png(p.make()), p.alt, p.caption) for p in plans if p.has_content]


def _models(store: Store, subject: int | None) -> list[tuple[Experiment, str, str]]:
    """Reference, parent and subject, without repetition, the subject drawn last."""
    found = None if subject is None else store.experiment(subject)
    if found is None:
        return []
    wanted = {0: style.RED}
    if found.proposal.parent is not None:
        wanted.setdefault(found.proposal.parent, style.GREY)
    wanted[found.index] = style.BLUE
    loaded = [(store.experiment(index), colour) for index, colour in wanted.items()]
    return [(e, f"{e.proposal.name} #{e.index}", colour) for e, colour in loaded if e is not None]
