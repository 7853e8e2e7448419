"""What holds for every page that is made of a whole campaign."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asi_arch.report.digest import Digest
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign
from asi_arch.web.derived import BRIEF_S, Derived

from .stores import NASTY, Site, forty, hostile, opened, published_tree, stored

WHOLE = ("/trends", "/mechanisms", "/gallery", "/scaling")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(stored(tmp_path_factory.mktemp("hostile"), hostile())) as site:
        yield site


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    store = FakeStore()
    store.create(make_campaign())
    with opened(stored(tmp_path_factory.mktemp("bare"), store)) as site:
        yield site


@pytest.mark.parametrize("path", [*WHOLE, "/compare?ids=1,3", "/experiments"])
def test_what_authors_write_is_text_on_every_page(attacked: Site, path: str) -> None:
    page = attacked.get(path)
    assert page.status == 200
    assert NASTY not in page
    assert 'style="' not in page


@pytest.mark.parametrize("path", ["/mechanisms", "/gallery", "/compare?ids=1,3", "/experiments"])
def test_it_is_not_left_out_either(attacked: Site, path: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in attacked.get(path)


@pytest.mark.parametrize("path", [*WHOLE, "/compare"])
def test_a_campaign_without_any_result_has_its_pages(bare: Site, path: str) -> None:
    page = bare.get(path)
    assert page.status == 200
    assert 'class="empty"' in page


@pytest.mark.parametrize("path", WHOLE)
def test_a_campaign_that_is_still_read_says_so_and_renews_itself(
    bare: Site, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bare.reader, "digest", lambda patience_s=0.0: None)
    page = bare.get(path)
    assert page.status == 200
    assert '<div id="whole" data-live>' in page
    assert "0 of 0 experiments are read" in page


@pytest.mark.parametrize(
    "path", ["/mechanisms?sort=beauty", "/mechanisms?page=0", "/gallery?page=x", "/gallery?page=0"]
)
def test_what_cannot_be_read_is_told_in_a_sentence(bare: Site, path: str) -> None:
    page = bare.get(path)
    assert page.status == 400
    assert "has a part that can&#39;t be read" in page


@pytest.mark.parametrize("path", ["/mechanisms?page=999", "/gallery?page=999"])
def test_a_page_beyond_the_last_is_the_last(bare: Site, path: str) -> None:
    assert bare.get(path).status == 200


def test_what_is_made_of_a_campaign_is_made_once_until_it_moves_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def count(campaign: Digest) -> int:
        made.append(len(campaign.lines))
        return made[-1]

    with opened(stored(tmp_path / "state", forty())) as site:
        derived, read = Derived(site.reader), site.reader.digest()
        assert read is not None
        assert [derived(count), derived(count)] == [40, 40]
        moved = read._replace(lines=read.lines[:30])
        monkeypatch.setattr(site.reader, "digest", lambda patience_s=0.0: moved)
        assert [derived(count), derived(count)] == [30, 30]
    assert made == [40, 30]


def test_what_takes_long_to_make_anew_is_shown_as_it_was_with_its_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()
    may_end.set()

    def count(campaign: Digest) -> int:
        time.sleep(2 * BRIEF_S)
        assert may_end.wait(20)
        return len(campaign.lines)

    with opened(stored(tmp_path / "state", forty())) as site:
        derived, now = Derived(site.reader), site.reader.digest()
        assert now is not None
        before = now._replace(lines=now.lines[:30])
        monkeypatch.setattr(site.reader, "digest", lambda patience_s=0.0: before)
        assert (derived.aged(count), derived.finished) == ((30, None), 1)
        monkeypatch.setattr(site.reader, "digest", lambda patience_s=0.0: now)
        may_end.clear()
        assert (derived(count), derived.aged(count), derived.finished) == (30, (30, 10), 1)
        may_end.set()
        while derived.finished < 2:
            time.sleep(0.01)
        assert derived.aged(count) == (40, None)


def test_what_can_not_be_made_anew_is_told_in_the_terminal_and_stays_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def total(numbers: list[int]) -> int:
        time.sleep(2 * BRIEF_S)
        return 6 // len(numbers)

    with opened(stored(tmp_path / "state", forty())) as site:
        derived = Derived(site.reader)
        assert [derived.lately(total, numbers) for numbers in ([1, 2], [])] == [3, 3]
        end = time.monotonic() + 20
        while not caplog.records and time.monotonic() < end:
            time.sleep(0.01)
        assert "a part of a page stays as it was" in caplog.text
        assert derived.lately(total, [1, 2, 3]) == 3
        while derived.finished < 2 and time.monotonic() < end:
            time.sleep(0.01)
        assert derived.finished == 2


def test_what_takes_no_time_is_always_of_now(tmp_path: Path) -> None:
    def total(numbers: list[int], more: int) -> int:
        return sum(numbers) + more

    one, other = [1, 2], [1, 2, 3]
    with opened(stored(tmp_path / "state", forty())) as site:
        derived = Derived(site.reader)
        assert [derived.lately(total, numbers, 1) for numbers in (one, one, other, one)] == [4, 4, 7, 4]
        assert derived.finished == 1  # only the first was made behind the pages' back


def test_what_pages_are_made_of_is_made_before_anybody_asks(tmp_path: Path) -> None:
    made: list[int] = []

    def count(campaign: Digest) -> int:
        made.append(len(campaign.lines))
        return made[-1]

    with opened(stored(tmp_path / "state", forty())) as site:
        derived = Derived(site.reader)
        derived.foresee(count)
        end = time.monotonic() + 20
        while not made and time.monotonic() < end:
            time.sleep(0.01)
        assert made == [40]
        assert derived(count) == 40
    assert made == [40]


def test_a_mistake_of_ours_is_raised_and_not_kept(tmp_path: Path) -> None:
    answers: list[int] = []

    def fails_once(campaign: Digest) -> int:
        answers.append(len(campaign.lines))
        if len(answers) == 1:
            raise ZeroDivisionError
        return answers[-1]

    with opened(stored(tmp_path / "state", forty())) as site:
        derived = Derived(site.reader)
        with pytest.raises(ZeroDivisionError):
            derived(fails_once)
        assert derived(fails_once) == 40


def test_an_imported_campaign_has_every_page(tmp_path: Path) -> None:
    with opened(stored(tmp_path / "state", published_tree())) as site:
        pages = {path: site.get(path) for path in (*WHOLE, "/compare?ids=40,52,3")}
    assert {page.status for page in pages.values()} == {200}
    assert "not in the imported data" in pages["/trends"]
    assert "asi-arch verify" not in pages["/gallery"]
    assert "asi-arch provenance" not in pages["/mechanisms"]
