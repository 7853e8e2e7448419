from pathlib import Path

from asi_arch.report.digest import digest
from asi_arch.report.series.discoveries import discoveries, remarks
from asi_arch.testing.synthetic import synthetic_store
from asi_arch.web.pages.scaling import amount, facts

from .stores import forty, opened, published_tree, stored, verified


def test_leads_stand_over_compute_with_the_fit_and_its_numbers(tmp_path: Path) -> None:
    found = discoveries(digest(forty()))
    assert found.fit is not None and found.rate is not None and found.law is not None
    with opened(stored(tmp_path / "state", forty())) as site:
        page = site.get("/scaling")
    assert "CPU hours" in page
    assert f"<dd>{len(found.leads)}</dd>" in page
    assert f"{found.fit.slope.estimate:.3g}" in page
    assert f"R² {found.fit.r_squared:.3f}" in page
    assert f"[{found.rate.low:.3g}, {found.rate.high:.3g}]" in page
    assert f"[{found.law.exponent.low:.3g}, {found.law.exponent.high:.3g}]" in page
    assert "straight line" in page and "constant rate, 95%" in page
    assert f'href="/experiments/{found.leads[0].index}"' in page


def test_the_honest_remarks_are_on_the_page(tmp_path: Path) -> None:
    with opened(stored(tmp_path / "state", verified())) as site:
        page = site.get("/scaling")
    assert "It does not say that later finds are better" in page
    assert len(remarks(discoveries(digest(verified())))) >= 3
    assert "The latest promoted designs" in page


def test_a_campaign_that_has_its_reference_only_says_what_it_waits_for(tmp_path: Path) -> None:
    with opened(stored(tmp_path / "state", synthetic_store(1))) as site:
        page = site.get("/scaling")
    assert "no candidate has been measured yet" in page
    assert "What it means" not in page


def test_an_imported_campaign_counts_designs_in_the_place_of_compute(tmp_path: Path) -> None:
    with opened(stored(tmp_path / "state", published_tree())) as site:
        page = site.get("/scaling")
    names = [fact.name for fact in facts(discoveries(digest(published_tree())))]
    assert "promoted" not in names and "experiments" in names
    assert "in the place of compute" in page


def test_amounts_have_three_digits_or_are_whole() -> None:
    assert [amount(value) for value in (5.5432, 99.94, 1772.0)] == ["5.54", "99.9", "1,772"]
