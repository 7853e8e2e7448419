"""Where imported programs go in a campaign."""

from asi_arch.domain.candidate import Adapter, Author
from asi_arch.domain.profile import SearchSpec
from asi_arch.engine.importing import GalleryEntry, import_entries, placements
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_proposal

SEARCH = SearchSpec(baselines=("delta_net", "gated_delta_net"), recall_floor="gated_delta_net")


def entry(number: int, parent: int | None = None, *, program: str = "", result: str = "") -> GalleryEntry:
    return GalleryEntry(number, parent, f"program_{number}", "Why.", result, program or f"x = {number}\n")


def test_programs_leave_the_places_of_the_baselines_free_and_keep_their_lineage() -> None:
    store = FakeStore()
    placed = placements(store, SEARCH, [entry(30, 10), entry(10, 4), entry(20, 10)])
    import_entries(store, placed, Adapter.FLA, lambda: None)
    found = {index: (p.name, p.parent) for index, p in store.proposals().items()}
    assert found == {1: ("program_10", None), 3: ("program_20", 1), 4: ("program_30", 1)}
    assert {p.author for p in store.proposals().values()} == {Author.IMPORTED}
    assert {p.adapter for p in store.proposals().values()} == {Adapter.FLA}


def test_importing_twice_adds_nothing() -> None:
    store = FakeStore()
    entries = [entry(1), entry(2, 1)]
    import_entries(store, placements(store, SEARCH, entries), Adapter.FLA, lambda: None)
    before = store.proposals()
    again = placements(store, SEARCH, [*entries, entry(3, 2)])
    import_entries(store, again, Adapter.FLA, lambda: None)
    assert [item.is_new for item in again] == [False, False, True]
    assert store.proposals() == {**before, 4: store.proposals()[4]}
    assert store.proposals()[4].parent == 3


def test_the_same_program_under_another_name_keeps_one_place() -> None:
    placed = placements(FakeStore(), SEARCH, [entry(1, program="x = 1"), entry(2, 1, program="y = 1"), entry(3, 2)])
    assert [(item.index, item.parent, item.is_new) for item in placed] == [(1, None, True), (1, 1, False), (3, 1, True)]


def test_programs_come_after_what_the_campaign_has_and_a_published_result_stays_words() -> None:
    store = FakeStore()
    store.propose(0, make_proposal("delta_net", author=Author.BASELINE))
    store.propose(1, make_proposal("invention"))
    import_entries(store, placements(store, SEARCH, [entry(1, result="loss 4.5")]), Adapter.FLA, lambda: None)
    proposal = store.proposals()[3]
    assert proposal.motivation == "Why.\n\nPublished result, not measured here: loss 4.5"
    assert proposal.expectation == ""
