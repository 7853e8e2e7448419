"""What fitness is relative to, and why an experiment has none."""

from collections.abc import Mapping
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.experiment import Summary
from asi_arch.report.words import OUTCOMES, number
from asi_arch.search.fitness import Fitness, FitnessParts, Standing
from asi_arch.search.sampling import Schedule

NOT_IMPORTED = "not in the imported data"
"""Said wherever an imported campaign lacks what its own would have."""


class Yardstick(NamedTuple):
    """The campaign's fitness with the names of the baselines that it needs."""

    formula: Fitness | None
    """None until both baselines are measured."""
    reference: str
    floor: str
    floor_recall: float | None
    """Multi-query recall below which there is a veto."""
    band: float
    is_imported: bool = False
    """Whether what ranks is a score that others published; nothing is relative to anything then."""

    def parts(self, summary: Summary) -> FitnessParts | None:
        """The terms of a fitness; None as long as there is nothing to be relative to."""
        return self.formula.parts(summary) if self.formula else None

    def why_none(self, summary: Summary) -> str:
        """Why there is no fitness: one word or two, a colon and the reason. Empty where there is one."""
        if summary.fitness is not None:
            return ""
        if summary.outcome != "measured":
            return f"not measured: {OUTCOMES[summary.outcome]}"
        if self.is_imported:
            return "no score: none was published"
        parts = self.parts(summary)
        if parts is None:
            return f"waiting: {self.reference} and {self.floor} must be measured first"
        if parts.standing is Standing.VETOED:
            floor = f"{number(self.floor_recall)}, {self.floor}'s less the noise"
            return f"vetoed: its multi-query recall of {number(summary.mqar_accuracy)} is below {floor}"
        if parts.standing is Standing.LEAK:
            return f"suspect: a language loss more than {self.band:.0%} below the best baseline's looks like a leak"
        if parts.standing is Standing.UNMEASURED:
            return "not measured: a number is missing or not finite"
        return "waiting: the campaign has not entered it yet"


def yardstick(campaign: Campaign, summaries: Mapping[int, Summary]) -> Yardstick:
    """Of a campaign, as far as its baselines are measured; `summaries` by index."""
    search, spec = campaign.profile.search, campaign.profile.fitness
    if campaign.origin is not None:
        return Yardstick(None, reference="", floor="", floor_recall=None, band=spec.band, is_imported=True)
    placed = {name: i for i, name in Schedule(search).baselines_below(2 * len(search.baselines)).items()}
    reference = summaries.get(placed[search.baselines[0]])
    floor = summaries.get(placed[search.recall_floor])
    is_ready = reference is not None and floor is not None and reference.is_measured and floor.is_measured
    names = shown_names(campaign, summaries)
    others = [summaries[index] for index in placed.values() if index in summaries]
    return Yardstick(
        formula=Fitness(spec, reference, floor, others) if is_ready and reference is not None else None,
        reference=names[search.baselines[0]],
        floor=names[search.recall_floor],
        floor_recall=None if floor is None or floor.mqar_accuracy is None else floor.mqar_accuracy - spec.veto_margin,
        band=spec.band,
    )


def shown_names(campaign: Campaign, summaries: Mapping[int, Summary]) -> dict[str, str]:
    """The baselines' names in tables and verdicts ('Gated DeltaNet') by the profile's ('gated_delta_net').

    In the profile's order; a baseline whose turn has not come is called as in the profile. An imported campaign has
    none that are known as such.
    """
    search = campaign.profile.search
    if campaign.origin is not None:
        return {}
    placed = Schedule(search).baselines_below(2 * len(search.baselines))
    return {key: summaries[index].name if index in summaries else key for index, key in placed.items()}
