import pytest

from asi_arch.report.digest import digest
from asi_arch.report.series.mechanisms import FEWEST_PROMOTED, gallery_of, mechanisms
from asi_arch.testing.records import make_experiment, make_proposal
from asi_arch.testing.synthetic import add_verdict, synthetic_store


def made_of(index, *names):
    proposal = make_proposal(f"idea {index}", parent=0).model_copy(update={"mechanisms": names})
    return make_experiment(index, proposal)


@pytest.fixture
def found(store_of):
    experiments = [made_of(1, "a", "b"), made_of(3, "a", "a"), made_of(4, "b"), made_of(5, "c"), made_of(6, "b", "c")]
    return mechanisms(digest(store_of(*experiments, fitness={1: 0.9, 3: 0.8, 4: 0.7, 5: 0.6})))


def test_shares_are_of_the_gallery_and_of_the_rest(found):
    assert (found.gallery, found.gallery_size, found.rest_size) == ("the fittest 2", 2, 3)
    shares = {m.name: (m.gallery, m.rest, m.uses) for m in found.found}
    assert shares == {"a": (1.0, 0.0, 2), "b": (0.5, pytest.approx(2 / 3), 3), "c": (0.0, pytest.approx(2 / 3), 2)}
    assert [m.name for m in found.found] == ["b", "a", "c"]


def test_enrichment_has_an_interval_even_of_zero(found):
    a = next(m for m in found.found if m.name == "a")
    assert a.enrichment.estimate == pytest.approx((2.5 / 2.5) / (0.5 / 3.5))
    assert a.enrichment.low < a.enrichment.estimate < a.enrichment.high


def test_pairs_count_designs_with_both_against_independent_use(found):
    assert found.pairs.names == ("b", "a", "c")
    assert found.pairs.counts == ((3, 1, 1), (1, 2, 0), (1, 0, 2))
    assert found.pairs.lifts[0] == (None, pytest.approx(1 * 5 / (3 * 2)), pytest.approx(5 / 6))


def test_enough_promoted_designs_are_the_gallery():
    store = synthetic_store(30)
    best = store.pool(FEWEST_PROMOTED, 100)
    for number, summary in enumerate(best):
        verdict = add_verdict(store, summary.index)
        store.save_verdict(verdict.model_copy(update={"is_promoted": True}))
        name, gallery, rest = gallery_of(digest(store))
        is_enough = number + 1 == FEWEST_PROMOTED
        assert (name == f"the {FEWEST_PROMOTED} promoted designs") is is_enough
        assert len(gallery) + len(rest) == len(digest(store).candidates)


def test_what_is_missing_is_said(store_of, imported):
    assert mechanisms(digest(store_of(made_of(1, "a")))).missing.startswith("fewer than two")
    assert "asi-arch provenance" in mechanisms(digest(store_of(made_of(1), made_of(3)))).missing
    assert mechanisms(digest(imported)).missing == "what designs are made of is not in the imported data"
