"""What became of a candidate: findings of its checks, its training runs, and one typed outcome.

Outcome = Measured | Rejected | Crashed | Diverged | TimedOut | StoppedEarly | Suspicious | Leaking
"""

from enum import Enum
from typing import Annotated, Literal

from pydantic import Field

from asi_arch.domain.profile import Split, StageName
from asi_arch.domain.record import Record


class Severity(str, Enum):
    """An error rejects the candidate, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Record):
    """One thing a check found, with what the author needs to mend it."""

    check: str
    severity: Severity
    message: str
    """One sentence: what was seen and how to mend it."""
    measured: float | None = None
    limit: float | None = None
    position: int | None = None
    """The first time step or source line at which it failed."""
    sizes: dict[str, int] = Field(default_factory=dict)


class Footprint(Record):
    """What a mixer costs, counted and not timed, so that it is the same on every machine.

    Counted on one layer, forward and backward, at the profile's training length and a batch of one.
    """

    parameters: int
    """Of one mixer."""
    model_parameters: int
    """Of the whole model of the language stage after its MLP was adapted."""
    mlp_width: int
    aten_calls: int
    flops: int
    elements: int
    """Numbers written by all operations."""
    growth: float
    """Exponent e of work ~ length**e between the two longest lengths."""
    memory_growth: float
    """The same for the largest tensor."""
    code_lines: int


class Speed(Record):
    """Forward and backward of one layer on one core, by its own process's clock: to read, not to claim by."""

    length: int
    """Tokens of a row."""
    batch: int
    """Rows."""
    tokens_per_s: float
    """Per second of CPU time."""


class CheckReport(Record):
    """All findings about one source. It passed when no finding is an error."""

    sha: str
    findings: tuple[Finding, ...] = ()
    passed_checks: tuple[str, ...] = ()
    footprint: Footprint | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    """From the first check to the last one's end, in the process that ran them."""
    speeds: tuple[Speed, ...] = ()
    """By length, ascending. Empty in old records, for what did not pass, and on trained weights."""

    @property
    def is_passed(self) -> bool:
        """Whether the candidate may be trained."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


class GroupScore(Record):
    """Held-out result of one part of a stage: one synthetic task, or all of the text."""

    loss_nats: float
    accuracy: float
    targets: int


class BlindCheck(Record):
    """The score was confirmed where a fresh scorer could not know what comes next."""

    positions: int
    largest_difference_nats: float
    """Between the loss of the parallel score and the blind one, at any position."""
    leak_bound: float
    """Share of positions that may leak all the same, at 95% confidence, by the positions that were drawn at random."""


class StageScore(Record):
    """Held-out result of one run, computed on the trusted side in float64."""

    split: Split
    loss_nats: float
    accuracy: float
    """Mean over the groups."""
    groups: dict[str, GroupScore]
    rows: tuple[float, ...]
    """Mean loss of every held-out row, in order; equal rows for every model of a protocol."""
    blind: BlindCheck | None = None
    """None in records of before there was one."""


class RunKey(Record):
    """One training: who, under which protocol, on what, with which seed, scored on which split."""

    sha: str
    protocol: str
    stage: StageName
    seed: int
    split: Split = Split.VALIDATION


class Measured(Record):
    """Trained to the end and scored."""

    kind: Literal["measured"] = "measured"


class Rejected(Record):
    """Failed a check: before any training, or with the weights that a stage's training left."""

    kind: Literal["rejected"] = "rejected"
    check: str
    reason: str
    stage: StageName | None = None
    """The stage in or after whose training it failed; None before any."""


class Crashed(Record):
    """The candidate's code raised, or its process died."""

    kind: Literal["crashed"] = "crashed"
    stage: StageName | None = None
    reason: str
    log: str = ""


class Diverged(Record):
    """The loss was no longer finite."""

    kind: Literal["diverged"] = "diverged"
    stage: StageName
    step: int


class TimedOut(Record):
    """Took `used_s` of CPU time (or of wall time without a sign of life), more than `limit_s`."""

    kind: Literal["timed_out"] = "timed_out"
    stage: StageName
    step: int
    used_s: float
    limit_s: float


class StoppedEarly(Record):
    """Worse than the baseline at the same seed and step by more than the rung's margin."""

    kind: Literal["stopped_early"] = "stopped_early"
    stage: StageName
    step: int
    loss_nats: float
    baseline_loss_nats: float
    margin: float


class Suspicious(Record):
    """A training loss so far under the baseline that the candidate probably reads its targets."""

    kind: Literal["suspicious"] = "suspicious"
    stage: StageName
    step: int
    loss_nats: float
    baseline_loss_nats: float


class Leaking(Record):
    """The loss at a position is another when the tokens after it are others: the candidate reads ahead."""

    kind: Literal["leaking"] = "leaking"
    stage: StageName
    row: int
    """Of the held-out rows."""
    position: int
    loss_nats: float
    blind_loss_nats: float
    limit_nats: float
    """Largest difference that rounding explains."""
    positions: int
    """How many were asked about."""


Outcome = Annotated[
    Measured | Rejected | Crashed | Diverged | TimedOut | StoppedEarly | Suspicious | Leaking,
    Field(discriminator="kind"),
]


class Run(Record):
    """One finished training, whatever its end. Immutable; found again by its key."""

    key: RunKey
    outcome: Outcome
    losses: tuple[float, ...]
    """Training loss in nats of every step, as claimed by the worker."""
    score: StageScore | None = None
    would_stop: StoppedEarly | None = None
    """The early stop that this run was let through, to audit the rule."""
    auxiliary: float = 0.0
    """Largest absolute auxiliary loss that the mixer asked for."""
    findings: tuple[Finding, ...] = ()
    """Of the checks that were run again on the trained weights."""
    steps: int
    tokens: int
    """Counted by the controller."""
    parameters: int = 0
    mlp_width: int = 0
    cpu_s: float = 0.0
    """Of the training child."""
    score_cpu_s: float = 0.0
    """Of the scoring child."""
    check_cpu_s: float = 0.0
    """Of the child that checked the trained weights."""
    check_wall_s: float = 0.0
    """From the first of those checks to the last one's end."""
    wall_s: float = 0.0
    peak_mib: float = 0.0
    weights: str = ""
    """Blob hash of the trained weights (safetensors); empty where none were kept."""
    containment: str = ""
    """How the candidate's processes were contained; empty in records of before it was kept."""
    held_out_losses: str = ""
    """Blob hash of the loss at every held-out position; kept of the reference only, which others are compared with."""
