import re
from html.parser import HTMLParser

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import StoreError, UserError
from asi_arch.domain.outcome import Crashed
from asi_arch.domain.verdict import CalibrationUse, SeedSpread
from asi_arch.report.page import Formats, write_report
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_analysis, make_campaign, make_experiment, make_profile, make_proposal
from asi_arch.testing.synthetic import synthetic_store

EVIL = "$\\frac{$_<script>alert(1)</script><img src=x onerror=alert(2)>\n"
VOID = {"meta", "img", "br", "hr", "input", "link"}


ONLY_THE_PAGE = Formats(figures=(), tables=())


class Page(HTMLParser):
    """Collects tags and attributes; asserts that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.sources = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.sources += [value for name, value in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def report(store, folder, formats=ONLY_THE_PAGE):
    files = write_report(store, folder, clock=lambda: 1_800_200_000.0, formats=formats)
    return files, files.page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(verified, tmp_path_factory):
    return report(verified, tmp_path_factory.mktemp("report"), Formats(figures=("png", "svg")))


def test_a_young_campaigns_page_says_what_is_missing(young, tmp_path):
    _, text = report(young, tmp_path)
    Page(text)
    assert "Nothing was verified yet" in text


def test_the_page_is_whole_and_loads_nothing(page):
    files, text = page
    found = Page(text)
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in found.sources)
    assert not re.search(r"url\(|@import|https?://", text)
    assert "script" not in found.found
    assert found.found.count("img") == len({path.stem for path in files.figures}) == 12


def test_figures_tables_and_the_account_lie_beside_the_page(page):
    files, _ = page
    folder = files.page.parent
    assert {path.name for path in folder.iterdir()} == {"index.html", "account.md", "figures", "tables"}
    assert set((folder / "figures").iterdir()) == set(files.figures)
    assert set((folder / "tables").iterdir()) == set(files.tables)
    starts = {".png": b"\x89PNG", ".svg": b"<?xml"}
    assert all(path.read_bytes().startswith(starts[path.suffix]) for path in files.figures)
    assert {path.suffix for path in files.figures} == set(starts)


def test_the_page_tells_the_whole_story(page):
    _, text = page
    for part in (
        "A discovery: ",
        "What the early stop saved, and how often it was wrong",
        "What the words mean",
        "Threats to validity",
        "Verified with fresh seeds",
        "Difference to the parent",
        "What was not measured",
        "prefers-color-scheme: dark",
        "2027-01-17 15:33 UTC",
        'class="badge">verified',
    ):
        assert part in text


def test_no_text_of_others_becomes_markup(tmp_path):
    store = FakeStore()
    store.create(make_campaign(make_profile(description=EVIL, name=EVIL)).model_copy(update={"data_description": EVIL}))
    for index, name in ((0, "delta_net"), (2, "linear_attention")):
        proposal = make_proposal(name, author=Author.BASELINE)
        store.record(make_experiment(index, proposal, recall=(0.3, 0.3)), 0.5)
    texts = {"motivation": EVIL, "change": EVIL, "expectation": EVIL, "mechanisms": (EVIL,), "source": f"x = '{EVIL}'"}
    analysis = make_analysis().model_copy(update={"design": EVIL, "lessons": EVIL, "findings": (EVIL,), "note": EVIL})
    experiment = make_experiment(1, make_proposal(EVIL, parent=0, **texts))
    store.record(experiment.model_copy(update={"analysis": analysis}), 0.6)
    store.record(make_experiment(3, outcome=Crashed(reason=EVIL)), None)
    _, text = report(store, tmp_path)
    found = Page(text)
    assert "script" not in found.found
    assert found.found.count("img") == 9
    assert "&lt;script&gt;" in text
    assert "<script>" not in (tmp_path / "account.md").read_text()


def test_an_imported_campaigns_page_shows_what_was_published_and_says_what_is_missing(imported, tmp_path):
    files, text = report(imported, tmp_path, Formats(figures=("svg",)))
    found = Page(text)
    assert found.found.count("img") == len(files.figures) == 6
    assert "Published by others and not measured here: a published tree." in text
    assert (
        "Not drawn: figure-7-mechanisms and figure-7-pairs; what designs are made of is not in the imported data."
        in text
    )
    assert "495,730,000" in text
    profile = imported.campaign().profile
    for placeholder in (profile.description, "asi-arch verify best", f"{profile.language.steps:,} steps", "delta_net"):
        assert placeholder not in text


def test_what_failed_elsewhere_is_told_as_its_source_says(imported_of, tmp_path):
    store = imported_of([(1, None, 1.0), (2, 1, 1.5)])
    store.record(store.experiment(2).model_copy(update={"index": 3, "outcome": Crashed(reason="out of memory")}), None)
    files, text = report(store, tmp_path)
    Page(text)
    assert "out of memory" in text
    assert "Of 3 designs, 2 have a result, by their source." in files.account.read_text()


def test_an_import_without_any_score_is_reported(imported_of, tmp_path):
    _, text = report(imported_of([(1, None, None), (2, 1, None)]), tmp_path)
    Page(text)
    assert "The scores of its designs are not in the imported data." in text


def test_the_page_says_why_a_fitness_is_missing(tmp_path, store_of):
    _, text = report(store_of(make_experiment(1, recall=(0.1, 0.1))), tmp_path)
    Page(text)
    assert "vetoed: its multi-query recall of 0.100 is below 0.250, linear_attention&#39;s less the noise" in text


def test_a_page_is_replaced_whole(tmp_path):
    store = synthetic_store(1)
    (tmp_path / "index.html").write_text("x" * 10_000_000)
    _, first = report(store, tmp_path)
    _, second = report(store, tmp_path)
    assert first == second
    Page(first)


def test_a_folder_that_can_not_be_written_is_named(tmp_path, campaign):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(UserError, match=r"can't be written to .*file.*--out"):
        report(campaign, blocked)


def test_a_store_without_a_campaign_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no campaign yet"):
        report(FakeStore(), tmp_path)


@pytest.mark.slow
def test_two_thousand_experiments_are_reported_within_twenty_seconds_of_cpu(tmp_path):
    import time

    store = synthetic_store(2000)
    started = time.process_time()
    report(store, tmp_path, Formats())
    assert time.process_time() - started < 20


def test_the_spread_of_the_baseline_is_told_where_the_verdict_knows_it(verified, tmp_path):
    (verdict,) = verified.verdicts()
    name, quantity = verdict.comparisons[0].baseline, verdict.comparisons[0].quantity
    spread = SeedSpread(baseline=name, quantity=quantity, mean=1.6, std=0.0123, seeds=8)
    use = CalibrationUse(at=0.0, machine="", is_cached=False, noise_nats=0.02, degrees=47, spreads=(spread,))
    store = synthetic_store(1)
    store.save_verdict(verdict)
    assert "standard deviation between its trainings" not in report(store, tmp_path / "without")[1]
    store.save_verdict(verdict.model_copy(update={"calibration": use}))
    text = report(store, tmp_path / "with")[1]
    assert f"{name} ± 0.0123 (8 seeds)" in text
    assert "standard deviation between its trainings" in text
