"""Answers from a record, byte for byte: the backend `replay:FOLDER`."""

from collections import Counter

from asi_arch.domain.exchanges import Exchanges, Reply, Request
from asi_arch.llm.backend import Permanent


class ReplayBackend:
    """Gives the replies of another campaign again, the n-th asking of a question getting its n-th reply.

    A question is the same if role, prompt, schema, parameters, subject and earlier turns are.
    """

    def __init__(self, record: Exchanges, name: str) -> None:
        self._record = record
        self._name = name
        self._asked: Counter[str] = Counter()

    async def complete(self, request: Request) -> Reply:
        """The recorded reply. Raises `Permanent` for a question that the record does not have (that often)."""
        number = self._asked[request.key]
        replies = self._record.replies(request.key)
        if number >= len(replies):
            known = f"it was answered {len(replies)} times" if replies else "it was never asked there"
            raise Permanent(
                f"{self._name} has no answer to this question of the {request.role.value}"
                f" (subject {request.subject!r}): {known}"
            )
        self._asked[request.key] += 1
        return replies[number]

    async def close(self) -> None:
        """Let go of the record."""
        self._record.close()
