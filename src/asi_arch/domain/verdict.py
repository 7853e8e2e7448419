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


class BlindComparison(Record):
    """Candidate minus reference at the same positions of the vault, scored blind, in the mean over the fresh seeds."""

    baseline: str
    quantity: str
    difference: Interval
    """From the choice of documents; the noise between trainings is not in it."""
    positions: int
    documents: int


class VaultLook(Record):
    """The vault, opened for one candidate: a comparison with the reference for every quantity."""

    seeds: tuple[int, ...]
    comparisons: tuple[BlindComparison, ...]


class SeedSpread(Record):
    """What one quantity of a baseline came to over a calibration's seeds."""

    baseline: str
    quantity: str
    mean: float
    std: float
    """Standard deviation between seeds."""
    seeds: int
    """How many."""


class CalibrationUse(Record):
    """The A/A calibration that a verdict rests on."""

    at: float
    machine: str
    """Class of machines; empty where it was not kept."""
    is_cached: bool
    """Made in another campaign under the same protocol on the same class of machines."""
    noise_nats: float
    """Standard deviation of the language loss between seeds of the reference."""
    degrees: int
    spreads: tuple[SeedSpread, ...] = ()
    """Of the baselines that the verdict compares with, as far as they were calibrated."""


class Verdict(Record):
    """What `verify` found: a comparison per baseline and quantity with fresh seeds, then perhaps the vault."""

    sha: str
    index: int | None
    protocol: str
    comparisons: tuple[Comparison, ...]
    statement: str
    """In words, with the interval."""
    vault_looks: int
    """How often the vault had been opened in this campaign, this verification included."""
    at: float
    fresh_seeds: int = 0
    q_value: float | None = None
    """Of the language loss against the reference, over all entrants; None where the reference was not compared with."""
    entrants: int = 0
    """How many tests of this campaign had entered the correction, this one included."""
    e_value: float | None = None
    """Evidence of the same differences that may be looked at after every seed; see `asi_arch.stats.evidence`."""
    anytime_p: float | None = None
    """A p-value of the same differences that is valid whenever one looks; see `asi_arch.stats.evidence`."""
    vault: VaultLook | None = None
    """None where the fresh seeds refused it already, and in records of before the vault had a gate of its own."""
    calibration: CalibrationUse | None = None
    containment: str = ""
    """How the trainings were contained; empty in records of before it was kept."""
    is_promoted: bool = False
    reason: str = ""
    """Why it is not promoted; empty where it is, and in records of before promotion."""
