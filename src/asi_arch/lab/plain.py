"""Text from a child as people may see and a store may keep it: readable characters only, and not too many."""

import re

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-_])")
_LIMIT = 64 << 10


def plain_text(text: str, limit: int = _LIMIT) -> str:
    """The last `limit` characters without terminal sequences, control characters and lone surrogates."""
    kept = _ESCAPE.sub("", text[-4 * limit :])
    return "".join(c for c in kept if c.isprintable() or c in "\n\t")[-limit:]
