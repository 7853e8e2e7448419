import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asi_arch.report.digest import digest
from asi_arch.report.findings import discoveries
from asi_arch.stats.wording import q_text
from asi_arch.testing.records import make_proposal
from asi_arch.testing.synthetic import add_verdict, synthetic_store
from asi_arch.web.pages.gallery import PER_PAGE, sentence

from .stores import Page, forty, opened, published_tree, stored, verified


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(stored(tmp_path_factory.mktemp("verified"), verified())) as site:
        yield site.get("/gallery")


def test_a_promoted_design_comes_first_with_its_verdict(page: Page) -> None:
    read = digest(verified())
    first, second = read.verdicts[0], read.verdicts[-1]
    assert page.text.index(f'href="/experiments/{first.index}"') < page.text.index(
        f'href="/experiments/{second.index}"'
    )
    assert page.text.count('<span class="badge">promoted</span>') == 1
    assert "Language loss better than delta_net by 0.041 ± 0.018 nats (95%)" in page
    assert "\u22120.041 ± 0.018" in page
    assert q_text(discoveries(read.verdicts, read.yardstick.reference)[first.sha]) in page


def test_why_another_is_not_promoted_is_said(page: Page) -> None:
    assert "In the vault, blind: not distinguishable" in page or "in the vault, blind: not distinguishable" in page


def test_a_card_tells_the_idea_its_parents_and_what_to_do_next(page: Page) -> None:
    index = digest(verified()).verdicts[0].index
    assert "one decay for every channel instead of one for all" in page
    assert "child of <a" in page
    assert 'href="/experiments?q=channel_decay"' in page
    assert re.search(rf'data-copy="asi-arch verify {index} --seeds 8 --state ', page.text)


def test_the_fittest_that_nobody_verified_are_leads(page: Page) -> None:
    read = digest(verified())
    seen = {verdict.sha for verdict in read.verdicts}
    fittest = max(
        (line.summary for line in read.candidates if line.summary.fitness and line.summary.sha not in seen),
        key=lambda summary: summary.fitness or 0.0,
    )
    leads = page.text[page.text.index('id="leads"') :]
    assert f"asi-arch verify {fittest.index} --state" in leads
    assert f"fitness {fittest.fitness:.3f}" in leads


def test_without_a_verdict_the_page_says_how_to_get_one(tmp_path: Path) -> None:
    with opened(stored(tmp_path / "state", forty())) as site:
        page = site.get("/gallery")
    assert "Nothing is verified yet" in page
    assert "asi-arch verify best --state" in page


def test_many_cards_come_in_pages_and_strange_programs_are_named_by_their_hash(tmp_path: Path) -> None:
    store = synthetic_store(48)
    measured = [s.index for s in store.pool(100, 1000)][: PER_PAGE + 1]
    verdicts = [add_verdict(store, index) for index in measured]
    store.save_verdict(verdicts[0].model_copy(update={"sha": "f" * 64, "index": None}))
    with opened(stored(tmp_path / "state", store)) as site:
        first, last = site.get("/gallery"), site.get("/gallery?page=2")
    assert first.text.count('<article class="card') == PER_PAGE
    assert last.text.count('<article class="card') == len(verdicts) + 1 - PER_PAGE
    assert "source ffffffff" in first.text + last.text


def test_of_an_imported_campaign_the_designs_published_in_detail_are_shown(tmp_path: Path) -> None:
    with opened(stored(tmp_path / "state", published_tree())) as site:
        page = site.get("/gallery")
    assert page.text.count('<article class="card') == 2
    assert "label_40" in page and "0.610" in page and "495,730,000" in page
    assert "Of 2 designs more than a score was published" in page


def test_an_idea_is_one_sentence() -> None:
    assert sentence(make_proposal(change="", motivation="First. Second.")) == "First."
    assert sentence(make_proposal(change="One change", motivation="First.")) == "One change"
    assert len(sentence(make_proposal(change="x" * 1000))) < 250
