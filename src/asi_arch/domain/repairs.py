"""What makes a program the repair of another one, for every store alike."""

from asi_arch.domain.candidate import Proposal, Repair, fingerprint
from asi_arch.domain.errors import StoreError


def mended(proposal: Proposal, source: str, *, failure: str, cause: str) -> Proposal:
    """The proposal with `source` as its program, and the program that failed in its record."""
    repair = Repair(failure=failure, cause=cause, before=proposal.source)
    changes = {"source": source, "fingerprint": fingerprint(source), "repairs": (*proposal.repairs, repair)}
    return proposal.model_copy(update={**changes, "design": ""})


def require_repair(index: int, known: Proposal | None, proposal: Proposal, *, is_recorded: bool) -> None:
    """Raises `StoreError` unless `proposal` is `known` with one repair more, of an experiment that is not finished."""
    if known is None:
        raise StoreError(f"the store has no proposal {index} that could be repaired")
    if is_recorded:
        raise StoreError(f"experiment {index} is finished; its program can't be repaired any more")
    repairs = proposal.repairs
    if not repairs or repairs[:-1] != known.repairs or repairs[-1].before != known.source:
        raise StoreError(f"the repair of proposal {index} starts from another program than the one that is stored")
