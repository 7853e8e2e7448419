"""An archive as a campaign: one finished experiment for each design, ranked by the score it was published with."""

from collections.abc import Callable
from pathlib import Path

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import StoreMismatch
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import Profile
from asi_arch.domain.published import Origin
from asi_arch.domain.record import canonical_hash, sha256
from asi_arch.engine.archives.entry import Archive, Entry

ELSEWHERE = "not run here"
"""How the processes of an imported experiment were contained."""


def is_there(known: Campaign | None, origin: Origin, folder: Path) -> bool:
    """Whether these very files were imported before. Raises `StoreMismatch` where the folder holds anything else."""
    if known is None:
        return False
    if known.origin is None:
        raise StoreMismatch(
            f"{folder} holds a campaign of this program's own; import into an empty folder: --state FOLDER"
        )
    if (known.origin.format, sorted(known.origin.files.values())) != (origin.format, sorted(origin.files.values())):
        raise StoreMismatch(
            f"{folder} holds another import ({known.origin.title}); import into an empty folder: --state FOLDER"
        )
    return True


def campaign_of(archive: Archive, profile: Profile, *, version: str, now: float) -> Campaign:
    """Its identity. A campaign must have a profile; this one says of itself that nothing was run under it."""
    origin = archive.origin
    told = "Nothing of this campaign was run here: it was imported, and these values are not its own"
    return Campaign(
        profile=profile.model_copy(update={"description": told}),
        seed=0,
        data_fingerprint=canonical_hash(origin.files),
        data_description="not known: everything was measured by others",
        version=version,
        created_at=now,
        origin=origin,
    )


def write(store: Store, archive: Archive, campaign: Campaign, done: Callable[[int], None]) -> None:
    """Store all of it; `done` is told how many are. A transaction around it is the caller's."""
    store.create(campaign)
    mark = canonical_hash({"format": archive.origin.format, "files": archive.origin.files})
    protocol = campaign.protocol
    for count, entry in enumerate(archive.entries, 1):
        store.record(_experiment(entry, protocol, mark), fitness=entry.rank)
        done(count)


def _experiment(entry: Entry, protocol: str, mark: str) -> Experiment:
    return Experiment(
        index=entry.number,
        proposal=Proposal(
            author=Author.IMPORTED,
            name=entry.name,
            motivation=entry.motivation,
            change=entry.change,
            source=entry.source,
            fingerprint=sha256(f"{mark}\n{entry.number}"),
            parent=entry.parent,
            references=entry.references,
        ),
        protocol=protocol,
        containment=ELSEWHERE,
        outcome=entry.outcome,
        started_at=entry.at,
        finished_at=entry.at,
        published=entry.published,
    )
