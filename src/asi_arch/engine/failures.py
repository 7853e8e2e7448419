"""What went wrong in a campaign and how it was mended: found again when a parent resembles it."""

from collections.abc import Callable, Sequence

from asi_arch.agents.endings import ending
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.cognition import Likeness
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Measured

SHOWN = 3
"""To one researcher, at most."""


class Failures:
    """The memory of failures and their repairs. Each is read once from the store and remembered as a text."""

    def __init__(self, load: Callable[[int], Experiment | None], likeness: Likeness | None) -> None:
        self._load = load
        self._likeness = likeness
        self._texts: dict[int, str] = {}

    def nearest(self, parent: Proposal | None, failed: Sequence[int]) -> list[Experiment]:
        """Of the experiments `failed`, oldest first, those most like `parent`; then the latest, to fill up.

        Where nothing compares, or there is no parent, the latest alone.
        """
        latest = list(reversed(failed))
        alike: list[int] = []
        if self._likeness is not None and parent is not None and latest:
            texts = [self._text(index) for index in latest]
            alike = [latest[place] for place in self._likeness.nearest(_about(parent), texts, SHOWN)]
        chosen = [*alike, *(index for index in latest if index not in alike)][:SHOWN]
        return [found for index in chosen if (found := self._load(index)) is not None]

    def _text(self, index: int) -> str:
        if index not in self._texts:
            found = self._load(index)
            self._texts[index] = "" if found is None else _in_words(found)
        return self._texts[index]


def _about(parent: Proposal) -> str:
    return f"{parent.motivation} {_named(parent)}"


def _in_words(experiment: Experiment) -> str:
    """What was changed and made of, how it ended, what its repairs were."""
    proposal, outcome = experiment.proposal, experiment.outcome
    end = "" if isinstance(outcome, Measured) else ending(outcome)
    repairs = " ".join(f"{repair.failure} {repair.cause}" for repair in proposal.repairs)
    return " ".join(f"{proposal.change} {_named(proposal)} {end} {repairs}".split())


def _named(proposal: Proposal) -> str:
    return " ".join(proposal.mechanisms).replace("_", " ")
