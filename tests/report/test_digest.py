from asi_arch.domain.campaign import EventKind
from asi_arch.domain.provenance import Element, Namer, Origin, Provenance, Tracer
from asi_arch.report.digest import digest
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal


def campaign_of(count: int) -> FakeStore:
    store = FakeStore()
    store.create(make_campaign())
    for index in range(count):
        store.record(make_experiment(index, make_proposal(f"p{index}")), None)
    return store


def test_a_digest_goes_on_from_an_earlier_one_without_reading_it_again() -> None:
    store = campaign_of(3)
    read: list[int] = []
    before = digest(store, done=read.append)
    store.record(make_experiment(3, make_proposal("p3")), 0.5)
    store.set_fitness({1: 0.25})
    after = digest(store, before, done=read.append)
    assert read == [1, 2, 3, 4]
    assert after[:5] == digest(store)[:5]  # all but the yardstick, which can't be compared
    assert after.last_event == digest(store).last_event
    assert [line.summary.fitness for line in after.lines] == [None, 0.25, None, 0.5]


def test_what_was_found_out_about_a_finished_experiment_reaches_a_later_digest() -> None:
    store = campaign_of(2)
    before = digest(store)
    element = Element(name="gate", lines=(), origin=Origin.ORIGINAL)
    found = Provenance(elements=(element,), named_by=Namer.DESIGN, traced_by=Tracer.RECORDS)
    store.append(EventKind.TRACED, 1, found.model_dump(mode="json"))
    after = digest(store, before)
    assert after.lines[1].mechanisms == ("gate",)
    assert after[:5] == digest(store)[:5]  # all but the yardstick, which can't be compared
    assert after.last_event == digest(store).last_event
