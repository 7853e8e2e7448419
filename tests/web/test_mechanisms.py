import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.provenance import Element, Namer, Origin, Provenance, Tracer
from asi_arch.report.digest import digest
from asi_arch.report.series.mechanisms import mechanisms
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.web.pages.mechanisms import PER_PAGE, Sort, table, tint

from .stores import Site, copied, opened, stored

RARE = "a/b & c"


def campaign() -> FakeStore:
    """Sixty designs: the fittest ten have what others lack, and each has a mechanism of its own."""
    store = FakeStore()
    store.create(make_campaign())
    for index in range(60):
        names = ("decay", "special" if index >= 50 else "gate", f"own_{index}" if index else RARE)
        store.record(make_experiment(index, make_proposal(f"m{index}", mechanisms=names)), 0.3 + index / 100)
    return store


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(stored(tmp_path_factory.mktemp("sixty"), campaign())) as found:
        yield found


def test_use_in_the_gallery_stands_beside_the_rest(site: Site) -> None:
    page = site.get("/mechanisms")
    found = {m.name: m for m in mechanisms(digest(campaign())).found}["special"]
    assert (found.in_gallery, found.in_rest) == (10, 0)
    assert "in the fittest 10" in page
    assert f"{found.enrichment.estimate:.0f}\u00d7 [{found.enrichment.low:.2g}, " in page
    assert 'href="/experiments?q=special"' in page


def test_names_are_quoted_in_addresses(site: Site) -> None:
    page = site.get("/mechanisms")
    assert 'href="/experiments?q=a/b%20%26%20c"' in page
    assert RARE not in page


def test_the_table_is_sorted_as_asked_and_paged(site: Site) -> None:
    by_use, by_enrichment = site.get("/mechanisms"), site.get("/mechanisms?sort=enrichment")
    assert _first(by_use.text) == "decay"
    assert _first(by_enrichment.text) == "special"
    assert f"page 1 of 2, {60 + 3} mechanisms" in by_use
    assert len(table(mechanisms(digest(campaign())), Sort.USE, 2)["rows"]) == 63 - PER_PAGE


def test_pairs_are_counted_and_tinted_where_chance_does_not_explain_them(site: Site) -> None:
    page = site.get("/mechanisms")
    assert "special with gate: in 0, 8.3 expected by chance" in page
    assert "less-3" in page
    assert tint(0, 8.3, 0.0) == "less-3"
    assert tint(9, 4.0, 2.25) == "more-2"
    assert tint(1, 0.3, 3.3) == "even"
    assert tint(100, 100.0, 1.0) == "even"


def test_without_provenance_the_command_that_makes_it_is_given(site: Site) -> None:
    page = site.get("/mechanisms")
    assert f"asi-arch provenance --all --state {site.folder}" in page


def test_origins_are_shown_as_soon_as_they_are_known(site: Site, tmp_path: Path) -> None:
    origins = (Origin.COGNITION, Origin.EXPERIENCE, Origin.EXPERIENCE, Origin.ORIGINAL)
    elements = tuple(Element(name=f"e{i}", origin=origin) for i, origin in enumerate(origins))
    found = Provenance(elements=elements, named_by=Namer.DESIGN, traced_by=Tracer.RECORDS)

    def trace(store: SqliteStore) -> None:
        store.append(EventKind.TRACED, 55, found.model_dump(mode="json"))

    with opened(copied(tmp_path / "state", site.folder, trace)) as traced:
        page = traced.get("/mechanisms")
    assert "25.0% [1, 81]" in page and "50.0% [7, 93]" in page
    assert "provenance is known of 1 of 60 candidates" in page
    assert "asi-arch provenance" not in page


def _first(text: str) -> str:
    found = re.search(r'class="text mechanism"><a[^>]*>([^<]*)<', text)
    assert found is not None
    return found[1]
