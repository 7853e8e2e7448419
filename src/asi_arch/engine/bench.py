"""What an experiment needs, gathered once."""

from collections.abc import Callable
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.cognition import Cognition, Likeness
from asi_arch.domain.ports import Analyst, Calibrations, Debugger, Judge, Lab, Researcher, Store
from asi_arch.domain.reflection import Reflector
from asi_arch.domain.revisions import Reviewers
from asi_arch.engine.notices import Listener


class Clock(NamedTuple):
    """Time is passed in: `now` is Unix time for records, `tick` a monotonic clock for durations. Both in seconds."""

    now: Callable[[], float]
    tick: Callable[[], float]


class Bench(NamedTuple):
    """The campaign's identity and its tools. Workers share one bench."""

    campaign: Campaign
    store: Store
    lab: Lab
    researcher: Researcher
    judge: Judge
    analyst: Analyst
    baseline: Callable[[str], Proposal]
    """The proposal of a baseline by its name."""
    clock: Clock
    listen: Listener
    debugger: Debugger | None = None
    """None where failures are final."""
    cognition: Cognition | None = None
    """The literature; None where no researcher reads it."""
    ahead: int = 0
    """How many ideas are asked for before there is room for them, so that no core waits for a mind."""
    calibrations: Calibrations | None = None
    """None where nothing is remembered beyond the campaign."""
    likeness: Likeness | None = None
    """Finds the failures that a researcher should know; None where it is told the latest."""
    reviewers: Reviewers | None = None
    """None where nobody reads programs before they are trained."""
    reflector: Reflector | None = None
    """None where the campaign does not look at itself."""

    @property
    def reference(self) -> Proposal:
        """The baseline that candidates are compared with."""
        return self.baseline(self.campaign.profile.search.baselines[0])
