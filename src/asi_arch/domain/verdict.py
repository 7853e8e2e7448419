"""A comparison with its uncertainty, and what may be claimed."""

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
    degrees: float | None = None
    """Degrees of freedom of the t-test; more than seeds - 1 where the variance was moderated. None in old records."""


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
    fresh_seeds: int = 0
    q_value: float | None = None
    """Of the language loss against the reference, over all entrants; None where the reference was not compared with."""
    entrants: int = 0
    """How many tests of this campaign had entered the correction, this one included."""
    e_value: float | None = None
    """Evidence of the same differences that may be looked at after every seed; see `asi_arch.stats.evidence`."""
    containment: str = ""
    """How the trainings were contained; empty in records of before it was kept."""
    is_promoted: bool = False
    reason: str = ""
    """Why it is not promoted; empty where it is, and in records of before promotion."""
