"""The record of every attempt, before and after; what it may cost is reserved first and settled then.

An attempt whose end is not known (cut off, cancelled, its process killed) counts at what was reserved: the service may
have worked and may bill it, and a budget that counts too little is worse than one that counts too much. An attempt
that was turned away or never connected costs nothing.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from asi_arch.domain.errors import StoreError
from asi_arch.domain.exchanges import Charge, Ending, Exchanges, Reply, Request, Sent, Settlement
from asi_arch.llm.backend import AttemptError, Backend
from asi_arch.llm.budgets import Purse
from asi_arch.llm.prices import Tariff, largest_prompt
from asi_arch.llm.redact import Redactor

NOTHING = Charge(0, 0, 0.0)


class Ledger:
    """Numbers, recalls, reserves, records and settles; used by one thread."""

    def __init__(
        self,
        exchanges: Exchanges,
        purse: Purse,
        redactor: Redactor,
        *,
        now: Callable[[], float],
        tick: Callable[[], float],
    ) -> None:
        self._exchanges = exchanges
        self._purse = purse
        self._redactor = redactor
        self._now = now
        self._tick = tick
        self._asked: Counter[str] = Counter()
        self._recalled: Counter[str] = Counter()
        self._earlier: dict[str, list[Reply]] = {}

    def settle_lost(self) -> int:
        """Settle what a dead process left open, at what it reserved; how many. For the owner of the state folder."""
        left = self._exchanges.open_ones()
        for exchange in left:
            self._settle(exchange.number, exchange.sent, Reply(text="", ending=Ending.LOST), 0.0, "its process ended")
        return len(left)

    def clean(self, request: Request) -> Request:
        """The request without secrets."""
        return self._redactor.request(request)

    def numbered(self, request: Request) -> Request:
        """A question's first request, without secrets and with its occurrence, which its later turns keep.

        Work on a subject that is taken up again in another process asks the same questions again, from the first on:
        these are the same occurrences. Questions without a subject are new each time.
        """
        request = self.clean(request)
        key = request.key
        before = self._asked[key] + (0 if request.subject else len(self._replies_before(key)))
        self._asked[key] += 1
        return request.model_copy(update={"occurrence": before})

    def recalled(self, request: Request) -> Reply | None:
        """The reply that an earlier process got to this question about its subject, each of them once."""
        key = request.key
        earlier = self._replies_before(key) if request.subject else []
        if self._recalled[key] >= len(earlier):
            return None
        self._recalled[key] += 1
        return earlier[self._recalled[key] - 1]

    def _replies_before(self, key: str) -> list[Reply]:
        """Those of earlier processes: looked up when this one asks for the first time."""
        if key not in self._earlier:
            self._earlier[key] = self._exchanges.replies(key)
        return self._earlier[key]

    async def attempt(self, backend: Backend, request: Request, *, mind: str, tariff: Tariff) -> Reply:
        """One recorded attempt. Raises `OverBudget` before anything is sent, `AttemptError` after a failure."""
        number, sent = self._reserve(request, mind, tariff)
        began = self._tick()
        failure: AttemptError | None = None
        try:
            reply = self._redactor.reply(await backend.complete(request))
        except AttemptError as error:
            failure, reply = error, Reply(text="", ending=Ending.LOST if error.is_charged else Ending.FAILED)
        except BaseException:
            # The reason on its way is worth more than a second one from the record.
            with suppress(StoreError):
                self._settle(number, sent, Reply(text="", ending=Ending.LOST), self._tick() - began, "stopped")
            raise
        error = "" if failure is None else self._redactor.text(str(failure))
        self._settle(number, sent, reply, self._tick() - began, error, tariff)
        self._purse.look(now=self._now())
        if failure is not None:
            failure.args = (error,)
            raise failure
        return reply

    def _reserve(self, request: Request, mind: str, tariff: Tariff) -> tuple[int, Sent]:
        prompt, now = largest_prompt(request), self._now()
        reserved = Charge(1, prompt + request.max_tokens, tariff(prompt, request.max_tokens))
        sent = Sent(request=request, mind=mind, at=now, reserved=reserved)
        with self._exchanges.exclusively():
            self._purse.require(reserved, subject=request.subject, now=now)
            return self._exchanges.send(sent), sent

    def _settle(
        self, number: int, sent: Sent, reply: Reply, latency_s: float, error: str, tariff: Tariff | None = None
    ) -> None:
        spent = NOTHING if reply.ending is Ending.FAILED else _spent(sent, reply, tariff)
        self._exchanges.settle(
            number, Settlement(reply=reply, at=self._now(), latency_s=latency_s, spent=spent, error=error)
        )


def _spent(sent: Sent, reply: Reply, tariff: Tariff | None) -> Charge:
    """What the service counted, or what was reserved where it did not count."""
    if tariff is None or reply.input_tokens is None or reply.output_tokens is None:
        return sent.reserved
    return Charge(1, reply.input_tokens + reply.output_tokens, tariff(reply.input_tokens, reply.output_tokens))
