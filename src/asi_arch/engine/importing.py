"""Programs by others as proposals of a campaign, which `CampaignLoop` takes up as if it had invented them itself."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from asi_arch.domain.candidate import Adapter, Author, Proposal, fingerprint
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import SearchSpec
from asi_arch.search.sampling import Schedule

_CLAIM = 500
"""Characters of a published result that are kept."""


class GalleryEntry(NamedTuple):
    """A program as it was published. `number` and `parent` count the publication's experiments, not ours."""

    number: int
    parent: int | None
    name: str
    motivation: str
    result: str
    program: str


class Placed(NamedTuple):
    """An entry's experiment here; `is_new` unless the same program was there before."""

    entry: GalleryEntry
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.index is never called
    parent: int | None
    is_new: bool


def placements(store: Store, search: SearchSpec, entries: Sequence[GalleryEntry]) -> list[Placed]:
    """Where each entry goes: after all proposals there are, in order of their numbers, baselines' places left free.

    A program that is there already, in the store or earlier among the entries, keeps its place and is not added again.
    A parent that is not among the entries is forgotten.
    """
    schedule, known = Schedule(search), store.fingerprints()
    index = max(store.proposals(), default=-1) + 1
    found: dict[int, Placed] = {}
    for entry in sorted(entries, key=lambda entry: entry.number):
        above = found.get(entry.parent) if entry.parent is not None else None
        parent = None if above is None else above.index
        mark = fingerprint(entry.program)
        if mark in known:
            found[entry.number] = Placed(entry, known[mark], parent, is_new=False)
            continue
        while schedule.baseline_at(index) is not None:
            index += 1
        known[mark] = index
        found[entry.number] = Placed(entry, index, parent, is_new=True)
        index += 1
    return list(found.values())


def import_entries(store: Store, placed: Sequence[Placed], adapter: Adapter, done: Callable[[], None]) -> None:
    """Store the new ones as proposals; `done` is called after each entry. A transaction around it is the caller's."""
    for item in placed:
        if item.is_new:
            store.propose(item.index, _proposal(item, adapter))
        done()


def _proposal(item: Placed, adapter: Adapter) -> Proposal:
    entry = item.entry
    claim = f"Published result, not measured here: {entry.result[:_CLAIM]}" if entry.result else ""
    return Proposal(
        author=Author.IMPORTED,
        name=entry.name,
        motivation="\n\n".join(part for part in (entry.motivation, claim) if part),
        source=entry.program,
        adapter=adapter,
        fingerprint=fingerprint(entry.program),
        parent=item.parent,
    )
