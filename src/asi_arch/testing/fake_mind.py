"""Minds that answer from a list, or by what they are asked."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from asi_arch.domain.minds import Answer, BadAnswer, MindError, Prompt, Question


class FakeMind:
    """`domain.minds.Mind` with prepared replies, in order. An exception among them is raised.

    A reply that does not fit is skipped, as a mind asks again; with the last one gone it is `BadAnswer`.
    """

    def __init__(self, replies: Iterable[Mapping[str, Any] | MindError]) -> None:
        self._replies = list(replies)
        self.prompts: list[Prompt] = []
        self.complaints: list[str] = []

    async def ask(self, question: Question[Answer]) -> Answer:
        """The first of the remaining replies that is of the required form and not complained about."""
        self.prompts.append(question.prompt)
        while self._replies:
            reply = self._replies.pop(0)
            if isinstance(reply, MindError):
                raise reply
            try:
                answer = question.answer.model_validate(reply)
            except ValidationError as error:
                self.complaints.append(str(error))
                continue
            if (complaint := question.complaint(answer)) is None:
                return answer
            self.complaints.append(complaint)
        raise BadAnswer("no reply was usable")


class ThinkingMind:
    """`domain.minds.Mind` whose answer is a function of the prompt; it keeps all prompts."""

    def __init__(self, reply: Callable[[Prompt], Mapping[str, Any]]) -> None:
        self._reply = reply
        self.prompts: list[Prompt] = []

    async def ask(self, question: Question[Answer]) -> Answer:
        """The validated answer. Raises `ValidationError` for one of another form: that is the test's mistake."""
        self.prompts.append(question.prompt)
        return question.answer.model_validate(self._reply(question.prompt))
