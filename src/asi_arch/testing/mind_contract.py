"""What every backend must do, whatever stands behind it: a suite that a backend's own test class inherits."""
# ruff: noqa: D102 (a test's name is its docstring)

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager

from pydantic import Field

from asi_arch.domain.exchanges import Ending, Request
from asi_arch.domain.minds import Prompt, Question, Role
from asi_arch.domain.record import Record
from asi_arch.llm.asking import ask, request_of
from asi_arch.llm.backend import Backend


class Mark(Record):
    """The answer that is asked for in tests."""

    score: int = Field(ge=0, le=10)


def make_question(user: str = "Mark it: ünïcode.", *, subject: str = "", role: Role = Role.JUDGE) -> Question[Mark]:
    """A small question."""
    prompt = Prompt(system="You are strict.", user=user)
    return Question(role=role, prompt=prompt, answer=Mark, subject=subject, max_tokens=512)


def make_request(user: str = "Mark it: ünïcode.", *, subject: str = "") -> Request:
    """The small question as backends get it."""
    return request_of(make_question(user, subject=subject))


class BackendContract(ABC):
    """A backend whose answer to anything is `{"score": 7}`. Subclasses open it."""

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Backend]:
        """A backend, closed at the end."""

    async def test_it_answers_with_text_and_counts(self) -> None:
        async with self.open() as backend:
            reply = await asyncio.wait_for(backend.complete(make_request()), 60)
        assert reply.ending is Ending.ANSWERED
        assert "score" in reply.text
        assert reply.input_tokens is not None
        assert reply.output_tokens is not None

    async def test_its_text_becomes_the_typed_answer(self) -> None:
        question = make_question()
        async with self.open() as backend:
            answer = await asyncio.wait_for(ask(question, request_of(question), backend.complete), 120)
        assert isinstance(answer, Mark)

    async def test_several_questions_may_be_asked_at_once(self) -> None:
        async with self.open() as backend:
            asked = (backend.complete(make_request(f"number {n}")) for n in range(3))
            replies = await asyncio.wait_for(asyncio.gather(*asked), 120)
        assert [reply.ending for reply in replies] == [Ending.ANSWERED] * 3

    async def test_closing_it_twice_does_nothing(self) -> None:
        async with self.open() as backend:
            await backend.close()
