from collections.abc import Callable, Sequence
from random import Random

import pytest

from asi_arch.domain.candidate import Author, Proposal, candidate_sha, fingerprint
from asi_arch.domain.errors import LabError
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.minds import BadAnswer, MindError
from asi_arch.domain.outcome import CheckReport, Measured, Outcome, Run
from asi_arch.domain.ports import Brief, Progress, RunOrder
from asi_arch.domain.repairs import mended
from asi_arch.domain.review import Doubt, Review, ReviewEnd
from asi_arch.domain.revisions import Reviewers, Revision, as_proposed, repaired_versions, reviewed
from asi_arch.engine.bench import Bench
from asi_arch.engine.campaign import CampaignLoop
from asi_arch.engine.limits import Limits
from asi_arch.engine.notices import Notice, Said
from asi_arch.testing.fake_lab import FakeLab
from asi_arch.testing.fake_store import FakeStore

MakeBench = Callable[..., Bench]
DOUBT = Doubt(where="value", promised="It fades.", found="Nothing fades.", should_change=True)
FIRST = 1
"""Index of the first invention; experiment 0 is a baseline."""


def is_rejected(source: str) -> bool:
    return int(candidate_sha(source)[:8], 16) % 8 == 0


def program(text: str, *, passes: bool = True) -> str:
    """Beginning with `text`, and one that the fake lab lets pass or not."""
    return next(s for n in range(999) if is_rejected(s := f"{text}\nnumber = {n}\n") is not passes)


class Writing:
    """A researcher whose programs are free code, all of which pass."""

    def __init__(self, author: Author = Author.MODEL) -> None:
        self._author = author

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        source = program(f"value = {rng.random()}")
        return Proposal(
            author=self._author,
            name=f"Idea{brief.experiment}",
            motivation="It fades.",
            source=source,
            fingerprint=fingerprint(source),
            parent=brief.parent_index,
        )


class Doubting:
    """A checker and an author: what they say to everything, and what they were asked."""

    def __init__(
        self, doubts: Sequence[Doubt] | MindError, answer: Callable[[Proposal], Revision] | MindError | None = None
    ) -> None:
        self._doubts = doubts
        self._answer = answer
        self.read: list[tuple[int, Proposal, CheckReport]] = []
        self.asked: list[int] = []

    @property
    def both(self) -> Reviewers:
        return Reviewers(self, self)

    async def doubts(self, index: int, proposal: Proposal, checks: CheckReport) -> Sequence[Doubt]:
        self.read.append((index, proposal, checks))
        if isinstance(self._doubts, MindError):
            raise self._doubts
        return self._doubts

    async def revise(self, index: int, proposal: Proposal, doubts: Sequence[Doubt]) -> Revision:
        self.asked.append(index)
        if isinstance(self._answer, MindError):
            raise self._answer
        assert self._answer is not None, "nobody asks the author here"
        return self._answer(proposal)


def passing(proposal: Proposal) -> Revision:
    return Revision("It was dropped.", program(f"{proposal.source}faded = 1"))


def failing(proposal: Proposal) -> Revision:
    return Revision("It was dropped.", program(f"{proposal.source}faded = 1", passes=False))


def standing(_: Proposal) -> Revision:
    return Revision("The reader overlooked a line.", None)


async def run(bench: Bench, experiments: int = FIRST + 1) -> None:
    await CampaignLoop(bench, Limits(experiments=experiments), slots=1).run()


async def campaign(
    make_bench: MakeBench, doubting: Doubting, *, author: Author = Author.MODEL
) -> tuple[FakeStore, FakeLab, list[str]]:
    """With its baseline and one invention."""
    store, lab, said = FakeStore(), FakeLab(), list[Notice]()
    bench = make_bench(store, lab, listen=said.append)._replace(researcher=Writing(author), reviewers=doubting.both)
    await run(bench)
    return store, lab, [notice.text for notice in said if isinstance(notice, Said)]


def found(store: FakeStore, index: int = FIRST) -> tuple[Experiment, Review]:
    experiment = store.experiment(index)
    assert experiment is not None
    assert experiment.proposal.review is not None
    return experiment, experiment.proposal.review


def trained(lab: FakeLab) -> set[str]:
    return {order.source for order in lab.orders if order.source.startswith("value")}


async def test_a_revision_that_passes_every_check_is_trained_in_place_of_what_was_doubted(
    make_bench: MakeBench,
) -> None:
    doubting = Doubting([DOUBT], passing)
    store, lab, said = await campaign(make_bench, doubting)
    experiment, review = found(store)
    ((index, read, checks),) = doubting.read
    assert (index, checks.is_passed, doubting.asked) == (FIRST, True, [FIRST])
    assert (review.end, review.doubts, review.reason) == (ReviewEnd.REVISED, (DOUBT,), "It was dropped.")
    assert review.before == read.source != experiment.proposal.source
    assert experiment.proposal.fingerprint == fingerprint(experiment.proposal.source)
    assert trained(lab) == {experiment.proposal.source}
    assert experiment.checks is not None
    assert experiment.checks.sha == experiment.proposal.sha
    assert experiment.cost.check_cpu_s == pytest.approx(0.2)
    assert store.proposals()[FIRST] == experiment.proposal
    assert said == ["#1: 1 doubt about its code; its author revised it: It was dropped."]


async def test_a_revision_that_fails_a_check_leaves_the_program_that_passed(make_bench: MakeBench) -> None:
    store, lab, said = await campaign(make_bench, doubting := Doubting([DOUBT], failing))
    experiment, review = found(store)
    ((_, read, checks),) = doubting.read
    assert (review.end, review.before) == (ReviewEnd.REFUSED, "")
    assert review.refusal == "future: the past depends on the future"
    assert is_rejected(review.refused)
    assert (experiment.proposal.source, experiment.checks) == (read.source, checks)
    assert isinstance(experiment.outcome, Measured) or experiment.runs
    assert trained(lab) == {read.source}
    assert experiment.cost.check_cpu_s == pytest.approx(0.2)
    assert said == ["#1: 1 doubt about its code; the revision is not taken: future: the past depends on the future"]


async def test_a_revision_that_was_tried_before_is_not_taken(make_bench: MakeBench) -> None:
    store, lab, said = await campaign(make_bench, Doubting([DOUBT], lambda _: Revision("So.", "name = 'delta_net'\n")))
    experiment, review = found(store)
    assert review.refusal == "it leads to a program that was tried before"
    assert trained(lab) == {experiment.proposal.source}
    assert len(said) == 1


@pytest.mark.parametrize(
    ("doubts", "answer", "end", "told"),
    [
        ([], None, ReviewEnd.CLEAR, "#1: its code was read and keeps its promise"),
        (
            [DOUBT.model_copy(update={"should_change": False})] * 2,
            None,
            ReviewEnd.NOTED,
            "#1: 2 doubts noted about its code; none asks for a change",
        ),
        (
            [DOUBT],
            standing,
            ReviewEnd.STANDS,
            "#1: 1 doubt about its code; its author keeps it: The reader overlooked a line.",
        ),
        (
            BadAnswer("no {answer} was usable"),
            None,
            ReviewEnd.UNREAD,
            "#1: nobody could read its code against its promise: no {answer} was usable; it is trained as it is",
        ),
        (
            [DOUBT],
            BadAnswer("nothing"),
            ReviewEnd.SILENT,
            "#1: 1 doubt about its code, and no answer from its author: nothing; it is trained as it is",
        ),
    ],
)
async def test_all_else_is_trained_as_it_is_and_told(
    make_bench: MakeBench,
    doubts: Sequence[Doubt] | MindError,
    answer: Callable[[Proposal], Revision] | MindError | None,
    end: ReviewEnd,
    told: str,
) -> None:
    doubting = Doubting(doubts, answer)
    store, lab, said = await campaign(make_bench, doubting)
    experiment, review = found(store)
    ((_, read, _),) = doubting.read
    assert review.end is end
    assert experiment.proposal == reviewed(read, review)
    assert trained(lab) == {read.source}
    assert said == [told]


@pytest.mark.parametrize("author", [Author.COMPOSER, Author.DESIGNER, Author.IMPORTED, Author.USER])
async def test_only_what_a_mind_wrote_freely_is_read(make_bench: MakeBench, author: Author) -> None:
    store, _, _ = await campaign(make_bench, doubting := Doubting([DOUBT], passing), author=author)
    assert doubting.read == []
    assert [experiment.proposal.review for experiment in store.experiments()] == [None, None]


class Interrupted(FakeLab):
    """Gone with the first training of an invention."""

    async def run(self, order: RunOrder, on_progress: Callable[[Progress], None]) -> tuple[Run, bytes]:
        if order.source.startswith("value"):
            raise LabError("the machine went away")
        return await super().run(order, on_progress)


@pytest.mark.parametrize("answer", [passing, failing, standing, BadAnswer("nothing")])
async def test_a_resumed_campaign_asks_nobody_again_and_tells_the_same(
    make_bench: MakeBench, answer: Callable[[Proposal], Revision] | MindError
) -> None:
    whole, _, _ = await campaign(make_bench, Doubting([DOUBT], answer))
    store, doubting = FakeStore(), Doubting([DOUBT], answer)
    bench = make_bench(store, Interrupted())._replace(researcher=Writing(), reviewers=doubting.both)
    with pytest.raises(LabError):
        await run(bench)
    assert store.experiment(FIRST) is None
    await run(bench._replace(lab=FakeLab()))
    assert doubting.asked == [FIRST]
    assert len(doubting.read) == 1
    again, first = found(store)[0], found(whole)[0]
    assert (again.proposal, again.checks, again.runs) == (first.proposal, first.checks, first.runs)
    reviews = [[e.kind for e in s.events() if e.experiment == FIRST] for s in (store, whole)]
    assert reviews[0] == reviews[1]


async def test_what_is_in_training_already_is_not_read(make_bench: MakeBench) -> None:
    store, doubting = FakeStore(), Doubting([DOUBT], passing)
    bench = make_bench(store, FakeLab())._replace(researcher=Writing())
    await run(bench, FIRST)
    proposal = await Writing().propose(Brief(None, (), None, (), {}), Random(0))
    store.propose(FIRST, proposal)
    await run(bench)
    kept = [run for experiment in store.experiments() for run in experiment.runs if run.key.sha == proposal.sha]
    later = FakeStore()
    fresh = make_bench(later, FakeLab())._replace(researcher=Writing(), reviewers=doubting.both)
    await run(fresh, FIRST)
    later.propose(FIRST, proposal)
    later.save_run(kept[0])
    await run(fresh)
    assert doubting.read == []


class Mending:
    """Mends what was rejected by a line more."""

    async def repair(self, index: int, proposal: Proposal, outcome: Outcome) -> Proposal:
        return mended(proposal, program(f"{proposal.source}mended = 1"), failure=outcome.kind, cause="a missing line")


class Careless(Writing):
    """A researcher whose programs are rejected."""

    async def propose(self, brief: Brief, rng: Random) -> Proposal:
        proposal = await super().propose(brief, rng)
        source = program(proposal.source, passes=False)
        return proposal.model_copy(update={"source": source, "fingerprint": fingerprint(source)})


async def test_what_was_mended_is_read_once_it_passes_and_the_difference_belongs_to_its_author(
    make_bench: MakeBench,
) -> None:
    store, doubting = FakeStore(), Doubting([DOUBT], passing)
    bench = make_bench(store, FakeLab())._replace(researcher=Careless(), debugger=Mending(), reviewers=doubting.both)
    await run(bench)
    experiment, review = found(store)
    (repair,) = experiment.proposal.repairs
    ((_, read, _),) = doubting.read
    assert (review.repairs, review.before) == (1, read.source)
    assert repaired_versions(experiment.proposal) == [(repair.before, review.before)]
    assert as_proposed(experiment.proposal) == repair.before
    assert experiment.cost.check_cpu_s == pytest.approx(0.3)


def test_a_program_counts_as_it_was_proposed_whatever_came_later() -> None:
    proposal = Proposal(author=Author.MODEL, name="A", motivation="", source="a = 1\n", fingerprint="f")
    revised = reviewed(proposal, Review(end=ReviewEnd.REVISED), "b = 1\n")
    crashed = mended(revised, "c = 1\n", failure="crashed", cause="so")
    assert [as_proposed(version) for version in (proposal, revised, crashed)] == ["a = 1\n"] * 3
    assert repaired_versions(crashed) == [("b = 1\n", "c = 1\n")]
    assert crashed.review == revised.review
