from asi_arch.domain.campaign import EventKind
from asi_arch.domain.provenance import Element, Namer, Origin, Provenance, Tracer
from asi_arch.report.digest import digest
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.testing.synthetic import synthetic_store


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


def test_a_digest_stays_the_same_until_something_happens_that_is_told_in_it() -> None:
    store = campaign_of(2)
    before = digest(store)
    store.propose(2, make_proposal("p2"))
    assert digest(store, before) is before
    store.record(make_experiment(2, make_proposal("p2")), 0.5)
    assert [line.summary.index for line in digest(store, before).lines] == [0, 1, 2]


def test_a_baseline_that_is_measured_later_changes_what_all_others_are_measured_by() -> None:
    store = synthetic_store(12)
    whole, young = digest(store), FakeStore()
    young.create(make_campaign())
    baselines = {line.summary.index for line in whole.baselines}
    late = max(baselines)
    for index in [*(i for i in range(12) if i != late), late]:
        if index == late:
            before = digest(young)
        experiment = store.experiment(index)
        assert experiment is not None
        young.record(experiment, whole.lines[index].summary.fitness)
    after = digest(young, before)
    assert [line.parts for line in after.lines] == [line.parts for line in digest(young).lines]
    assert after[:5] == digest(young)[:5]
