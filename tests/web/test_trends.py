from collections.abc import Iterator

import pytest

from asi_arch.report.digest import digest
from asi_arch.report.series.parameters import Parameters, parameters
from asi_arch.report.series.rates import KINDS, course
from asi_arch.report.series.trend import pool_trend
from asi_arch.web.course import share_words
from asi_arch.web.pages.trends import size_words

from .stores import Page, forty, opened, published_tree, stored


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(stored(tmp_path_factory.mktemp("forty"), forty())) as site:
        yield site.get("/trends")


def test_the_pools_means_stand_beside_the_reference(page: Page) -> None:
    read = digest(forty())
    last, reference = pool_trend(read)[-1], read.reference
    assert last.language is not None and reference is not None
    assert f"mean of the pool after {last.experiments}: {last.language:.3f}" in page
    assert f"{reference.summary.name} {reference.summary.language_loss:.3f}" in page
    assert "loss part" in page and "recall part" in page and "judge part" in page


def test_every_kind_of_failure_is_told_with_its_interval_or_said_to_be_missing(page: Page) -> None:
    whole = course(digest(forty())).whole
    assert whole is not None
    for rate in whole.rates:
        words = f"{KINDS[rate.kind][0].upper()}{KINDS[rate.kind][1:]}: {rate.count:,}, {share_words(rate.share)}"
        assert (words in page) is bool(rate.count)
        assert rate.count or KINDS[rate.kind] in page


def test_time_is_split_by_its_use(page: Page) -> None:
    total = course(digest(forty())).total
    assert total is not None
    assert f"{100 * total.train_s / total.total_s:.1f}%" in page
    assert "of wall time" in page


def test_sizes_are_shown_with_what_makes_models_equal(page: Page) -> None:
    assert "Parameters of one mixer" in page
    assert "here 97,000 to 97,000 parameters" in page


def test_an_imported_campaign_shows_its_score_and_says_what_is_missing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with opened(stored(tmp_path_factory.mktemp("imported"), published_tree())) as site:
        page = site.get("/trends")
    best = pool_trend(digest(published_tree()))[-1].best
    assert f"best after 50: {best:.3f}" in page
    assert "Parameters of the whole model, as published" in page
    assert "What failed and what it cost is not in the imported data." in page


def test_a_long_trend_keeps_its_end() -> None:
    read = digest(forty())
    every = pool_trend(read)
    few = pool_trend(read, most=4)
    assert len(few) == 3
    assert few[-1] == every[-1] and few[-2] == every[-4]


def test_a_correlation_is_explained_and_none_is_not_invented() -> None:
    plain = parameters(digest(forty()))
    told = size_words(plain._replace(correlation=0.5))
    assert "+0.50 (Spearman" in told[-1]
    assert not any("Spearman" in words for words in size_words(plain._replace(correlation=None)))
    nothing = Parameters("one mixer", (), (), None, None, None, "no candidate has passed its checks yet")
    assert size_words(nothing) == ["No candidate has passed its checks yet."]
