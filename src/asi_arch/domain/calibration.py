"""What the reference baseline under other names shows: the noise, and how often chance is promoted."""

from asi_arch.domain.record import Record
from asi_arch.domain.verdict import Comparison, Interval


class SeedNoise(Record):
    """Standard deviation of one quantity between seeds of the reference baseline, with its degrees of freedom."""

    quantity: str
    std: float
    degrees: int


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
