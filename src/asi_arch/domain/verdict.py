"""A comparison with its uncertainty."""

from asi_arch.domain.record import Record


class Interval(Record):
    """An estimate with its confidence interval."""

    estimate: float
    low: float
    high: float
    confidence: float = 0.95


class Comparison(Record):
    """Candidate minus baseline over paired seeds; for a loss, negative is better."""

    baseline: str
    quantity: str
    seeds: tuple[int, ...]
    difference: Interval
    p_value: float
    """Two-sided."""
    candidate_mean: float
    baseline_mean: float
    differences: tuple[float, ...]
    """One per seed, in the order of `seeds`."""


class Verdict(Record):
    """What `verify` found: fresh seeds, the vault, one comparison per baseline and quantity."""

    sha: str
    index: int | None
    protocol: str
    comparisons: tuple[Comparison, ...]
    statement: str
    """In words, with the interval."""
    vault_looks: int
    """How often the vault had been opened in this campaign, this look included."""
    at: float
