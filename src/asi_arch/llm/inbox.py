"""An inbox: every question becomes a Markdown file, and its answer is a file that somebody puts beside it.

    DIR/judge-17-1f0c9a2b7d-0.md      the question: prompt, JSON schema, what to do
    DIR/judge-17-1f0c9a2b7d-0.json    its answer, put there by a person or a program
    DIR/answered/                     both, once the answer was taken; `...-0.1.json` is the answer to the first try

A question's name follows from its content, so a process that was killed finds its question, and perhaps the answer,
where it left them. An answer that is not accepted is asked for again in the same file, with what is wrong with it.
"""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from asi_arch.domain.errors import UserError
from asi_arch.domain.exchanges import Reply, Request
from asi_arch.llm.backend import Permanent, Unanswered

ANSWERED: Final = "answered"
LARGEST_BYTES: Final = 10 * 2**20

_POLL_S = 0.25
_KEY_DIGITS = 10


class InboxBackend:
    """Waits for answers in a folder, for any number of questions at once."""

    def __init__(
        self,
        folder: Path,
        *,
        patience_s: float,
        tick: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._patience_s = patience_s
        self._tick = tick
        self._sleep = sleep
        try:
            (folder / ANSWERED).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"inbox {folder} can't be made: {error.strerror}; name a folder") from None

    async def complete(self, request: Request) -> Reply:
        """The text of the answer. Raises `Unanswered` when time is up; the question stays where it is."""
        name = name_of(request)
        try:
            return Reply(text=await self._answer(request, name), model="inbox", input_tokens=0, output_tokens=0)
        except OSError as error:
            reason = f"inbox {self._folder} can't be used: {error.strerror or error}"
        raise Permanent(reason)

    async def close(self) -> None:
        """Questions stay for the next process."""

    async def _answer(self, request: Request, name: str) -> str:
        taken = self._folder / ANSWERED / f"{name}.{len(request.turns) + 1}.json"
        question, answer = self._folder / f"{name}.md", self._folder / f"{name}.json"
        # Taken by a process that was killed before it could record it. Questions without a subject are always new.
        if request.subject and taken.exists():
            question.unlink(missing_ok=True)
            return _read(taken)
        write_whole(question, page(request, name))
        await self._wait_for(answer)
        text = _read(answer)
        # The question first: without its answer it would look as if it were open, and be answered once more.
        question.replace(self._folder / ANSWERED / question.name)
        answer.replace(taken)
        return text

    async def _wait_for(self, answer: Path) -> None:
        """Until the file is there, has content, and is no longer written to."""
        deadline, before = self._tick() + self._patience_s, None
        while True:
            seen = (answer.stat().st_size, answer.stat().st_mtime_ns) if answer.exists() else None
            if seen is not None and seen[0] > 0 and seen == before:
                return
            if self._tick() >= deadline:
                raise Unanswered(
                    f"nobody answered {answer.with_suffix('.md')} within {self._patience_s:.0f} s; the question stays:"
                    f" put the answer into {answer.name} beside it and give the command again"
                )
            before = seen
            await self._sleep(_POLL_S)


def name_of(request: Request) -> str:
    """The name of a question's files; the same for its second try."""
    key = request.model_copy(update={"turns": ()}).key[:_KEY_DIGITS]
    subject = re.sub(r"[^A-Za-z0-9]+", "_", request.subject).strip("_")[:40] or "any"
    return f"{request.role.value}-{subject}-{key}-{request.occurrence}"


def page(request: Request, name: str) -> str:
    """The question as Markdown."""
    about = f" about {request.subject}" if request.subject else ""
    parts = [f"# A question of the {request.role.value}{about}"]
    if request.turns:
        turn = request.turns[-1]
        parts += [f"## The answer before was not accepted\n\n{turn.complaint}", _fenced(turn.reply)]
    what = "one JSON object that is valid under the schema below" if request.json_schema else "plain text"
    parts.append(
        f"**To answer**, write `{name}.json` beside this file: {what}. Write it elsewhere and move it here, or give\n"
        f"`asi-arch inbox answer {name} FILE`."
    )
    if request.prompt.system:
        parts.append("## Instructions\n\n" + request.prompt.system)
    parts.append("## Question\n\n" + request.prompt.user)
    if request.json_schema:
        parts.append(f"{SCHEMA_HEADING}\n\n{_fenced(_indented(request.json_schema), 'json')}")
    return "\n\n".join(parts) + "\n"


SCHEMA_HEADING: Final = "## Schema of the answer"


def write_whole(path: Path, text: str) -> None:
    """Write beside, synchronise, rename: readers see all of it or nothing."""
    beside = path.with_name(f".{path.name}.unfinished")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _read(answer: Path) -> str:
    if answer.stat().st_size > LARGEST_BYTES:
        return f"(a file of {answer.stat().st_size} bytes, which is more than an answer may have)"
    return answer.read_text(encoding="utf-8-sig", errors="replace")


def _indented(schema: str) -> str:
    return json.dumps(json.loads(schema), indent=2)


def _fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
