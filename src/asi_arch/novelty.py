"""Composition of the novelty check: by what motivations are compared, and who is asked for another idea."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from asi_arch.cognition.embedding import MiniLm, Vectors, complaint_about_embeddings
from asi_arch.cognition.motivations import (
    ArrayIndex,
    FaissIndex,
    KnownMotivations,
    PiecesOfWords,
    motivations_by_meaning,
    motivations_by_words,
)
from asi_arch.cognition.vectors import Encoder
from asi_arch.domain.campaign import Campaign
from asi_arch.domain.minds import Role
from asi_arch.domain.novelty import Measure
from asi_arch.domain.ports import Motivations
from asi_arch.domain.record import canonical_hash
from asi_arch.llm.plan import MindPlan
from asi_arch.settings import Settings

ROLES = frozenset({Role.NOVELTY, Role.DIVERSIFIER})
"""Who is asked by it."""


def open_motivations(campaign: Campaign, settings: Settings, say: Callable[[str], None]) -> Motivations:
    """By meaning where that can be had; `say` is told where it can't."""
    if complaint := complaint_about_embeddings():
        say(f"whether an idea is new is told by shared words only: {complaint}")
        return motivations_by_words()
    name = canonical_hash(campaign.model_dump(mode="json"))[:32]
    return motivations_by_meaning(settings.cache / "motivations" / f"{name}.vectors")


def diversifying(plan: MindPlan, inventor: Role | None) -> MindPlan:
    """The plan with a diversifier: unless one is named, whoever has the ideas has the other ideas as well."""
    if inventor is None or plan.roles.get(Role.DIVERSIFIER):
        return plan
    return plan.model_copy(update={"roles": {**plan.roles, Role.DIVERSIFIER: plan.specs(inventor)}})


class _Noise:
    """An `Encoder` of random vectors as wide as another one's: what an index does takes as long with these."""

    fingerprint = "noise"

    def __init__(self, width: int) -> None:
        self._width = width
        self._rng = np.random.default_rng(0)

    def windows(self, text: str) -> Vectors:
        """[1, width], unit length; another one at each call."""
        vector = self._rng.normal(size=(1, self._width)).astype(np.float32)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def lookup_times(count: int = 10_000, repetitions: int = 40) -> dict[str, Any]:
    """Milliseconds to find the nearest of `count` motivations, and to encode a new one; by the best measure here."""
    has_meaning = complaint_about_embeddings() is None
    encoder: Encoder = MiniLm() if has_meaning else PiecesOfWords()
    measure, index = (Measure.MEANING, FaissIndex()) if has_meaning else (Measure.WORDS, ArrayIndex())
    width = encoder.windows("This loads what encodes.").shape[1]
    known = KnownMotivations(measure, _Noise(width), index)
    for number in range(count):
        known.add(number, f"motivation {number}")
    texts = [f"{_IDEA} Variant {number}." for number in range(repetitions)]
    return {
        "motivations": count,
        "measure": measure.value,
        "lookup_ms": statistics.median(_milliseconds(lambda t=text: known.nearest(t, 5, count)) for text in texts),
        "encode_ms": statistics.median(_milliseconds(lambda t=text: encoder.windows(t)) for text in texts),
    }


_IDEA = (
    "The memory forgets all features of a head at one rate. A decay for every channel lets some of them fade quickly"
    " while others stay, so that syntax does not push out the topic. Language loss should fall. Replaces the decay per"
    " head by one per channel."
)


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)
