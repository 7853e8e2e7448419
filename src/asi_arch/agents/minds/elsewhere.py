"""Asking for an idea once more, away from what it has repeated: what the prompts of both researchers share."""

from asi_arch.agents.minds.telling import shortened
from asi_arch.domain.minds import Role
from asi_arch.domain.ports import Brief

_WORDS = 50
_QUOTED = 3


def asking_role(brief: Brief, own: Role) -> Role:
    """The Diversifier for a brief with a direction: its calls are counted apart, and it may have another mind."""
    return Role.DIVERSIFIER if brief.direction else own


def elsewhere(brief: Brief) -> dict[str, object]:
    """What `elsewhere.md.j2` needs."""
    return {"direction": brief.direction, "avoid": [shortened(text, _WORDS) for text in brief.avoid[:_QUOTED]]}
