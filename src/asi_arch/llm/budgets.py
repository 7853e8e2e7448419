"""Whether a call may be made: what is spent and reserved, against what the user allows."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from asi_arch.domain.exchanges import Charge, Exchanges
from asi_arch.domain.minds import OverBudget
from asi_arch.llm.plan import Budgets, Limits

WARNED_AT: Final = (0.8, 0.5)
_DAY_S = 86400.0


class _Scope(NamedTuple):
    """One of the budgets, and what it holds already."""

    name: str
    limits: Limits
    spent: Charge


class Purse:
    """Refuses what would exceed a budget, and warns when half and four fifths of one are gone."""

    def __init__(self, budgets: Budgets, exchanges: Exchanges, warn: Callable[[str], None]) -> None:
        self._budgets = budgets
        self._exchanges = exchanges
        self._warn = warn
        self._warned: set[tuple[str, str, float]] = set()

    def require(self, wanted: Charge, *, subject: str, now: float) -> None:
        """Raises `OverBudget` naming the budget that the call would exceed. Call it in `Exchanges.exclusively`."""
        for scope in self._scopes(subject, now):
            _require(scope, wanted)

    def look(self, *, now: float) -> None:
        """Warn where a threshold is newly passed. Once each, and once more after a restart."""
        for scope in self._scopes("", now):
            for unit, share in _shares(scope):
                reached = next((mark for mark in WARNED_AT if share >= mark), None)
                if reached is not None and (scope.name, unit, reached) not in self._warned:
                    self._warned |= {(scope.name, unit, mark) for mark in WARNED_AT if mark <= reached}
                    self._warn(f"{share:.0%} of the {scope.name}'s budget in {unit} for language models is spent")

    def _scopes(self, subject: str, now: float) -> Iterator[_Scope]:
        """Budgets that limit nothing are left out, so that they cost no look at the record."""
        budgets, nothing = self._budgets, Limits()
        if budgets.call != nothing:
            yield _Scope("call", budgets.call, Charge(0, 0, 0.0))
        if budgets.subject != nothing and subject:
            yield _Scope(f"subject {subject!r}", budgets.subject, self._exchanges.spent(subject=subject))
        if budgets.day != nothing:
            yield _Scope("day", budgets.day, self._exchanges.spent(since=now // _DAY_S * _DAY_S))
        if budgets.campaign != nothing:
            yield _Scope("campaign", budgets.campaign, self._exchanges.spent())


def _require(scope: _Scope, wanted: Charge) -> None:
    limits, spent = scope.limits, scope.spent
    if limits.calls is not None and spent.calls + wanted.calls > limits.calls:
        raise OverBudget(f"the {scope.name}'s budget of {limits.calls} calls is spent; {_ADVICE}")
    if limits.tokens is not None and spent.tokens + wanted.tokens > limits.tokens:
        told = f"{limits.tokens} tokens: {spent.tokens} are spent or reserved, the call may take {wanted.tokens}"
        raise OverBudget(f"the {scope.name}'s budget is {told}; {_ADVICE}")
    if limits.usd is None:
        return
    if wanted.usd is None:
        raise OverBudget(
            f"the {scope.name}'s budget is {limits.usd:g} USD, and the price of this model is not known; give it in"
            ' the settings under [minds.services.NAME.prices."MODEL"], or set budgets in tokens or calls instead'
        )
    if (spent.usd or 0.0) + wanted.usd > limits.usd:
        told = f"{limits.usd:g} USD: {spent.usd or 0.0:.4g} are spent or reserved, the call may cost {wanted.usd:.2g}"
        raise OverBudget(f"the {scope.name}'s budget is {told}; {_ADVICE}")


_ADVICE = "raise it in the settings under [minds.budgets]"


def _shares(scope: _Scope) -> Iterator[tuple[str, float]]:
    units = (("calls", scope.limits.calls, scope.spent.calls), ("tokens", scope.limits.tokens, scope.spent.tokens))
    for unit, limit, spent in (*units, ("USD", scope.limits.usd, scope.spent.usd or 0.0)):
        if limit:
            yield unit, spent / limit
