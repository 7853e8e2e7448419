"""Language models as the loop sees them: a question with the form of its answer, and the failures that come instead.

Agents turn what they know into a `Question` and its answer into something typed; who answers (a remote model, a local
one, a person, a recording) is the affair of the room `llm`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from asi_arch.domain.errors import AsiArchError
from asi_arch.domain.record import Record, sha256


class Role(str, Enum):
    """Who asks. Each may have a model of its own, and its calls are counted by themselves."""

    RESEARCHER = "researcher"
    DESIGNER = "designer"
    NOVELTY = "novelty"
    DIVERSIFIER = "diversifier"
    CHECKER = "checker"
    DEBUGGER = "debugger"
    JUDGE = "judge"
    ANALYST = "analyst"
    SUMMARISER = "summariser"
    PROVENANCE = "provenance"
    COMPONENTS = "components"
    REFLECTOR = "reflector"
    EXTRACTOR = "extractor"


class Prompt(Record):
    """What is said to a model."""

    system: str
    user: str

    @property
    def sha(self) -> str:
        """SHA-256 of both parts."""
        return sha256(f"{self.system}\n\0\n{self.user}")


Answer = TypeVar("Answer", bound=BaseModel)


def _no_complaint(_: BaseModel) -> str | None:
    return None


@dataclass(frozen=True)
class Question(Generic[Answer]):
    """A prompt, and what its answer must look like."""

    role: Role
    prompt: Prompt
    answer: type[Answer]
    """The model that the reply must validate as; its JSON schema goes to backends that can hold a model to it."""
    temperature: float = 0.7
    max_tokens: int = 4096
    """Of the reply."""
    complaint: Callable[[Answer], str | None] = _no_complaint
    """What is wrong with an answer of the right form, in words that its author can act on; None if nothing is."""
    subject: str = ""
    """What it is about, such as the index of an experiment: a budget may be set per subject."""


class MindError(AsiArchError):
    """A question that got no usable answer."""


class MindUnavailable(MindError):
    """Nobody answers: the endpoint is down, overloaded or unreachable, after all retries."""


class MindRejected(MindError):
    """The service won't take the question as it is put: wrong key, unknown model, no credit. Repeating is useless."""


class MindRefused(MindError):
    """The model was reached and would not answer."""


class BadAnswer(MindError):
    """Every answer was truncated, not of the required form, or complained about."""


class OverBudget(MindError):
    """The call would cost more than is left in money, tokens or calls."""


class Mind(Protocol):
    """Answers questions."""

    async def ask(self, question: Question[Answer]) -> Answer:
        """The validated answer. Raises `MindError`, in one of its kinds; nothing else for what a model does."""
        ...
