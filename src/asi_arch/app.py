"""Composition root: the only place that names concrete classes.

`opened_store` gives a reader; `opened_bench` gives everything that an experiment needs and cleans up behind it.
"""

import os
import socket
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from asi_arch import __version__
from asi_arch.agents.analyst import NumbersAnalyst
from asi_arch.agents.composer import Composer, baseline_proposal
from asi_arch.agents.judge import RubricJudge
from asi_arch.agents.reflection import StatisticsReflector
from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import StoreError, StoreMismatch, UserError
from asi_arch.domain.ports import Store, Task
from asi_arch.domain.profile import Policy, Profile, StageName
from asi_arch.engine.bench import Bench, Clock
from asi_arch.engine.notices import Listener, Said
from asi_arch.lab.client import LocalLab
from asi_arch.lab.sandbox.tier import Offer, Tier, best_offer, complaint_about
from asi_arch.machine import machine_class
from asi_arch.mixers import baselines
from asi_arch.settings import Settings, load_profile
from asi_arch.store.calibrations import CalibrationCache
from asi_arch.store.sqlite import SqliteStore
from asi_arch.tasks.catalog import build_tasks, data_description, data_fingerprint

CLOCK = Clock(now=time.time, tick=time.monotonic)
DEFAULT_PROFILE = "cpu"
FOREIGN = frozenset({Author.IMPORTED, Author.USER, Author.MODEL})
"""Authors of whose code we did not write every line."""


class Wish(NamedTuple):
    """What the user asked for; None means 'whatever the campaign has, or the default for a new one'."""

    profile: str | None = None
    seed: int | None = None
    policy: Policy | None = None
    data: str | None = None
    reflection: bool | None = None


@lru_cache
def baseline(name: str) -> Proposal:
    """The proposal of a baseline that ships. Raises `ProfileError` for an unknown name."""
    found = baselines.load(name)
    return baseline_proposal(found.name, found.source, found.motivation, found.title)


@contextmanager
def opened_store(folder: Path, *, read_only: bool) -> Generator[SqliteStore]:
    """The campaign in `folder`. A writer holds its lock."""
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    owner = f"process {os.getpid()} on {socket.gethostname()}, since {started}"
    store = SqliteStore.open(folder, clock=CLOCK.now, owner=owner, read_only=read_only)
    try:
        yield store
    finally:
        store.close()


def existing_campaign(store: Store, folder: Path) -> Campaign:
    """The store's campaign. Raises `StoreError` for an empty store."""
    campaign = store.campaign()
    if campaign is None:
        raise StoreError(f"{folder} holds no campaign yet; start one with: asi-arch run --state {folder}")
    return campaign


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
            yield _bench(campaign, store, lab, listen, settings)


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


def wished_profile(wish: Wish) -> Profile:
    """The profile named by the user with the other wishes put in."""
    profile = load_profile(wish.profile or DEFAULT_PROFILE)
    if wish.policy is not None:
        search = profile.search.model_copy(update={"policy": wish.policy})
        profile = profile.model_copy(update={"search": search})
    if wish.data is not None:
        profile = profile.model_copy(update={"language": profile.language.model_copy(update={"data": wish.data})})
    if wish.reflection is not None:
        agents = profile.agents.model_copy(update={"reflection": wish.reflection})
        profile = profile.model_copy(update={"agents": agents})
    return profile


def asked_profile(wish: Wish, known: Campaign | None, folder: Path) -> Profile:
    """A campaign's own profile, unless the user asked for another one: that is refused, naming what differs."""
    if known is None:
        return wished_profile(wish)
    own = known.profile
    if wish.seed is not None and wish.seed != known.seed:
        raise _mismatch(folder, f"has seed {known.seed}, not {wish.seed}")
    if wish.policy is not None and wish.policy is not own.search.policy:
        raise _mismatch(folder, f"has the policy '{own.search.policy.value}', not '{wish.policy.value}'")
    if wish.data is not None and wish.data != own.language.data:
        raise _mismatch(folder, f"was trained on {own.language.data!r}, not {wish.data!r}")
    if wish.reflection is not None and wish.reflection != own.agents.reflection:
        raise _mismatch(folder, "was started to reflect" if own.agents.reflection else "was started without --reflect")
    if wish.profile is not None:
        same_rest = Wish(wish.profile, None, own.search.policy, own.language.data, own.agents.reflection)
        asked = wished_profile(same_rest)
        if asked.profile_hash != own.profile_hash:
            names = f"'{own.name}' ({own.profile_hash[:8]}), not '{asked.name}' ({asked.profile_hash[:8]})"
            raise _mismatch(folder, f"was made with the profile {names}")
    return own


def _mismatch(folder: Path, what: str) -> StoreMismatch:
    advice = "leave the option out to go on with it, or choose another folder with --state"
    return StoreMismatch(f"{folder} {what}; {advice}")


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
