"""What a user configures: which services there are, which of them answers for which role, and what it may cost."""

from enum import Enum
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, field_validator

from asi_arch.domain.minds import Role
from asi_arch.domain.record import Record


class Protocol(str, Enum):
    """How a service is talked to."""

    OPENAI = "openai"
    """Chat completions, as most services and all local servers offer."""
    ANTHROPIC = "anthropic"
    GOOGLE = "google"


class Price(Record):
    """Of a model."""

    input_usd_per_million: float = Field(ge=0)
    output_usd_per_million: float = Field(ge=0)


class Service(Record):
    """Where models can be reached over HTTP."""

    protocol: Protocol = Protocol.OPENAI
    url: str = Field(default="", pattern=r"^(https?://[^\s/@?]+(/[^\s@?]*)?)?$")
    """Base URL, without a key or password in it; empty means the provider's own."""
    key_variable: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    """Name of the environment variable that holds the key; by default NAME_API_KEY."""
    key_file: Path | None = None
    """A file with the key, readable by its owner only."""
    form: Literal["native", "prompt"] = "native"
    """Whether the service is handed the answer's JSON schema, or only the model, in its prompt."""
    at_once: int = Field(default=4, ge=1)
    """Calls at the same time."""
    timeout_s: float = Field(default=600.0, gt=0)
    """Of one attempt, from start to end."""
    prices: dict[str, Price] = Field(default_factory=dict[str, Price])
    """By model; '*' for any other. Needed for models whose price is not known, if a budget in USD is set."""


class Limits(Record):
    """What may be spent; None leaves it open."""

    usd: float | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    calls: int | None = Field(default=None, ge=0)


class Budgets(Record):
    """Limits for each call, for all calls about one subject (a candidate), for a day (UTC), for the campaign."""

    call: Limits = Limits()
    subject: Limits = Limits()
    day: Limits = Limits()
    campaign: Limits = Limits()


class MindPlan(Record):
    """The section `[minds]` of the settings."""

    default: str = ""
    """Who answers for roles without a mind of their own, such as 'openai:gpt-5-mini' or 'inbox:questions'."""
    roles: dict[Role, str | tuple[str, ...]] = Field(default_factory=dict[Role, str | tuple[str, ...]])
    """A mind for a role, or several that share it (`llm.ensemble`)."""
    program: Literal["whole", "edits"] = "whole"
    """How a researcher gives its program: complete, or as edits to its parent, which is shorter."""
    when_silent: Literal["stop", "compose"] = "stop"
    """What happens to a proposal for which nobody has an idea: the campaign ends in order, or the composer has one."""
    ahead: int = Field(default=2, ge=0, le=16)
    """How many ideas are asked for while there is no room for them yet, so that training never waits for a mind."""
    services: dict[str, Service] = Field(default_factory=dict[str, Service])
    """By name; one of the known names changes that service."""
    budgets: Budgets = Budgets()
    patience_s: float = Field(default=2700.0, ge=0)
    """How long a question is tried again while its service is down or overloaded."""
    inbox_patience_s: float = Field(default=86400.0, gt=0)
    """How long a question waits in an inbox."""
    context_tokens: int = Field(default=8192, ge=512)
    """Of a local model that is started here."""
    threads: int = Field(default=1, ge=1)
    """Of a local model that is started here."""

    @field_validator("roles")
    @classmethod
    def _names_somebody(cls, roles: dict[Role, str | tuple[str, ...]]) -> dict[Role, str | tuple[str, ...]]:
        for role, named in roles.items():
            if isinstance(named, tuple) and (not named or not all(text.strip() for text in named)):
                raise ValueError(
                    f"{role.value} must name one mind or a list of them, such as ['openai:gpt-5-mini',"
                    f" 'gguf:small.gguf'], got {list(named)}"
                )
        return roles

    def specs(self, role: Role) -> tuple[str, ...]:
        """Who answers for a role: one mind, several, or nobody."""
        named = self.roles.get(role, self.default)
        return named if isinstance(named, tuple) else (named,) if named else ()

    def all_specs(self) -> list[str]:
        """Everybody who is named, each once."""
        named = [(self.default,), *(self.specs(role) for role in self.roles)]
        return list(dict.fromkeys(text for texts in named for text in texts if text))

    def service(self, name: str) -> Service | None:
        """A service by its name: one that is known, with what the user says of it on top, or one of the user's."""
        known, own = KNOWN.get(name), self.services.get(name)
        if known is None or own is None:
            return own or known
        return known.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})


KNOWN: Final = {
    "openai": Service(),
    "anthropic": Service(protocol=Protocol.ANTHROPIC),
    "google": Service(protocol=Protocol.GOOGLE),
    "openrouter": Service(url="https://openrouter.ai/api/v1"),
    "deepseek": Service(url="https://api.deepseek.com", form="prompt"),
    "ollama": Service(url="http://localhost:11434/v1", at_once=1),
    "vllm": Service(url="http://localhost:8000/v1"),
    "llamacpp": Service(url="http://localhost:8080/v1", at_once=1),
}
"""Services that need no entry in the settings."""

GGUF, INBOX, REPLAY = "gguf", "inbox", "replay"
PLACES: Final = (GGUF, INBOX, REPLAY)
"""Backends that are named with a path instead of a model."""
