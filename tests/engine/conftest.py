from collections.abc import Callable
from random import Random

import pytest

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author, Proposal, fingerprint
from asi_arch.domain.experiment import Analysis, Experiment, Judgement
from asi_arch.domain.outcome import CheckReport
from asi_arch.domain.ports import Brief, Evidence, Lab, Store
from asi_arch.domain.profile import Profile
from asi_arch.engine.bench import Bench, Clock
from asi_arch.engine.notices import Notice
from asi_arch.settings import load_profile


class CountingResearcher:
    """Writes programs that differ by a number drawn from the rng, and says whose child they are."""

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        source = f"value = {rng.random()}\n"
        while fingerprint(source) in brief.taken:
            source = f"value = {rng.random()}\n"
        return Proposal(
            author=Author.COMPOSER,
            name=f"Idea{rng.randrange(10**6)}",
            motivation="a number",
            source=source,
            fingerprint=fingerprint(source),
            parent=brief.parent_index,
            references=brief.reference_indices,
        )


class ConstantJudge:
    async def judge(self, proposal: Proposal, checks: CheckReport, context: Evidence) -> Judgement:
        return Judgement(judge="constant", marks=(), score=0.5)


class EvidenceAnalyst:
    """Writes down what it was shown, so that tests can compare it."""

    async def analyse(self, experiment: Experiment, context: Evidence) -> Analysis:
        siblings = [sibling.index for sibling in context.siblings]
        parent = None if context.parent is None else context.parent.index
        text = f"parent {parent}, siblings {siblings}, others {len(context.others)}, noise {context.noise_nats}"
        return Analysis(design=text, results="", expectation="", mechanism="", lessons="")


def baseline(name: str) -> Proposal:
    source = f"name = {name!r}\n"
    return Proposal(author=Author.BASELINE, name=name, motivation=name, source=source, fingerprint=fingerprint(source))


@pytest.fixture
def profile() -> Profile:
    return load_profile("smoke")


@pytest.fixture
def make_bench(profile: Profile) -> Callable[..., Bench]:
    def make(store: Store, lab: Lab, *, seed: int = 0, listen: Callable[[Notice], None] = lambda _: None) -> Bench:
        campaign = Campaign(
            profile=profile, seed=seed, data_fingerprint="d", data_description="nothing", version="0", created_at=0.0
        )
        store.create(campaign)
        clock = Clock(now=lambda: 0.0, tick=lambda: 0.0)
        return Bench(
            campaign, store, lab, CountingResearcher(), ConstantJudge(), EvidenceAnalyst(), baseline, clock, listen
        )

    return make
