"""Small matters of English that all agents share."""

from collections.abc import Sequence


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'; empty for none."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def capitalised(text: str) -> str:
    """With an upper-case first letter, the rest as it is."""
    return f"{text[:1].upper()}{text[1:]}"


def counted(count: int, noun: str) -> str:
    """'1 seed', '2 seeds'."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sentence(text: str) -> str:
    """On one line, with a final point."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."
