"""What a campaign is expected to cost, from what its experiments cost so far, else from a figure on record."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.profile import Profile
from asi_arch.search.sampling import Schedule


class Figure(NamedTuple):
    """Of one experiment, baselines and inventions in the mean, all seeds and checks included."""

    cpu_s: float
    wall_s: float | None
    """As it was with the workers of that time; None where only CPU time is on record."""
    experiments: int
    """That the figure comes from."""


ON_RECORD: Final = {"cpu": Figure(cpu_s=330.0, wall_s=None, experiments=60)}
"""By profile: 5.5 CPU-h for the campaign of 60 of LOG.md (2026-11-28), on two cores that other work shared."""


class Standing(NamedTuple):
    """How far the campaign is."""

    done: int = 0
    proposed: frozenset[int] = frozenset()
    """Indices with a proposal, finished or not: nobody is asked for these again."""
    cpu_s: float = 0.0


class Bounds(NamedTuple):
    """The limits of the run; None where there is none."""

    experiments: int | None
    wall_s: float | None
    compute_s: float | None


class Work(NamedTuple):
    """What is expected to be done."""

    experiments: int | None
    """Still to come; None where no limit tells, or nothing is known of what one costs."""
    inventions: int | None
    """Of these, ideas that somebody must have."""
    agendas: int | None
    """Snapshots that are reached."""
    cpu_s: float | None
    wall_s: float | None


def figure_of(experiments: Iterable[Experiment], protocol: str) -> Figure | None:
    """The mean over the stored experiments of this protocol; None where there is none."""
    costs = [e.cost for e in experiments if e.protocol == protocol]
    if not costs:
        return None
    count = len(costs)
    return Figure(sum(c.cpu_s for c in costs) / count, sum(c.wall_s for c in costs) / count, count)


def figure_on_record(profile: Profile, shipped: Profile) -> Figure | None:
    """The figure of a profile that ships, if this one trains as much; other text changes no cost."""

    def size(p: Profile) -> object:
        return p.model, p.language.model_copy(update={"data": ""}), p.recall, p.seeds, p.device, p.precision

    return ON_RECORD.get(shipped.name) if size(profile) == size(shipped) else None


def standing_of(experiments: Iterable[Experiment], proposed: Iterable[int]) -> Standing:
    """Of a campaign's finished experiments and stored proposals."""
    cpu_s = [experiment.cost.cpu_s for experiment in experiments]
    return Standing(len(cpu_s), frozenset(proposed), sum(cpu_s))


def wall_each_s(figure: Figure, profile: Profile, workers: int) -> float:
    """Of one experiment's share of the wall time; a figure without one is taken as if the cores had nothing else."""
    seeds = len(profile.seeds)
    slots = max(1, workers // seeds)
    return figure.wall_s / slots if figure.wall_s else figure.cpu_s / (slots * min(seeds, workers))


def work_of(profile: Profile, figure: Figure | None, bounds: Bounds, so_far: Standing, workers: int) -> Work:
    """How much is done before the first limit is reached, and its cost. What is in training then is finished too."""
    each_s = wall_each_s(figure, profile, workers) if figure else None
    counts = [] if bounds.experiments is None else [bounds.experiments - so_far.done]
    if figure and each_s and bounds.wall_s is not None:
        counts.append(_reached(bounds.wall_s, each_s))
    if figure and bounds.compute_s is not None:
        counts.append(_reached(bounds.compute_s - so_far.cpu_s, figure.cpu_s))
    if not counts:
        return Work(None, None, None, None, None)
    count = max(0, min(counts))
    schedule, end = Schedule(profile.search), so_far.done + count
    coming = [i for i in range(so_far.done, end) if i not in so_far.proposed and schedule.baseline_at(i) is None]
    snapshots = {schedule.snapshot(index) for index in coming if not schedule.is_cold(index)}
    return Work(
        experiments=count,
        inventions=len(coming),
        agendas=len(snapshots) if profile.reflects else 0,
        cpu_s=figure.cpu_s * count if figure else None,
        wall_s=each_s * count if each_s else None,
    )


def invented(experiments: Iterable[Experiment]) -> int:
    """How many of them are no baselines."""
    return sum(experiment.proposal.author is not Author.BASELINE for experiment in experiments)


def _reached(limit_s: float, each_s: float) -> int:
    """Experiments taken up within a limit: the last one begins before it."""
    return max(0, -int(-limit_s // each_s)) if each_s > 0 else 0
