from collections.abc import Sequence
from typing import Any

from asi_arch.agents.composer import BASELINE_DESIGNS, baseline_proposal, rendered
from asi_arch.agents.minds.components import MindNamer
from asi_arch.agents.minds.provenance import MindTracer
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.cognition import Entry, Passage, Theme
from asi_arch.domain.minds import MindError, MindUnavailable, OverBudget
from asi_arch.domain.provenance import Namer, Origin, Provenance, Tracer, provenances
from asi_arch.engine.tracing import Minds, Tracing, traceable
from asi_arch.testing.fake_mind import FakeMind
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal

LINE = "state = kept * state + (1 - kept) * value[:, step]"
NAMED: dict[str, Any] = {
    "known": [{"name": "channel_decay", "lines": ["torch.sigmoid(self.decay)"]}],
    "new": [{"name": "fading average", "lines": [LINE]}],
}
ENTRY = Entry(
    id="2401.00001-1", trigger="x", background="x", algorithm="A data-dependent decay per channel.", guidance="x"
)
PASSAGE = Passage(arxiv="2401.00001", year=2024, paper="Paper", theme=Theme.DECAY, entry=ENTRY, score=1.0)


def claims(**origins: tuple[str, str]) -> dict[str, Any]:
    return {
        "claims": [
            {"element": name, "origin": origin, "evidence": evidence, "reason": "As its code shows."}
            for name, (origin, evidence) in origins.items()
        ]
    }


CLAIMED = claims(channel_decay=("cognition", "2401.00001"), fading_average=("experience", "0"))


def composed(name: str, key: str, **changes: object) -> Proposal:
    design = BASELINE_DESIGNS[key]
    proposal = baseline_proposal(key, rendered(design, name), "", name)
    return proposal.model_copy(update={"author": Author.COMPOSER, **changes})


def store_of(*proposals: Proposal) -> FakeStore:
    store = FakeStore()
    store.create(make_campaign())
    for index, proposal in enumerate(proposals):
        add(store, index, proposal)
    return store


def add(store: FakeStore, index: int, proposal: Proposal) -> None:
    store.propose(index, proposal)
    store.record(make_experiment(index, proposal), 0.5)


def small_store() -> FakeStore:
    """A baseline, a composed child of it, and a free program that is a child of that one."""
    free = make_proposal("Free", author=Author.MODEL, parent=1, references=(0,), passages=("2401.00001-1", "gone-1"))
    return store_of(
        composed("DeltaNet", "delta_net", author=Author.BASELINE),
        composed("Gated", "gated_delta_net", parent=0),
        free,
    )


def passages_of(ids: Sequence[str]) -> list[Passage]:
    return [PASSAGE for entry in ids if entry == ENTRY.id]


def tracing(store: FakeStore, mind: FakeMind | None = None, said: list[str] | None = None) -> Tracing:
    minds = Minds(MindNamer(mind), MindTracer(mind)) if mind else Minds()
    return Tracing(store, passages_of, minds, (said if said is not None else []).append)


async def traced(
    store: FakeStore, mind: FakeMind | None = None, said: list[str] | None = None
) -> dict[int, Provenance]:
    work = tracing(store, mind, said)
    for index in work.due(traceable(store)):
        await work.trace(index)
    return provenances(store.events())


def events(store: FakeStore) -> int:
    return sum(event.kind is EventKind.TRACED for event in store.events())


async def test_without_a_model_designs_and_records_decide() -> None:
    found = await traced(small_store())
    assert sorted(found) == [1, 2], "a baseline was given, not proposed"
    gated = {element.name: (element.origin, element.experiment) for element in found[1].elements}
    assert gated["delta_rule"] == (Origin.EXPERIENCE, 0)
    assert gated["scalar_decay"] == (Origin.ORIGINAL, None)
    assert (found[1].named_by, found[1].traced_by) == (Namer.DESIGN, Tracer.RECORDS)
    assert (found[2].named_by, found[2].traced_by) == (Namer.CODE, Tracer.RECORDS)


async def test_a_model_is_asked_about_free_programs_only_and_never_twice() -> None:
    store, mind = small_store(), FakeMind([NAMED, CLAIMED])
    found = await traced(store, mind)
    assert len(mind.prompts) == 2
    assert [(e.name, e.origin, e.paper, e.experiment) for e in found[2].elements] == [
        ("channel_decay", Origin.COGNITION, "2401.00001", None),
        ("fading_average", Origin.EXPERIENCE, "", 0),
    ]
    assert (found[2].named_by, found[2].traced_by, found[1].traced_by) == (Namer.MODEL, Tracer.MODEL, Tracer.RECORDS)
    assert await traced(store, mind) == found
    assert (len(mind.prompts), events(store)) == (2, 2)


async def test_what_was_found_without_a_model_is_replaced_once_one_is_asked() -> None:
    store = small_store()
    before = await traced(store)
    found = await traced(store, FakeMind([NAMED, CLAIMED]))
    assert found[1] == before[1]
    assert (before[2].named_by, found[2].named_by) == (Namer.CODE, Namer.MODEL)
    assert events(store) == 3
    assert await traced(store) == found, "and stays without one"


async def test_a_components_names_are_kept_when_only_the_origins_are_missing() -> None:
    store, said = small_store(), list[str]()
    first = await traced(store, FakeMind([NAMED, {"claims": []}]), said)
    assert (first[2].named_by, first[2].traced_by) == (Namer.MODEL, Tracer.RECORDS)
    assert first[2].elements[0].origin is Origin.COGNITION, "by the words of the passage"
    assert "the origins are told from the records" in first[2].note
    assert said == ["#2: no reply was usable; the origins are told from the records"]
    mind = FakeMind([CLAIMED])
    found = await traced(store, mind)
    assert len(mind.prompts) == 1
    assert found[2].traced_by is Tracer.MODEL


async def test_failures_store_nothing_anew_over_what_is_known() -> None:
    store = small_store()
    before = await traced(store)
    assert await traced(store, FakeMind([{}, {}])) == before
    assert events(store) == 2


async def test_who_can_not_be_reached_or_paid_is_asked_once() -> None:
    errors: list[MindError] = [MindUnavailable("the line is dead"), OverBudget("nothing left")]
    for error in errors:
        store, said = small_store(), list[str]()
        add(store, 3, make_proposal("Later", author=Author.MODEL))
        mind = FakeMind([error])
        found = await traced(store, mind, said)
        assert len(mind.prompts) == 1
        assert [found[index].named_by for index in (2, 3)] == [Namer.CODE, Namer.CODE]
        assert said[-1] == "no more questions are asked; the same command asks for what is missing"
        assert tracing(store, FakeMind([])).due([1, 2, 3]) == [2, 3]


async def test_of_imported_programs_the_components_are_named_and_no_origin() -> None:
    store = store_of(make_proposal("Published", author=Author.IMPORTED))
    mind = FakeMind([NAMED])
    found = await traced(store, mind)
    assert len(mind.prompts) == 1, "nobody is asked for the origins"
    assert [element.origin for element in found[0].elements] == [None, None]


async def test_a_component_found_by_a_model_is_experience_for_a_child() -> None:
    store = small_store()
    add(store, 3, make_proposal("Child", author=Author.MODEL, parent=2))
    answers: list[dict[str, Any]] = [NAMED, CLAIMED, NAMED, {"claims": []}]
    found = await traced(store, FakeMind(answers))
    assert {(element.origin, element.experiment) for element in found[3].elements} == {(Origin.EXPERIENCE, 2)}


async def test_the_model_is_shown_the_family_of_a_proposal() -> None:
    store, mind = small_store(), FakeMind([NAMED, CLAIMED])
    await traced(store, mind)
    asked = mind.prompts[1].user
    assert "1 (parent): delta_rule, scalar_decay" in asked
    assert "0 (reference): delta_rule" in asked
    assert "2401.00001" in asked
    assert "gone" not in asked
