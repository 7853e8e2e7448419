"""A profile changes the numbers: model, stages, checks, search. Its hash is stored with every result.

`Profile.protocol_hash` covers only what moves a measurement, so that results can be shared between policies;
`Profile.profile_hash` covers everything and names the campaign.
"""

from enum import Enum
from typing import Annotated, Literal, cast

from pydantic import Field, model_validator
from typing_extensions import Self

from asi_arch.domain.record import Record, canonical_hash

PROTOCOL_VERSION = 1
"""Raised whenever a change of trainer, model or ops moves a number: results of before are not mixed with later ones."""

Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class StageName(str, Enum):
    """The two things every candidate is trained on."""

    LANGUAGE = "language"
    RECALL = "recall"


class Split(str, Enum):
    """Which held-out part is looked at: by the search, with fresh seeds, or by `verify` alone and at last."""

    VALIDATION = "validation"
    FRESH = "fresh"
    VAULT = "vault"


class ModelSpec(Record):
    """The model around a mixer. `depth` is the dial: width = 32 x depth and heads = depth unless they are named."""

    depth: Positive
    width: int = 0
    heads: int = 0
    mlp_width: int = 0

    @model_validator(mode="before")
    @classmethod
    def _follow_the_dial(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        given = cast("dict[str, object]", data)
        depth = given.get("depth")
        if not isinstance(depth, int):
            return given
        width = given.get("width") or 32 * depth
        followers = {"width": width, "heads": given.get("heads") or depth}
        mlp_width = given.get("mlp_width") or (2 * width if isinstance(width, int) else 0)
        return {**given, **followers, "mlp_width": mlp_width}

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, got width={self.width} and heads={self.heads}")
        return self


class OptimizerSpec(Record):
    """AdamW with warm-up, a constant part, and a linear fall to zero over the last `decay_fraction` of the steps."""

    peak_lr: Annotated[float, Field(gt=0)] = 6e-3
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip_norm: float = 1.0
    warmup_steps: Annotated[int, Field(ge=0)] = 40
    decay_fraction: Fraction = 0.2


class LanguageStage(Record):
    """Next-token prediction. `data` is 'stdlib' or a path to a text file or folder; `vocabulary` 'bytes' or 'bpe:N'."""

    data: str = "stdlib"
    vocabulary: str = "bytes"
    context: Positive = 256
    batch: Positive = 8
    steps: Positive = 500
    held_out_windows: Positive = 256
    optimizer: OptimizerSpec = OptimizerSpec()


class RecallStage(Record):
    """One model on a mixture of synthetic tasks; `tasks` maps the task's name to its share of the sequences."""

    tasks: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=1)
    length: Positive = 64
    vocabulary: Positive = 64
    batch: Positive = 32
    steps: Positive = 800
    held_out_per_task: Positive = 256
    optimizer: OptimizerSpec = OptimizerSpec()


class Rung(Record):
    """At `fraction` of the run, the run is stopped when it is worse than the baseline by more than `margin` nats."""

    fraction: Fraction
    margin: float


class WatchSpec(Record):
    """When a running training is ended. Losses are means over the last `window` steps, at the baseline's seed and step.

    `audit_fraction` of the early stops is let through, to keep measuring how often the rule kills wrongly.
    `too_good` holds (fraction of the run, relative gain): from there on a loss lower by more than that is suspicious.
    """

    window: Positive = 50
    rungs: tuple[Rung, ...] = ()
    audit_fraction: Fraction = 0.2
    too_good: tuple[Rung, ...] = ()
    cpu_time_ratio: Annotated[float, Field(gt=1)] = 3.0
    stall_s: Annotated[float, Field(gt=0)] = 60.0


class CheckSpec(Record):
    """What a candidate must pass before it is trained."""

    lengths: tuple[int, ...] = (31, 32, 33, 65)
    batch_sizes: tuple[int, ...] = (1, 2, 3)
    growth_lengths: tuple[int, int, int, int] = (64, 128, 256, 512)
    growth_exponent: float = 1.5
    parameter_tolerance: float = 0.02
    deadline_s: float = 60.0
    memory_mib: int = 4096


class BlindSpec(Record):
    """How many positions are scored a second time by a scorer that can't see what follows; see `lab.blind`."""

    positions: Positive = 32
    fresh_positions: Positive = 256
    """The same where a claim is prepared: trainings with fresh seeds."""
    vault_positions: Positive = 2048
    """Of the vault, which is scored at these positions only and by nobody but a blind scorer."""
    prefixes: Annotated[int, Field(ge=0)] = 4
    """Of these, so many are asked for with nothing after them at all, which is slower."""
    tolerance_nats: Annotated[float, Field(gt=0)] = 1e-3
    """What rounding may change."""


class Policy(str, Enum):
    """How a parent is chosen: from the pool's best ranks, always the very best, or none at all (the control)."""

    EVOLUTION = "evolution"
    GREEDY = "greedy"
    RANDOM = "random"


class SearchSpec(Record):
    """Pool policy. Ranks are 1-based and inclusive.

    The first `cold_start` experiments take their parents from the baselines; afterwards the pool is refreshed
    after every `update_every` results, so that all searchers work with a stable reference set.
    """

    policy: Policy = Policy.EVOLUTION
    pool_size: Positive = 50
    parent_ranks: tuple[Positive, Positive] = (1, 10)
    reference_ranks: tuple[Positive, Positive] = (11, 50)
    references: Annotated[int, Field(ge=0)] = 4
    cold_start: Positive = 200
    update_every: Positive = 50
    baselines: tuple[str, ...] = Field(min_length=1)
    """The first one is the reference that candidates are compared with while they train."""
    recall_floor: str = "linear_attention"
    """The baseline below whose multi-query recall a candidate's fitness is vetoed."""

    @model_validator(mode="after")
    def _baselines_come_before_the_pool(self) -> Self:
        if self.recall_floor not in self.baselines:
            known = list(self.baselines)
            raise ValueError(f"recall_floor must be one of the baselines {known}, got {self.recall_floor!r}")
        if len(set(self.baselines)) != len(self.baselines):
            raise ValueError(f"baselines must be distinct, got {list(self.baselines)}")
        if self.cold_start < 2 * len(self.baselines):
            raise ValueError(
                f"cold_start must be at least twice the number of baselines ({2 * len(self.baselines)}), because they"
                f" take turns with inventions before the pool opens; got {self.cold_start}"
            )
        for name, (low, high) in (("parent_ranks", self.parent_ranks), ("reference_ranks", self.reference_ranks)):
            if low > high:
                raise ValueError(f"{name} must be (first, last) with first <= last, got {(low, high)}")
        return self


class FitnessSpec(Record):
    """`recall_veto` (default) or the `paper`'s formula; `scale` and `band` are the sigmoid's, as released."""

    formula: Literal["recall_veto", "paper"] = "recall_veto"
    scale: float = 6.0
    band: float = 0.10
    veto_margin: Annotated[float, Field(ge=0)] = 0.05
    """How far below the floor's multi-query recall the veto begins: two seeds of one model differ by about that."""


class AgentsSpec(Record):
    """Who takes part beside the one that has the ideas. They choose what is tried and move no measurement."""

    judge: bool = True
    """Whether a mind marks designs, where one may; else the marks are counted."""
    novelty: bool = True
    """Whether a mind's idea that repeats an earlier one is sent back before it is trained."""
    analysis: bool = True
    """Whether experiments are explained, and what references taught is condensed, by a mind."""
    reflection: bool = False
    """Whether every batch writes a research agenda that the researchers receive."""
    checking: bool = True
    """Whether free code of a mind is read against its promise before it is trained, where one may read it."""
    cognition: bool = True
    """Whether the literature is searched for a parent's findings."""
    references: bool = True
    """Whether whoever has the ideas is shown other programs beside the parent, or crosses them in."""

    @property
    def hashed(self) -> dict[str, bool]:
        """What names a campaign: a switch that came after the first four counts where it is turned."""
        later = type(self).model_fields.keys() - _FIRST_SWITCHES
        return self.model_dump(exclude={name for name in later if getattr(self, name) == getattr(_USUAL, name)})


_FIRST_SWITCHES = frozenset({"judge", "novelty", "analysis", "reflection"})
_USUAL = AgentsSpec()


class Profile(Record):
    """Everything that changes the numbers of a campaign."""

    name: str
    description: str = ""
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"
    seeds: tuple[int, ...] = (0, 1)
    model: ModelSpec
    language: LanguageStage
    recall: RecallStage
    watch: WatchSpec = WatchSpec()
    checks: CheckSpec = CheckSpec()
    blind: BlindSpec = BlindSpec()
    search: SearchSpec
    fitness: FitnessSpec = FitnessSpec()
    agents: AgentsSpec = AgentsSpec()

    @model_validator(mode="after")
    def _seeds_are_distinct(self) -> Self:
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds must be distinct and at least one, got {self.seeds}")
        return self

    @property
    def reflects(self) -> bool:
        """Whether the campaign looks at itself; the random arm is a control and never does."""
        return self.agents.reflection and self.search.policy is not Policy.RANDOM

    @property
    def profile_hash(self) -> str:
        """Names the whole profile; without agents that are as they were before there was a choice."""
        parts = self.model_dump(mode="json", exclude={"agents"})
        if self.agents != _USUAL:
            parts["agents"] = self.agents.hashed
        return canonical_hash(parts)

    def protocol_hash(self, data_fingerprint: str) -> str:
        """Names what moves a measurement: model, stages, device and the data itself (not search, seeds or fitness)."""
        parts = self.model_dump(mode="json", include={"device", "precision", "model", "language", "recall"})
        return canonical_hash({**parts, "data": data_fingerprint, "version": PROTOCOL_VERSION})
