"""The composition of language models, beside the composition root because it names the concrete classes too."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom

from asi_arch.app import CLOCK
from asi_arch.domain.exchanges import Exchanges
from asi_arch.keys import found_keys
from asi_arch.llm.budgets import Purse
from asi_arch.llm.ledger import Ledger
from asi_arch.llm.lines import Surroundings, open_lines, remote_services
from asi_arch.llm.mind import Minds
from asi_arch.llm.plan import MindPlan
from asi_arch.llm.redact import Redactor
from asi_arch.store.exchanges import SqliteExchanges


@asynccontextmanager
async def opened_minds(
    plan: MindPlan, folder: Path, *, warn: Callable[[str], None], is_owner: bool = True
) -> AsyncGenerator[Minds, None]:
    """Minds that record in `folder`. Whoever holds its lock is the owner, and settles what a dead process left open.

    While inside, the keys are taken out of every text that is recorded, logged or raised.
    """
    exchanges: Exchanges = SqliteExchanges.open(folder)
    try:
        keys = found_keys(plan, remote_services(plan))
        redactor = Redactor(keys.values())
        purse = Purse(plan.budgets, exchanges, warn)
        ledger = Ledger(exchanges, purse, redactor, now=CLOCK.now, tick=CLOCK.tick)
        if is_owner and (left := ledger.settle_lost()):
            warn(f"{left} calls to language models were cut off when their process ended; counted at what was reserved")
        around = Surroundings(plan, keys, _reading, SystemRandom(), CLOCK.tick)
        with redactor.guarding_logs():
            minds = Minds(open_lines(around), ledger)
            try:
                yield minds
            finally:
                await minds.close()
    finally:
        exchanges.close()


def _reading(folder: Path) -> Exchanges:
    return SqliteExchanges.open(folder, read_only=True)
