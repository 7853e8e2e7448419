"""Afterwards: what finished experiments are made of and where that comes from, stored as events, nothing asked twice.

Without a model the answer is a pure function of the records. A model that fails leaves that answer, with a note.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from asi_arch.agents.minds.components import MindNamer
from asi_arch.agents.minds.provenance import MindTracer
from asi_arch.agents.provenance import FROM_OUTSIDE, components_of, traced
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.cognition import Passage
from asi_arch.domain.minds import BadAnswer, MindError, MindRefused
from asi_arch.domain.ports import Store
from asi_arch.domain.provenance import (
    Background,
    Component,
    Namer,
    Provenance,
    Relative,
    Tracer,
    provenances,
)

_ANCESTORS = 3
"""Above the parent, that an element may come from."""


class Minds(NamedTuple):
    """Who is asked; None where code and records decide."""

    namer: MindNamer | None = None
    tracer: MindTracer | None = None


class Tracing:
    """Finds out, and keeps, the provenance of experiments. Needs a store that can be written."""

    def __init__(
        self,
        store: Store,
        passages: Callable[[Sequence[str]], Sequence[Passage]],
        minds: Minds,
        say: Callable[[str], None],
    ) -> None:
        """`passages` gives those of the base with these entry ids. `say` hears why a model has no part in it."""
        self._store = store
        self._passages = passages
        self._minds = minds
        self._say = say
        self._known = provenances(store.events())
        self._proposals = store.proposals()

    @property
    def known(self) -> dict[int, Provenance]:
        """All that are stored, by index."""
        return dict(self._known)

    def due(self, indices: Iterable[int]) -> list[int]:
        """Those without a provenance, or with one that a model which is asked now has no part in; in order."""
        return [index for index in sorted(set(indices)) if self._is_due(index)]

    async def trace(self, index: int) -> None:
        """Find out and store. What a model does never fails."""
        proposal, stored = self._proposals[index], self._known.get(index)
        components, namer, notes = await self._named(index, proposal, stored)
        background = self._background(proposal)
        elements, tracer = traced(components, background), Tracer.RECORDS
        if self._minds.tracer is not None and _is_open(proposal) and components:
            try:
                elements = await self._minds.tracer.trace(index, proposal, components, background)
                tracer = Tracer.MODEL
            except MindError as error:
                notes.append(self._failed(index, error, "the origins are told from the records"))
        found = Provenance(elements=elements, named_by=namer, traced_by=tracer, note=" ".join(notes))
        is_named = namer is Namer.MODEL and (stored is None or stored.named_by is not Namer.MODEL)
        if stored is None or is_named or tracer is Tracer.MODEL:
            self._store.append(EventKind.TRACED, index, found.model_dump(mode="json"))
            self._known[index] = found

    def _is_due(self, index: int) -> bool:
        stored, proposal = self._known.get(index), self._proposals[index]
        if stored is None:
            return True
        to_name = self._minds.namer is not None and not proposal.design and stored.named_by is not Namer.MODEL
        to_trace = self._minds.tracer is not None and _is_open(proposal) and stored.traced_by is not Tracer.MODEL
        return to_name or (to_trace and bool(stored.elements))

    async def _named(
        self, index: int, proposal: Proposal, stored: Provenance | None
    ) -> tuple[Sequence[Component], Namer, list[str]]:
        """Components, who named them, and what there is to be told of it."""
        if stored is not None and stored.named_by is Namer.MODEL:
            return stored.components, Namer.MODEL, [stored.note] if stored.note else []
        components, namer = components_of(proposal)
        if self._minds.namer is None or namer is Namer.DESIGN:
            return components, namer, []
        try:
            found, is_whole = await self._minds.namer.name(index, proposal.source)
        except MindError as error:
            return components, namer, [self._failed(index, error, "the components are recognised by code alone")]
        return found, Namer.MODEL, [] if is_whole else ["The model was shown the first part of a long program only."]

    def _failed(self, index: int, error: MindError, instead: str) -> str:
        """Tell it; whoever can't be reached or paid is not asked again."""
        self._say(f"#{index}: {error}; {instead}")
        if not isinstance(error, BadAnswer | MindRefused):
            self._minds = Minds()
            self._say("no more questions are asked; the same command asks for what is missing")
        return f"A model gave nothing usable: {instead}."

    def _background(self, proposal: Proposal) -> Background:
        relatives = [self._relative(index, kinship) for index, kinship in _kin(proposal, self._proposals.get)]
        is_recorded = proposal.author not in FROM_OUTSIDE
        return Background(relatives, self._passages(proposal.passages) if proposal.passages else (), is_recorded)

    def _relative(self, index: int, kinship: str) -> Relative:
        proposal, stored = self._proposals[index], self._known.get(index)
        components = stored.components if stored else components_of(proposal)[0]
        names = tuple(component.name for component in components)
        return Relative(index, proposal.name, kinship, names, kinship not in ("grandparent", "ancestor"))


def traceable(store: Store) -> list[int]:
    """Finished experiments that were proposed, by index: all but the baselines."""
    return [summary.index for summary in store.summaries() if summary.author is not Author.BASELINE]


def _is_open(proposal: Proposal) -> bool:
    """Whether there is something to ask: the composer's own choices are on record, foreign programs have no past."""
    return proposal.author is not Author.COMPOSER and proposal.author not in FROM_OUTSIDE


def _kin(proposal: Proposal, load: Callable[[int], Proposal | None]) -> Iterator[tuple[int, str]]:
    """Parent, partner, references, then further ancestors, each once."""
    shown = [(proposal.parent, "parent"), (proposal.partner, "partner")]
    seen: set[int] = set()
    for index, kinship in [*shown, *((reference, "reference") for reference in proposal.references)]:
        if index is not None and index not in seen and load(index) is not None:
            seen.add(index)
            yield index, kinship
    above = None if proposal.parent is None else load(proposal.parent)
    for step in range(_ANCESTORS):
        if above is None or above.parent is None:
            return
        index, above = above.parent, load(above.parent)
        if index not in seen and above is not None:
            seen.add(index)
            yield index, "ancestor" if step else "grandparent"
