"""What the engine asks of a reflector, and what it shows one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from asi_arch.domain.agenda import Agenda
from asi_arch.domain.experiment import Experiment


class Result(NamedTuple):
    """What an experiment came to, as the search values it."""

    gain: float
    """Mean of the fitness's two measured terms, for loss and recall, between 0 and 1; the judge is left out."""
    loss_nats: float
    recall: float
    gain_error: float | None = None
    """Standard error of the gain from the experiment's own seeds; None for one seed."""
    is_guessed: bool = False
    """Stopped early: its distance to the reference is taken for its final one, and its parent's recall for its own."""


class Hindsight(NamedTuple):
    """What a reflector may look at: everything below a snapshot, and nothing else."""

    snapshot: int
    batch: int
    """Experiments between two snapshots."""
    experiments: Sequence[Experiment]
    """By index."""
    results: Mapping[int, Result]
    """By index; of those that were measured or stopped early."""
    noise_nats: float | None
    """As in `Known`."""


class Reflector(Protocol):
    """Looks at the campaign itself. Never fails for what a language model does."""

    async def reflect(self, seen: Hindsight) -> Agenda:
        """The agenda from `seen.snapshot` on. Without a language model a pure function of its argument."""
        ...
