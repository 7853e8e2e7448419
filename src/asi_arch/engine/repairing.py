"""Self-repair: a program that failed goes back to the debugger before the experiment is given up."""

from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.minds import MindError
from asi_arch.domain.outcome import Measured, Outcome, StoppedEarly
from asi_arch.engine.bench import Bench
from asi_arch.engine.notices import Repaired, Said

MAX_REPAIRS = 3
"""Of one program, as in the released settings of the original."""


async def repaired(bench: Bench, index: int, proposal: Proposal, outcome: Outcome) -> Proposal | None:
    """The mended program, stored in the place of the one that failed; None where it is time to give up.

    A baseline is never mended, and neither is what trained without a mistake. A repair that makes the program another
    experiment's is none.
    """
    if bench.debugger is None or proposal.author is Author.BASELINE or isinstance(outcome, Measured | StoppedEarly):
        return None
    if len(proposal.repairs) >= MAX_REPAIRS:
        return None
    try:
        found = await bench.debugger.repair(index, proposal, outcome)
    except MindError as error:
        bench.listen(Said(f"#{index} could not be repaired: {error}"))
        return None
    if bench.store.fingerprints().get(found.fingerprint, index) != index:
        bench.listen(Said(f"#{index}: the repair leads to a program that was tried before, so it is given up"))
        return None
    bench.store.repair(index, found)
    bench.listen(Repaired(index, found))
    return found
