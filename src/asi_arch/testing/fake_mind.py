"""A mind that answers from a list."""

from collections.abc import Iterable, Mapping
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
