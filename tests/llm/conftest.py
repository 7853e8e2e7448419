import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from asi_arch.domain.exchanges import Exchange, Exchanges
from asi_arch.domain.minds import Role
from asi_arch.llm.backend import Backend
from asi_arch.llm.budgets import Purse
from asi_arch.llm.ensemble import Choosing
from asi_arch.llm.ledger import Ledger
from asi_arch.llm.mind import Line, Minds
from asi_arch.llm.patience import Patience
from asi_arch.llm.plan import Budgets
from asi_arch.llm.prices import Tariff
from asi_arch.llm.redact import Redactor
from asi_arch.store.exchanges import SqliteExchanges

USD_PER_TOKEN = 0.001


@dataclass
class FakeTime:
    """Passes when somebody sleeps."""

    now: float = 1_000_000.0
    naps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@dataclass
class Desk:
    """A record in a folder, and minds that write to it; each call of `minds` is another process."""

    folder: Path
    time: FakeTime = field(default_factory=FakeTime)
    warnings: list[str] = field(default_factory=list)
    opened: list[Exchanges] = field(default_factory=list)

    def minds(
        self,
        backend: Backend,
        *others: Backend,
        budgets: Budgets = Budgets(),  # noqa: B008 (frozen)
        secrets: tuple[str, ...] = (),
        tariff: Tariff = lambda tokens_in, tokens_out: (tokens_in + tokens_out) * USD_PER_TOKEN,
        others_tariff: Tariff | None = None,
        patience_s: float = 2700.0,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        choosing: Choosing | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Minds:
        """With `others` every role has several: 'fake:model', 'fake:model1' and so on."""
        exchanges = SqliteExchanges.open(self.folder)
        self.opened.append(exchanges)
        purse = Purse(budgets, exchanges, self.warnings.append)
        ledger = Ledger(exchanges, purse, Redactor(secrets), now=self.time, tick=self.time)
        ledger.settle_lost()

        def line(number: int, backend: Backend) -> Line:
            patience = Patience(patience_s, at_once=4, rng=Random(0), tick=self.time, sleep=sleep or self.time.sleep)
            price = others_tariff if number and others_tariff else tariff
            return Line(f"fake:model{number or ''}", backend, price, patience)

        lines = tuple(line(number, one) for number, one in enumerate((backend, *others)))
        return Minds(dict.fromkeys(Role, lines), ledger, choosing=choosing, tell=tell)

    def recorded(self) -> list[Exchange]:
        exchanges = SqliteExchanges.open(self.folder, read_only=True)
        found = list(exchanges.exchanges())
        exchanges.close()
        return found

    def endings(self) -> list[str]:
        return [e.settlement.reply.ending.value if e.settlement else "open" for e in self.recorded()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "state")
    yield desk
    for exchanges in desk.opened:
        exchanges.close()
