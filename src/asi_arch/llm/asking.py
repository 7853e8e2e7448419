"""From a question to a validated answer: parse, repair locally, validate, complain, ask again, at most twice.

A reply that was cut off is never used, whether the service says so or its text does: repairing may mend a comma, it
may not invent the end of a program.
"""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from pydantic import ValidationError

from asi_arch.domain.exchanges import Ending, Reply, Request, Turn
from asi_arch.domain.minds import Answer, BadAnswer, MindRefused, Question

REASKS: Final = 2
LONGEST_CHARS: Final = 1_000_000
"""Of a reply that is looked at."""

_REPAIRED_CHARS = 200_000
_QUOTED_CHARS = 20_000
_BEGINNING_CHARS = 1_000
"""Of a reply that was cut off, which is shown again: the rest is what made it too long."""
_MISTAKES = 8

Send = Callable[[Request], Awaitable[Reply]]
"""Gets one reply, whatever it takes."""


class _Unusable(Exception):
    """Says what is wrong with a reply, in words for its author."""


def request_of(question: Question[Answer]) -> Request:
    """The question as a backend gets it."""
    # In the order of its fields: a model that is held to a schema writes in that order, and so thinks in it.
    schema = json.dumps(question.answer.model_json_schema(), separators=(",", ":"))
    return Request(
        role=question.role,
        prompt=question.prompt,
        form=question.answer.__name__,
        json_schema=schema,
        temperature=question.temperature,
        max_tokens=question.max_tokens,
        subject=question.subject,
    )


async def ask(question: Question[Answer], request: Request, send: Send) -> Answer:
    """The validated answer, `request` being the question's. Raises `MindRefused`, `BadAnswer`, what `send` raises."""
    while True:
        reply = await send(request)
        if reply.ending is Ending.REFUSED:
            raise MindRefused(f"{_who(request, reply)} refuses to answer" + (f": {reply.text}" if reply.text else ""))
        try:
            return _answer(reply, question)
        except _Unusable as error:
            complaint = str(error)
        if len(request.turns) == REASKS:
            raise BadAnswer(
                f"{_who(request, reply)} gave no usable answer in {REASKS + 1} tries; the last: {complaint}"
            )
        shown = _BEGINNING_CHARS if reply.ending is Ending.TRUNCATED else _QUOTED_CHARS
        turn = Turn(reply=reply.text[:shown], complaint=complaint)
        request = request.model_copy(update={"turns": (*request.turns, turn)})


def _answer(reply: Reply, question: Question[Answer]) -> Answer:
    """Raises `_Unusable`."""
    if reply.ending is Ending.TRUNCATED:
        raise _Unusable(f"the reply was cut off; answer in at most {question.max_tokens} tokens")
    if reply.ending is Ending.GARBLED:
        raise _Unusable("the reply could not be read at all; give nothing but the JSON object")
    answer = _validated(_parsed(reply.text), question.answer)
    if complaint := question.complaint(answer):
        raise _Unusable(complaint)
    return answer


def _parsed(text: str) -> Any:
    """The JSON in a reply, out of its fences, repaired where that can't add anything."""
    if not text.strip():
        raise _Unusable("the reply was empty; give the JSON object")
    if len(text) > LONGEST_CHARS:
        raise _Unusable(f"the reply has {len(text)} characters, more than {LONGEST_CHARS}; give the JSON object only")
    body = _body(text)
    try:
        return json.loads(body, strict=False)
    except RecursionError:
        raise _Unusable("the reply is nested too deeply") from None
    except ValueError as error:
        reason = str(error)
    if len(body) > _REPAIRED_CHARS or not _is_whole(body):
        raise _Unusable(f"the reply is not one complete JSON object: {reason}")
    return _repaired(body, reason)


def _body(text: str) -> str:
    """What is between the first brace and the last, or all of it."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text.strip()


def _is_whole(body: str) -> bool:
    """Whether every brace, bracket and quotation mark is closed."""
    if not body.startswith("{"):
        return False
    rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", body, flags=re.DOTALL)
    return '"' not in rest and rest.count("{") == rest.count("}") and rest.count("[") == rest.count("]")


def _repaired(body: str, reason: str) -> Any:
    try:
        from json_repair import loads
    except ImportError:  # the extra 'minds' is not installed: people and scripts answer without it
        raise _Unusable(f"the reply is not JSON: {reason}") from None
    try:
        return loads(body, skip_json_loads=True)
    except (ValueError, RecursionError):
        raise _Unusable(f"the reply is not JSON: {reason}") from None


def _validated(value: Any, kind: type[Answer]) -> Answer:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        mistakes = [_clause(item["loc"], item["msg"]) for item in error.errors(include_url=False, include_input=False)]
    more = f"; and {len(mistakes) - _MISTAKES} more" if len(mistakes) > _MISTAKES else ""
    raise _Unusable("the JSON has another form than asked for: " + "; ".join(mistakes[:_MISTAKES]) + more)


def _clause(place: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(str(part) for part in place) or 'the whole'}: {message}"


def _who(request: Request, reply: Reply) -> str:
    about = f" about {request.subject!r}" if request.subject else ""
    return f"the {request.role.value}'s model{f' {reply.model}' if reply.model else ''}{about}"
