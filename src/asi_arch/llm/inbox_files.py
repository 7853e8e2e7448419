"""The other side of an inbox: what is asked there, and putting an answer beside it."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple, cast

from asi_arch.domain.errors import UserError
from asi_arch.llm.inbox import LARGEST_BYTES, SCHEMA_HEADING, write_whole


class Waiting(NamedTuple):
    """A question that waits."""

    name: str
    title: str
    asked_at: float
    """Seconds since 1970."""
    is_answered: bool
    """An answer lies beside it and was not taken yet."""
    is_again: bool
    """The answer before was not accepted."""


def waiting(folder: Path) -> list[Waiting]:
    """All questions, oldest first. Raises `UserError` for a folder that is none."""
    if not folder.is_dir():
        raise UserError(f"there is no inbox {folder}; a mind 'inbox:{folder}' makes it with its first question")
    found: list[Waiting] = []
    for path in folder.glob("*.md"):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
        again = any(line.startswith("## The answer before was not accepted") for line in lines[:4])
        answered = path.with_suffix(".json").exists()
        found.append(Waiting(path.stem, lines[0].lstrip("# "), path.stat().st_mtime, answered, again))
    return sorted(found, key=lambda item: (item.asked_at, item.name))


def question(folder: Path, name: str) -> str:
    """A question's page; `name` may be its beginning. Raises `UserError` unless exactly one fits."""
    return (folder / f"{_full_name(folder, name)}.md").read_text(encoding="utf-8")


def answer(folder: Path, name: str, text: str) -> Path:
    """Put an answer beside its question, whole. Raises `UserError` for one that can't be accepted."""
    full = _full_name(folder, name)
    if len(text.encode()) > LARGEST_BYTES:
        raise UserError(f"an answer has at most {LARGEST_BYTES} bytes")
    if schema := _schema(question(folder, full)):
        _require_form(text, schema)
    elif not text.strip():
        raise UserError("the answer is empty")
    path = folder / f"{full}.json"
    write_whole(path, text)
    return path


def _full_name(folder: Path, name: str) -> str:
    wanted = name.removesuffix(".md").removesuffix(".json")
    names = [item.name for item in waiting(folder)]
    fitting = [wanted] if wanted in names else [known for known in names if known.startswith(wanted)]
    if len(fitting) != 1:
        there = "\n  ".join(fitting or names) or "nothing"
        problem = "fits several questions" if fitting else "is not asked"
        raise UserError(f"{name!r} {problem} in {folder}; there is:\n  {there}")
    return fitting[0]


def _schema(page: str) -> dict[str, Any]:
    """The schema at the end of a page; empty where there is none."""
    _, heading, rest = page.rpartition(SCHEMA_HEADING)
    fenced = re.search(r"^(`{3,})json\n(.*?)\n\1$", rest, re.DOTALL | re.MULTILINE) if heading else None
    return cast("dict[str, Any]", json.loads(fenced[2])) if fenced else {}


def _require_form(text: str, schema: dict[str, Any]) -> None:
    """What can be seen without the program that asked; it validates the rest and asks again."""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise UserError(f"the answer is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UserError("the answer must be a JSON object")
    given = cast("dict[str, Any]", value)
    missing = [key for key in schema.get("required", []) if key not in given]
    unknown = [key for key in given if key not in schema.get("properties", {})]
    if missing:
        raise UserError(f"the answer lacks {', '.join(missing)}")
    if unknown and schema.get("additionalProperties") is False:
        raise UserError(f"the answer has unknown fields: {', '.join(unknown)}")
