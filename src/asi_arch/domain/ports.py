"""What the engine asks of the rooms below it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from asi_arch.domain.agenda import Agenda
from asi_arch.domain.calibration import Calibration
from asi_arch.domain.campaign import Campaign, Event, EventKind
from asi_arch.domain.candidate import Adapter, Proposal
from asi_arch.domain.cognition import Passage
from asi_arch.domain.experiment import Analysis, Experiment, Judgement, Summary
from asi_arch.domain.novelty import Bands, Measure, Near
from asi_arch.domain.outcome import CheckReport, Outcome, Run, RunKey, StoppedEarly
from asi_arch.domain.profile import Split
from asi_arch.domain.verdict import Verdict

if TYPE_CHECKING:  # a name in signatures is no reason to load it
    import numpy as np
    from numpy.typing import NDArray

NO_TARGET = -1
"""Positions with this target are not scored."""


class Batch(NamedTuple):
    """B rows of T tokens. `groups` holds for every row the index of its group in `Task.groups`."""

    inputs: "NDArray[np.int32]"
    """[B, T]"""
    targets: "NDArray[np.int32]"
    """[B, T]; `NO_TARGET` where nothing is asked."""
    groups: "NDArray[np.int32]"
    """[B]"""


class Task(Protocol):
    """What a stage trains and measures on. Lives in the controller; workers see only the batches they are sent."""

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        ...

    @property
    def groups(self) -> Sequence[str]:
        """Names of the parts that are reported separately."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever any batch would change."""
        ...

    @property
    def description(self) -> str:
        """One line for people: what and how much."""
        ...

    def train_batch(self, seed: int, step: int) -> Batch:
        """The batch of this step; a pure function of its arguments, equal for all candidates."""
        ...

    def held_out(self, split: Split) -> Batch:
        """All rows of a held-out split, always the same."""
        ...

    def documents(self, split: Split) -> "NDArray[np.int32]":
        """[R]: the document of every held-out row. Rows of one document resemble each other."""
        ...


class Ruling(Enum):
    """What becomes of a training at a rung of the early stop."""

    GO_ON = "go on"
    STOP = "stop"
    LET_THROUGH = "let through"
    """It should be stopped, but is trained to the end to measure the rule."""


Ballot = Callable[[int, StoppedEarly | None], Awaitable[Ruling]]
"""Asked at each rung with the step and the stop that the losses call for, if any; what to do may be long in coming."""


class RunOrder(NamedTuple):
    """A training that the lab is asked for."""

    source: str
    key: RunKey
    mlp_width: int
    baseline: Run | None = None
    """The reference baseline's run at the same stage and seed, to watch against; None for the reference itself."""
    ballot: Ballot | None = None
    """Decides on early stops; None lets each of them stand."""
    adapter: Adapter = Adapter.MIXER
    baseline_losses: "NDArray[np.float32] | None" = None
    """[R, T] in nats: the reference's at the held-out positions, so that it is known where the candidate gains."""
    is_rechecked: bool = True
    """Whether the trained weights pass the checks again before the score counts."""
    then: RunKey | None = None
    """The training that follows if this one comes through: it may be made ready meanwhile."""
    keep_losses: "Callable[[NDArray[np.float32]], None] | None" = None
    """Given this run's own [R, T] when it was scored."""


class BlindScores(NamedTuple):
    """What a model's weights are worth at N held-out positions, none of whose futures the scorer could know."""

    documents: "NDArray[np.int32]"
    """[N]: the document of each position's row."""
    losses: "NDArray[np.float64]"
    """[N], in nats."""
    hits: "NDArray[np.bool_]"
    """[N]: whether the likeliest token is the right one."""


class NextToken(Protocol):
    """Chooses a token."""

    def __call__(self, logits: "NDArray[np.float64]", /) -> int | None:
        """From logits [V] to a token below V, or None to end the text here."""
        ...


class Progress(NamedTuple):
    """A sign of life of a training."""

    step: int
    steps: int
    loss_nats: float
    tokens_per_s: float
    step_s: float = 0.0
    """How long the step took, as claimed by the worker; without what comes between two steps."""


class Lab(Protocol):
    """Runs candidate code, always in another process."""

    @property
    def containment(self) -> str:
        """How candidate code is contained; stored with every result."""
        ...

    @property
    def cold_start_s(self) -> float:
        """Seconds that the warm parent's start took, paid once; 0 where there is none."""
        ...

    async def check(self, source: str, adapter: Adapter = Adapter.MIXER) -> CheckReport:
        """Execute the checks in a fresh child. Raises `LabError` only for our own failures."""
        ...

    async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
        """Train in a fresh child, score in others, check the weights again; the run and its weights (safetensors).

        The weights are empty unless the run was measured.
        """
        ...

    async def score_blind(self, order: RunOrder, weights: bytes) -> BlindScores | Outcome:
        """Score trained weights (safetensors) of the order's run in a fresh child, on its split, blind only.

        The positions follow from protocol, stage and split, so that all models are asked at the same ones. What the
        candidate does wrong is an outcome.
        """
        ...

    async def continue_text(self, order: RunOrder, weights: bytes, prompt: Sequence[int], choose: NextToken) -> Outcome:
        """Ask trained weights (safetensors) of the order's run for one token after another, in a fresh child.

        `choose` decides here, on the trusted side. The child sees the last `language.context` tokens. `Measured` in
        the end; what the candidate does wrong is another outcome.
        """
        ...

    async def close(self) -> None:
        """End the warm parent and everything below it."""
        ...


class Store(Protocol):
    """Durable memory of one campaign. Every method that writes has written (fsync) when it returns.

    Events are append-only; recording an experiment, a proposal or a run twice under one key is an error
    (`StoreError`) unless the content is equal, in which case it does nothing.
    """

    def campaign(self) -> Campaign | None:
        """The identity of this store; None for an empty one."""
        ...

    def create(self, campaign: Campaign) -> None:
        """Give an empty store its identity. Raises `StoreMismatch` when it has another one."""
        ...

    def append(
        self, kind: EventKind, experiment: int | None = None, payload: Mapping[str, object] | None = None
    ) -> Event:
        """Add an event."""
        ...

    def events(self, after: int = 0, *kinds: EventKind) -> list[Event]:
        """Events with a number above `after`, of these kinds where any are named, oldest first."""
        ...

    def last_event(self, *kinds: EventKind) -> Event | None:
        """The newest event, or the newest of these kinds; None where there is none."""
        ...

    def propose(self, index: int, proposal: Proposal) -> None:
        """Remember a proposal before any work is done on it."""
        ...

    def unfinished(self) -> dict[int, Proposal]:
        """Proposals that are not recorded yet, by index, as they were last mended or reviewed; needs no full scan."""
        ...

    def repair(self, index: int, proposal: Proposal) -> None:
        """Put a mended program in the place of a remembered one that is not recorded yet.

        Raises `StoreError` unless its last repair starts from the remembered program; the same repair again does
        nothing.
        """
        ...

    def review(self, index: int, proposal: Proposal) -> None:
        """Put a proposal with its review in the place of a remembered one that is not recorded yet.

        Raises `StoreError` unless it is the first review, of the remembered program; the same review again does
        nothing.
        """
        ...

    def proposals(self, before: int | None = None) -> dict[int, Proposal]:
        """All proposals with an index below `before`, by index, as they were last mended or reviewed."""
        ...

    def fingerprints(self) -> dict[str, int]:
        """Fingerprint of every proposal and its index."""
        ...

    def save_run(self, run: Run) -> None:
        """Remember a finished run, so that it is never done twice."""
        ...

    def run(self, key: RunKey) -> Run | None:
        """A remembered run."""
        ...

    def record(self, experiment: Experiment, fitness: float | None) -> None:
        """Make an experiment permanent: row, event and summary in one transaction."""
        ...

    def set_fitness(self, values: Mapping[int, float | None]) -> None:
        """Fill in fitness that could not be computed before all baselines were measured."""
        ...

    def experiment(self, index: int) -> Experiment | None:
        """One finished experiment."""
        ...

    def experiments(self) -> Iterable[Experiment]:
        """All finished experiments by index, read lazily."""
        ...

    def summaries(self, before: int | None = None) -> list[Summary]:
        """Summaries of finished experiments with an index below `before`, by index."""
        ...

    def summary(self, index: int) -> Summary | None:
        """Of one finished experiment."""
        ...

    def pool(self, size: int, before: int) -> list[Summary]:
        """The `size` fittest with an index below `before`, best first, ties to the older; needs no full scan."""
        ...

    def save_verdict(self, verdict: Verdict) -> None:
        """Remember what `verify` found."""
        ...

    def verdicts(self) -> list[Verdict]:
        """All verdicts, oldest first."""
        ...

    def put_blob(self, content: bytes) -> str:
        """Store bytes by content; returns their SHA-256."""
        ...

    def blob(self, sha: str) -> bytes:
        """Stored bytes. Raises `StoreError` when missing or damaged."""
        ...

    def close(self) -> None:
        """Let go of the files and the lock."""
        ...


class Calibrations(Protocol):
    """What the A/A campaigns of this class of machines found, kept beyond any one campaign."""

    @property
    def machine(self) -> str:
        """The class of machines, in words."""
        ...

    def known(self, protocol: str) -> Calibration | None:
        """The latest under this protocol; None where there is none that can be read."""
        ...

    def keep(self, calibration: Calibration) -> None:
        """Remember it in place of an earlier one, where that is possible."""
        ...


class Known(NamedTuple):
    """What has been found out about the proposals of a brief, as far as it is finished."""

    baseline: Experiment | None = None
    """The reference baseline."""
    parent: Experiment | None = None
    references: Sequence[Experiment] = ()
    failures: Sequence[Experiment] = ()
    """Inventions that came to nothing or had to be mended, those most like the parent first."""
    noise_nats: float | None = None
    """Standard deviation of the language loss between seeds; None before two seeds."""
    passages: Sequence[Passage] = ()
    """What the literature says to the parent's findings, best first."""
    experience: Sequence[str] = ()
    """What each of the references taught, in a sentence or two, in their order; empty where nobody condenses it."""


class Brief(NamedTuple):
    """What a researcher is given: code to modify, examples, and what must not be repeated."""

    parent: Proposal | None
    """The code to modify; None asks for a design from nothing (the random arm)."""
    references: Sequence[Proposal]
    """Examples; their ideas may be crossed in."""
    parent_index: int | None
    reference_indices: tuple[int, ...]
    taken: Mapping[str, int]
    """Fingerprints of all programs so far, with the index of their experiment."""
    known: Callable[[], Known] = Known
    """Read when it is asked for: a researcher without a model does not need it."""
    experiment: int = 0
    """Index of the one that is proposed."""
    earlier: Mapping[int, Proposal] = MappingProxyType({})
    """All proposals with a lower index."""
    direction: str = ""
    """From which other discipline the idea should come, in a sentence; empty where that is free."""
    avoid: Sequence[str] = ()
    """Motivations that an idea for this brief has repeated."""
    cycle: int = 0
    """Experiments below this are what it may look at: the number changes when the pool is refreshed."""
    agenda: Agenda | None = None
    """What the campaign has learnt about itself; None where it does not reflect."""


class Researcher(Protocol):
    """Has ideas and writes their code."""

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        """A proposal whose fingerprint is not in `brief.taken`.

        Without a language model a pure function of its arguments. Raises `MindError` where one gave nothing usable.
        """
        ...


class Motivations(Protocol):
    """Finds which earlier motivations are most like a new one. Adding and asking depend on the texts alone."""

    @property
    def measure(self) -> Measure:
        """By what they are alike."""
        ...

    @property
    def bands(self) -> Bands:
        """What similarities of this measure say by themselves."""
        ...

    def add(self, number: int, text: str) -> None:
        """Remember an experiment's motivation. A number that is known, or a text without a word, changes nothing."""
        ...

    def nearest(self, text: str, count: int, before: int) -> list[Near]:
        """Up to `count` remembered ones with a number below `before`, most alike first, equal ones by number."""
        ...


class Debugger(Protocol):
    """Mends programs that failed."""

    async def repair(self, index: int, proposal: Proposal, outcome: Outcome) -> Proposal:
        """The mended program, with one repair more in its record. Raises `MindError` where none was found."""
        ...


class Judge(Protocol):
    """Marks the design, never the truth of its numbers. Never fails for what a language model does."""

    async def judge(self, proposal: Proposal, checks: CheckReport, context: "Evidence") -> Judgement:
        """Marks between 0 and 1."""
        ...


class Evidence(NamedTuple):
    """What judge and analyst compare a finished experiment with."""

    reference: Experiment | None
    """The reference baseline."""
    parent: Experiment | None
    siblings: Sequence[Experiment]
    others: Sequence[Proposal]
    """All proposals with a lower index."""
    noise_nats: float | None
    """Standard deviation of the language loss between seeds, pooled over what was measured; None before two seeds."""
    experiment: int | None = None
    """Index of the one that is judged and explained; None outside a campaign."""
    grandparent: Experiment | None = None


class Analyst(Protocol):
    """Explains a finished experiment. Never fails for what a language model does."""

    async def analyse(self, experiment: Experiment, context: Evidence) -> Analysis:
        """Sentences derived from the numbers; a model that is asked for some of them is given no others."""
        ...
