"""What the baselines show with many seeds: their noise, and how often the gates would promote chance."""

from collections.abc import Iterable

from asi_arch.domain.record import Record
from asi_arch.domain.verdict import Comparison, Interval, SeedSpread


class SeedNoise(Record):
    """Standard deviation of one quantity between seeds of the reference baseline, with its degrees of freedom."""

    quantity: str
    std: float
    degrees: int


class SeedValues(Record):
    """One baseline's numbers with the calibration's seeds, in pairs with those of every other baseline."""

    sha: str
    """Of its source: another version of it is another baseline."""
    seeds: tuple[int, ...]
    """Begin with the first seed that `verify` takes and leave none out."""
    values: dict[str, tuple[float, ...]]
    """By quantity, in the order of `seeds`."""
    spreads: tuple[SeedSpread, ...]
    """The same, summed up."""


class Calibration(Record):
    """An A/A campaign: `trials` pairs of trainings of one program, none of which can be better."""

    protocol: str
    baseline: str
    trials: int
    seeds: int
    """Of each trial and side."""
    noise: tuple[SeedNoise, ...]
    promoted: int
    """Trials that the gates would have promoted."""
    rate: Interval
    """Share of promoted trials."""
    comparisons: tuple[Comparison, ...]
    """Language loss of every trial, first side minus second."""
    at: float
    machine: str = ""
    """Class of machines that it holds for: processor, torch version, GPU. Empty in old records."""
    baselines: tuple[SeedValues, ...] = ()
    """The reference and all other baselines that were measured with the same seeds. Empty in old records."""

    def seed_values(self, sha: str) -> SeedValues | None:
        """Of the baseline with this source; None where it was not measured."""
        return next((item for item in self.baselines if item.sha == sha), None)

    def joined(self, others: Iterable[SeedValues]) -> "Calibration":
        """With what is known of more baselines; of two measurements of one source, that with more seeds, else ours."""
        found = {item.sha: item for item in self.baselines}
        for other in others:
            if other.sha not in found or len(other.seeds) > len(found[other.sha].seeds):
                found[other.sha] = other
        return self.model_copy(update={"baselines": tuple(found.values())})

    def differences(self, sha: str, baseline: str, quantity: str) -> tuple[float, ...]:
        """One baseline minus another one, seed by seed; empty where one of them was not measured."""
        own, other = self.seed_values(sha), self.seed_values(baseline)
        if own is None or other is None:
            return ()
        pairs = zip(own.values.get(quantity, ()), other.values.get(quantity, ()), strict=False)
        return tuple(a - b for a, b in pairs)
