"""Composition root: the only place that names concrete classes.

`opened_bench` gives everything that an experiment needs and cleans up behind it.
"""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from pathlib import Path

from asi_arch import __version__
from asi_arch.agents.analyst import NumbersAnalyst
from asi_arch.agents.composer import Composer, baseline_proposal
from asi_arch.agents.judge import RubricJudge
from asi_arch.agents.reflection import StatisticsReflector
from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import StoreMismatch, UserError
from asi_arch.domain.ports import Store, Task
from asi_arch.domain.profile import Profile, StageName
from asi_arch.engine.bench import Bench
from asi_arch.engine.notices import Listener, Said
from asi_arch.engine.progress_file import ProgressFile
from asi_arch.folders import CLOCK, existing_campaign, opened_store
from asi_arch.lab.client import LocalLab
from asi_arch.lab.sandbox.tier import Offer, Tier, best_offer, complaint_about
from asi_arch.machine import machine_class
from asi_arch.mixers import baselines
from asi_arch.settings import Settings
from asi_arch.store.calibrations import CalibrationCache
from asi_arch.store.sqlite import SqliteStore
from asi_arch.tasks.catalog import build_tasks, data_description, data_fingerprint
from asi_arch.wishes import Wish, asked_profile

FOREIGN = frozenset({Author.IMPORTED, Author.USER, Author.MODEL})
"""Authors of whose code we did not write every line."""


@lru_cache
def baseline(name: str) -> Proposal:
    """The proposal of a baseline that ships. Raises `ProfileError` for an unknown name."""
    found = baselines.load(name)
    return baseline_proposal(found.name, found.source, found.motivation, found.title)


@contextmanager
def opened_campaign(folder: Path, wish: Wish, settings: Settings) -> Generator[tuple[Campaign, SqliteStore]]:
    """Open or create the campaign to write to it, without a lab."""
    with opened_store(folder, read_only=False) as store:
        known = store.campaign()
        profile = asked_profile(wish, known, folder)
        campaign = _campaign(profile, wish, known, build_tasks(profile, settings.cache))
        if known is None:
            store.create(campaign)
        yield campaign, store


@asynccontextmanager
async def opened_bench(
    folder: Path, wish: Wish, settings: Settings, *, listen: Listener, must_exist: bool = False
) -> AsyncGenerator[Bench]:
    """Open or create the campaign, build its data, start the warm parent; close all of it in the end."""
    with opened_store(folder, read_only=False) as store:
        known = existing_campaign(store, folder) if must_exist else store.campaign()
        profile = asked_profile(wish, known, folder)
        tasks = build_tasks(profile, settings.cache)
        campaign = _campaign(profile, wish, known, tasks)
        if known is None:
            for name in profile.search.baselines:
                baseline(name)
            store.create(campaign)
        if any(proposal.author in FOREIGN for proposal in store.proposals().values()):
            require_containment(settings, "Imported programs are run in no other way")
        for reason in chosen_tier(settings).missing:
            listen(Said(f"{reason}; candidates run in the tier '{chosen_tier(settings).tier.value}'"))
        async with opened_lab(profile, tasks, campaign.protocol, settings) as lab:
            telling = ProgressFile(folder, listen, now=CLOCK.now)
            yield _bench(campaign, store, lab, telling.listen, settings)


@asynccontextmanager
async def scratch_bench(
    folder: Path, profile: Profile, settings: Settings, *, listen: Listener = lambda _: None
) -> AsyncGenerator[Bench, None]:
    """A bench for measuring: a new campaign with this very profile in an empty folder."""
    with opened_store(folder, read_only=False) as store:
        tasks = build_tasks(profile, settings.cache)
        campaign = _campaign(profile, Wish(), None, tasks)
        store.create(campaign)
        async with opened_lab(profile, tasks, campaign.protocol, settings) as lab:
            yield _bench(campaign, store, lab, listen, settings)


def _bench(campaign: Campaign, store: Store, lab: LocalLab, listen: Listener, settings: Settings) -> Bench:
    folder, machine = settings.cache / "calibrations", machine_class(campaign.profile.device)
    return Bench(
        campaign=campaign,
        store=store,
        lab=lab,
        researcher=Composer(),
        judge=RubricJudge(),
        analyst=NumbersAnalyst(),
        baseline=baseline,
        clock=CLOCK,
        listen=listen,
        calibrations=CalibrationCache(folder, machine, lambda text: listen(Said(text))),
        reflector=StatisticsReflector() if campaign.profile.reflects else None,
    )


def chosen_tier(settings: Settings) -> Offer:
    """The tier of containment that was asked for, by default the best there is.

    Raises `UserError` when the one asked for can't be had here.
    """
    if settings.containment == "auto":
        return best_offer()
    tier, complaint = Tier(settings.containment), complaint_about(Tier(settings.containment))
    if complaint:
        raise UserError(f"containment '{tier.value}' can't be had here: {complaint}; 'auto' takes the best there is")
    return Offer(tier, ())


_AT_ONES_OWN_RISK = "To run it all the same, with access to your files and your network, add --without-containment"


def require_containment(settings: Settings, way_out: str = _AT_ONES_OWN_RISK) -> None:
    """Raises `UserError` when code of unknown origin could not be kept in; `way_out` says what can be done."""
    offer = chosen_tier(settings)
    if not offer.tier.is_contained:
        reason = "; ".join(offer.missing) or "containment 'process' was asked for"
        raise UserError(f"nothing here can contain code of unknown origin ({reason}). {way_out}")


@asynccontextmanager
async def opened_lab(
    profile: Profile, tasks: Mapping[StageName, Task], protocol: str, settings: Settings
) -> AsyncGenerator[LocalLab]:
    """A lab with its warm parent started."""
    reference = baseline(profile.search.baselines[0])
    lab = LocalLab(
        profile,
        tasks,
        reference_source=reference.source,
        protocol=protocol,
        workers=settings.workers,
        tier=chosen_tier(settings).tier,
    )
    await lab.start()
    try:
        yield lab
    finally:
        await lab.close()


def _campaign(profile: Profile, wish: Wish, known: Campaign | None, tasks: Mapping[StageName, Task]) -> Campaign:
    """The known campaign if its data are still the same, or a new one."""
    fingerprint, description = data_fingerprint(tasks), data_description(tasks)
    if known is None:
        return Campaign(
            profile=profile,
            seed=wish.seed or 0,
            data_fingerprint=fingerprint,
            data_description=description,
            version=__version__,
            created_at=CLOCK.now(),
        )
    if known.data_fingerprint != fingerprint:
        raise StoreMismatch(
            f"the data have changed under this campaign: it was started on {known.data_description}; now there is"
            f" {description}. Its results can be read but not continued: use the Python and the asi-arch it was"
            " started with, or start a new campaign with --state"
        )
    return known
