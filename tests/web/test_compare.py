from collections.abc import Iterator

import pytest

from asi_arch.domain.outcome import Rejected, Speed
from asi_arch.report.words import MISSING
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.web.pages.compare import Wish, wanted
from asi_arch.web.sides import Seeds, Side, costs, footprints, results

from .stores import NASTY, Site, opened, published_tree, stored


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Seven experiments, one of them rejected, and one that is only proposed."""
    folder = tmp_path_factory.mktemp("seven")
    store = SqliteStore.open(folder, clock=lambda: 5.0, owner="a test", read_only=False)
    store.create(make_campaign())
    for index in range(6):
        store.record(make_experiment(index, language=(1.66 - index / 10, 1.67 - index / 10)), 0.5)
    refused = Rejected(check="causality", reason="looks ahead")
    store.record(make_experiment(6, outcome=refused), None)
    store.propose(7, make_proposal("mixer_7"))
    store.close()
    with opened(folder) as found:
        yield found


@pytest.mark.parametrize(
    ("texts", "wish"),
    [
        (["1,2"], Wish((1, 2), "")),
        (["#3 1; 1"], Wish((3, 1), "")),
        (["1", "2", "3"], Wish((1, 2, 3), "")),
        ([" ,, "], Wish((), "")),
        (["1,two"], Wish((1,), "two")),
        (["-1"], Wish((), "-1")),
        (["1" * 12], Wish((), "1" * 12)),
        (["\u0663"], Wish((), "\u0663")),
    ],
)
def test_numbers_are_read_however_they_come(texts: list[str], wish: Wish) -> None:
    assert wanted(texts) == wish


@pytest.mark.parametrize("query", ["ids=0,3", "id=0&id=3", "ids=0&id=3", "ids=%230+%233"])
def test_two_stand_side_by_side_with_differences_to_the_first(site: Site, query: str) -> None:
    page = site.get(f"/compare?{query}")
    assert page.status == 200
    assert "1.665" in page and "1.365" in page
    assert "\u22120.300 ± " in page
    assert 'class="gap better"' in page
    assert "#0 mixer_0" in page and 'href="/experiments/3"' in page
    assert "Training on language" in page and "Training on recall" in page
    assert "follows from the counted growth" in page
    assert '<span class="gi">+' in page and "mixer_3" in page


def test_the_form_keeps_what_was_asked(site: Site) -> None:
    assert 'name="ids" type="search" value="3, 0"' in site.get("/compare?ids=3,0")


def test_an_experiment_without_numbers_can_be_seen_beside_others(site: Site) -> None:
    page = site.get("/compare?ids=6,0")
    assert page.status == 200
    assert "rejected by a check" in page


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("ids=", 200, "or tick them in"),
        ("ids=3", 400, "alone can&#39;t be compared"),
        ("ids=3,3", 400, "alone can&#39;t be compared"),
        ("ids=0,1,2,3,4,5", 400, "6 experiments are too many"),
        ("ids=0,77", 404, "There is no finished experiment #77"),
        ("ids=0,7", 404, "#7 is not finished yet"),
        ("ids=0,x", 400, "“x” is not the number"),
        (f"ids={NASTY}", 400, "is not the number"),
        ("ids=" + "9" * 5000, 400, "…"),
    ],
)
def test_what_cannot_be_compared_is_told_beside_the_form(site: Site, query: str, status: int, words: str) -> None:
    page = site.get(f"/compare?{query}")
    assert page.status == status
    assert words in page
    assert NASTY not in page
    assert 'name="ids"' in page


def test_experiments_are_ticked_in_their_list(site: Site) -> None:
    page = site.get("/experiments")
    assert 'type="checkbox" name="id" value="5"' in page
    assert 'action="/compare"' in page


def test_as_long_as_noise_is_unknown_differences_have_no_margin(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.reader, "digest", lambda patience_s=0.0: None)
    page = site.get("/compare?ids=0,3")
    assert "\u22120.300</span>" in page
    assert "±" not in page


def test_published_numbers_are_compared_as_published(tmp_path_factory: pytest.TempPathFactory) -> None:
    with opened(stored(tmp_path_factory.mktemp("imported"), published_tree())) as site:
        page = site.get("/compare?ids=40,52")
    assert "0.490" in page and "\u22120.010" in page
    assert "495,730,000" in page and "1.65\u00d7" in page
    assert "Training loss as published" in page
    assert "A program is not on record" in page


def test_costs_are_told_as_multiples_and_missing_ones_are_left_out() -> None:
    first, second = (make_experiment(index) for index in (0, 1))
    second = second.model_copy(update={"cost": second.cost.model_copy(update={"wall_s": 2 * first.cost.wall_s})})
    sides = [Side(e, e.summary(), None, tone) for e, tone in ((first, "a"), (second, "b"))]
    found = {row.name: row.cells for row in [*costs(sides), *footprints(sides), *results(sides, Seeds(None, None))]}
    assert found["wall time"][1].difference == "2\u00d7"
    assert found["language: tokens per CPU second"][0].text == "51,200"
    assert found["work grows as length to the power"][0].text == "1.020"
    assert found["so, work at 8 times the length, times"][0].text == "8.3"
    assert found["largest memory, MiB"][1] == ("410", "1\u00d7", "quiet")
    assert "score as published" not in found


def test_speed_is_told_at_every_length_that_one_of_them_was_timed_at() -> None:
    timed = [Speed(length=length, batch=512 // length, tokens_per_s=rate) for length, rate in ((64, 4e4), (512, 1e4))]
    found: list[Side] = []
    for index, speeds in ((0, timed), (1, timed[:1]), (2, [])):
        experiment = make_experiment(index)
        assert experiment.checks is not None
        checks = experiment.checks.model_copy(update={"speeds": tuple(speeds)})
        experiment = experiment.model_copy(update={"checks": checks})
        found.append(Side(experiment, experiment.summary(), None, "a"))
    rows = {row.name: [cell.text for cell in row.cells] for row in costs(found)}
    assert rows["one layer, tokens per CPU second at length 64"] == ["40,000", "40,000", MISSING]
    assert rows["one layer, tokens per CPU second at length 512"] == ["10,000", MISSING, MISSING]
    assert not any("one layer" in row.name for row in costs(found[2:]))
