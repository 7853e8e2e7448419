"""What a call costs: nothing on one's own machine, the user's price, the price list that comes with pydantic-ai."""

from collections.abc import Callable
from typing import Final

from asi_arch.domain.exchanges import Request
from asi_arch.llm.plan import Price, Service

Tariff = Callable[[int, int], float | None]
"""Input and output tokens -> USD; None where the price is not known."""

_BYTES_PER_TOKEN: Final = 2
"""Fewer than any tokenizer's average on English or code, so that the estimate of a prompt is too high, not too low."""
_FRAME_TOKENS: Final = 200


def free(_input_tokens: int, _output_tokens: int) -> float | None:
    """Local models, people, recordings and scripts."""
    return 0.0


def tariff_of(name: str, service: Service, model: str) -> Tariff:
    """The tariff of a service's model: the user's, none for one's own machine, or the list's."""
    price = service.prices.get(model) or service.prices.get("*")
    if price is not None:
        return lambda tokens_in, tokens_out: _at(price, tokens_in, tokens_out)
    return free if is_own_machine(service.url) else _listed(name, service, model)


def is_own_machine(url: str) -> bool:
    """Whether a URL leads to a server on this machine."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return host.startswith(("localhost", "127.", "[::1]", "0.0.0.0"))


def largest_prompt(request: Request) -> int:
    """An upper bound on the tokens of a request."""
    turns = "".join(turn.reply + turn.complaint for turn in request.turns)
    text = request.prompt.system + request.prompt.user + request.json_schema + turns
    return len(text.encode()) // _BYTES_PER_TOKEN + _FRAME_TOKENS


def _at(price: Price, input_tokens: int, output_tokens: int) -> float:
    return (price.input_usd_per_million * input_tokens + price.output_usd_per_million * output_tokens) / 1e6


def _listed(name: str, service: Service, model: str) -> Tariff:
    """By the service's address where it has one of its own, by its name otherwise; loads the list once."""
    from genai_prices import Usage, calc_price

    def tariff(input_tokens: int, output_tokens: int) -> float | None:
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        try:
            if service.url:
                return float(calc_price(usage, model, provider_api_url=service.url).total_price)
            return float(calc_price(usage, model, provider_id=name).total_price)
        except LookupError:
            return None

    tariff(1, 1)
    return tariff
