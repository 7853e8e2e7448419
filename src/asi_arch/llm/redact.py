"""Secrets are taken out of every text by their exact value, in each spelling in which they could come back."""

import base64
import json
import logging
import traceback
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, quote_plus

from asi_arch.domain.exchanges import Reply, Request, Turn
from asi_arch.domain.minds import Prompt

MARK: Final = "[secret]"
SHORTEST: Final = 8
"""Characters. Shorter values are no secrets, and taking them out would spoil ordinary words."""


class Redactor:
    """Knows all secrets of this process and shows none of them, not even in its own representation."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {spelling for secret in secrets if len(secret) >= SHORTEST for spelling in _spellings(secret)}
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, text: str) -> str:
        """The text without any secret."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MARK)
        return text

    def request(self, request: Request) -> Request:
        """A request whose texts hold no secret: what is recorded is what is sent."""
        turns = tuple(Turn(reply=self.text(turn.reply), complaint=self.text(turn.complaint)) for turn in request.turns)
        prompt = Prompt(system=self.text(request.prompt.system), user=self.text(request.prompt.user))
        form = {"json_schema": self.text(request.json_schema), "subject": self.text(request.subject)}
        return request.model_copy(update={"prompt": prompt, "turns": turns, **form})

    def reply(self, reply: Reply) -> Reply:
        """A reply whose texts hold no secret: what is recorded is what is used."""
        return reply.model_copy(update={"text": self.text(reply.text), "model": self.text(reply.model)})

    @contextmanager
    def guarding_logs(self) -> Generator[None, None, None]:
        """While inside, no log record of any library holds a secret, its arguments and traceback included."""
        before = logging.getLogRecordFactory()

        def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = before(*args, **kwargs)
            record.msg, record.args = self.text(record.getMessage()), None
            if record.exc_info:
                record.exc_text = self.text("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
                record.exc_info = None
            return record

        logging.setLogRecordFactory(factory)
        try:
            yield
        finally:
            logging.setLogRecordFactory(before)


def _spellings(secret: str) -> set[str]:
    """As it is, in URLs, in JSON, in Python, and in base64 at any of its three alignments."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    found |= {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    for padding in range(3):
        # Letters at both ends depend on what stands beside the secret; those between them do not.
        lead, content = bytes(padding), secret.encode()
        encoded = base64.b64encode(lead + content).decode().rstrip("=")
        start = (0, 2, 3)[padding]
        inner = encoded[start : len(encoded) - (1 if (padding + len(content)) % 3 else 0)]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found
