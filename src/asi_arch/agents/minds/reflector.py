"""The Reflector with a model: it reads the statistics, writes the agenda in its words and may shift weights.

It is shown numbers and names of mechanisms only, nothing that a candidate or another model wrote.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.expectation import Expectation
from asi_arch.agents.minds.designer import MechanismKey
from asi_arch.agents.minds.prompting import prompt
from asi_arch.agents.reflection import FEWEST_MEASURED
from asi_arch.domain.agenda import LEAST_WEIGHT, MOST_WEIGHT, Agenda, Credit, Effect, bounded
from asi_arch.domain.minds import Mind, MindError, Question, Role
from asi_arch.domain.reflection import Hindsight, Reflector

MAX_TOKENS: Final = 900
MAX_SENTENCES: Final = 5
MAX_SHIFTS: Final = 8
_SHOWN = 14
"""Mechanisms with their numbers: the surest either way, then the most tried."""


class Shift(BaseModel):
    """How much more or less often a mechanism shall be drawn."""

    model_config = ConfigDict(extra="forbid")

    mechanism: MechanismKey
    weight: Annotated[float, Field(allow_inf_nan=False)]
    """Brought within the bounds, whatever it is."""


class Reflection(BaseModel):
    """What a model answers."""

    model_config = ConfigDict(extra="forbid")

    agenda: Annotated[
        list[Annotated[str, Field(min_length=20, max_length=240)]], Field(min_length=1, max_length=MAX_SENTENCES)
    ]
    shifts: Annotated[list[Shift], Field(max_length=MAX_SHIFTS)]


class MindReflector:
    """A `Reflector` that asks a model about the statistics of another one, which stand where it does not answer."""

    def __init__(self, mind: Mind, embedded: Reflector, say: Callable[[str], None]) -> None:
        """`say` is told when the model has nothing usable."""
        self._mind = mind
        self._embedded = embedded
        self._say = say

    async def reflect(self, seen: Hindsight) -> Agenda:
        """The model's agenda, or the statistics'; nobody is asked while too little is measured."""
        agenda = await self._embedded.reflect(seen)
        if agenda.findings.measured < FEWEST_MEASURED:
            return agenda
        try:
            answer = await self._mind.ask(question(agenda))
        except MindError as error:
            self._say(f"agenda from #{agenda.snapshot} on: {error}; it is written from the statistics alone")
            return agenda
        return reflected(agenda, answer)


def question(agenda: Agenda) -> Question[Reflection]:
    """Shows the statistics with what they led to, and asks for sentences and shifts."""
    found = agenda.findings
    asked = prompt(
        "reflector",
        least=LEAST_WEIGHT,
        most=MOST_WEIGHT,
        sentences=MAX_SENTENCES,
        shifts=MAX_SHIFTS,
        found=found,
        mechanisms=[_credited(credit, agenda.weights.get(credit.mechanism, 1.0)) for credit in _shown(found.credits)],
        forecasts=[
            f"{Expectation(f.quantity, f.direction).words}: {f.met} met, {f.missed} missed, {f.open} open"
            for f in found.forecasts
        ],
        ratings=[f"{rating.name} {rating.correlation:+.2f}" for rating in found.ratings],
        waste=[f"{w.inventions} {w.outcome.replace('_', ' ')} ({_share(w.cpu_s, found.cpu_s)})" for w in found.waste],
        drafts=agenda.sentences,
    )
    return Question(
        role=Role.REFLECTOR,
        prompt=asked,
        answer=Reflection,
        temperature=0.5,
        max_tokens=MAX_TOKENS,
        subject=f"agenda-{agenda.snapshot}",
    )


def reflected(agenda: Agenda, answer: Reflection) -> Agenda:
    """The model's sentences, and the statistics' weights with its shifts, all within the bounds."""
    weights = {**agenda.weights, **{shift.mechanism: bounded(shift.weight) for shift in answer.shifts}}
    return agenda.model_copy(
        update={
            "author": "model",
            "sentences": tuple(_one_line(sentence) for sentence in answer.agenda),
            "weights": {key: weights[key] for key in sorted(weights) if weights[key] != 1.0},
        }
    )


def _one_line(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _shown(credits: Sequence[Credit]) -> list[Credit]:
    def sureness(credit: Credit) -> tuple[float, int, str]:
        return -abs(credit.gain.belief - 0.5) if credit.gain else 0.0, -credit.tried, credit.mechanism

    return sorted(credits, key=sureness)[:_SHOWN]


def _credited(credit: Credit, weight: float) -> str:
    return f"{credit.mechanism}: {', '.join(_numbers(credit))}; weight {weight:.2f}"


def _numbers(credit: Credit) -> Iterator[str]:
    yield f"tried {credit.tried}, added lately {credit.recent}, compared {credit.pairs}"
    if credit.gain:
        yield f"gain {_effect(credit.gain, 2)}"
    if credit.loss_nats:
        yield f"loss {_effect(credit.loss_nats, 3)}"
    if credit.recall:
        yield f"recall {_effect(credit.recall, 2)}"


def _effect(effect: Effect, digits: int) -> str:
    return f"{effect.value:+.{digits}f} ± {effect.error:.{digits}f}"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%} of the CPU time" if whole > 0 else "CPU time unknown"
