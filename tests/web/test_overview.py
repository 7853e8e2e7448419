import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.outcome import Crashed, Measured
from asi_arch.domain.profile import StageName
from asi_arch.domain.repairs import mended
from asi_arch.report.digest import digest
from asi_arch.report.findings import subject
from asi_arch.report.headline import headline
from asi_arch.report.tables import comparison_table
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal
from asi_arch.web.progress import progress_chart

from .stores import Site, copied, opened, published_tree, stored, verified


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = stored(tmp_path_factory.mktemp("verified"), verified())
    with opened(folder) as found:
        yield found


def test_one_glance_tells_the_answer_and_leads_to_its_reasons(site: Site) -> None:
    page, campaign = site.get("/"), digest(verified())
    index = subject(campaign)
    assert index is not None
    assert headline(campaign, comparison_table(verified(), 5)).answer in page
    parent = campaign.lines[index].summary.parent
    for address in (f"/experiments/{index}", f"/tree?node={index}", f"/compare?ids={index},{parent},0"):
        assert f'href="{address}"' in page


def test_outcomes_are_counted_and_lead_to_their_experiments(site: Site) -> None:
    page, campaign = site.get("/"), digest(verified())
    for kind, times in campaign.outcomes.items():
        assert f'href="/experiments?outcome={kind}"' in page
        assert f"<td>{times}</td>" in page


def test_who_made_the_candidates_and_what_repairs_were_worth_is_told(site: Site, tmp_path: Path) -> None:
    count = len(digest(verified()).candidates)
    assert f"{count} composed. 2 verified." in site.get("/")

    def mended_ones(store: SqliteStore) -> None:
        for index, outcome in ((900, Measured()), (901, Crashed(stage=StageName.LANGUAGE, reason="again"))):
            first = make_proposal(f"m{index}", parent=0, author=Author.MODEL)
            proposal = mended(first, f"{first.source}# once\n", failure="it failed", cause="a reason")
            store.record(make_experiment(index, proposal, outcome=outcome), None)

    with opened(copied(tmp_path / "mended", site.folder, mended_ones)) as found:
        words = "2 programs that failed got 2 repairs; 1 of them measured in the end. 2 verified."
        assert f"{count} composed and 2 written by a mind. {words}" in found.get("/")


def test_who_was_cut_off_is_told_how_to_resume(site: Site, tmp_path: Path) -> None:
    def begun(store: SqliteStore) -> None:
        store.propose(900, make_proposal("CutOff", parent=0))

    with opened(copied(tmp_path / "cut", site.folder, begun)) as cut:
        page = cut.get("/")
        assert "#900 CutOff" in page
        assert f"asi-arch run --state {cut.folder}" in page
        assert "Experiment 900 is not finished yet" in cut.get("/experiments/900")


def test_an_imported_campaign_is_counted_and_nothing_is_claimed(tmp_path: Path) -> None:
    with opened(stored(tmp_path, published_tree())) as found:
        page = found.get("/")
        for words in ("a published tree", "496 to 817 M", "of 2 designs, as published", "Score of every experiment"):
            assert words in page
        for words in ("with a fitness", "asi-arch run", "verified", "CPU time"):
            assert words not in page


def test_a_published_curve_is_drawn_and_not_listed(tmp_path: Path) -> None:
    with opened(stored(tmp_path, published_tree())) as found:
        assert "step 1000: 2.5385 nats" in found.get("/experiments/40")
        assert "Training loss as published" in found.get("/experiments/40")
        assert "Training loss as published" not in found.get("/experiments/41")


def numbers(site: Site, query: str) -> list[int]:
    """Of the experiments that a list shows, in its order."""
    rows = site.get(f"/experiments?{query}").text.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    return [int(row.split('href="/experiments/')[1].split('"')[0]) for row in rows]


def test_the_list_is_sorted_and_what_is_missing_comes_last(site: Site) -> None:
    summaries = {s.index: s for s in verified().summaries()}
    for query, is_falling in (("sort=fitness", True), ("sort=fitness&falling=false", False)):
        found = [summaries[i].fitness for i in numbers(site, query)]
        known = [value for value in found if value is not None]
        assert known == sorted(known, reverse=is_falling)
        assert None not in found[: len(known)]
        assert None in found


def test_the_list_finds_names_mechanisms_numbers_and_results(site: Site) -> None:
    summaries = {s.index: s for s in verified().summaries()}
    lines = {line.summary.index: line for line in digest(verified()).lines}
    mechanism = next(line.mechanisms[0] for line in lines.values() if line.mechanisms)
    assert numbers(site, "q=%237") == [7]
    assert 7 in numbers(site, "q=7")
    assert set(numbers(site, f"q={mechanism.upper()}")) == {
        i for i, line in lines.items() if any(mechanism in name for name in (*line.mechanisms, line.summary.name))
    }
    measured = {i for i, s in summaries.items() if s.outcome == "measured" and s.author is Author.COMPOSER}
    assert set(numbers(site, "outcome=measured&author=composer")) == measured
    assert "Nothing fits." in site.get("/experiments?q=no-such-thing")


def test_an_experiment_shows_its_code_against_any_ancestor(site: Site) -> None:
    lines = {line.summary.index: line for line in digest(verified()).lines}
    index, parent = next(
        (i, line.summary.parent)
        for i, line in lines.items()
        if line.summary.is_measured and line.summary.parent and lines[line.summary.parent].summary.parent == 0
    )
    page = site.get(f"/experiments/{index}?against=0")
    assert '<option value="0" selected>' in page
    assert f'<option value="{parent}">' in page
    assert f"+++ {lines[index].summary.name}.py" in page
    assert f"asi-arch export {index} design-{index}" in page


def test_the_tree_has_a_place_for_everyone(site: Site) -> None:
    found = json.loads(site.get("/tree.json").text)
    place = {name: i for i, name in enumerate(found["fields"])}
    summaries = {s.index: s for s in verified().summaries()}
    assert {row[place["index"]] for row in found["nodes"]} == set(summaries)
    for row in found["nodes"]:
        summary = summaries[row[place["index"]]]
        assert (row[place["name"]], row[place["parent"]]) == (summary.name, summary.parent)
        assert all(0 <= value <= 1000 for value in (*row[place["layered"]], *row[place["radial"]]))


def test_of_many_experiments_all_are_drawn_and_the_newest_and_the_records_can_be_followed() -> None:
    nodes = [
        Summary(i, f"sha{i}", None, f"n{i}", Author.COMPOSER, "measured", 2.0 - 0.5 * (i == 7), 0.5, 0.5, 0.5, 0.1)
        for i in range(1000)
    ]
    drawn = str(progress_chart(make_campaign(), Lineage(nodes)))
    assert len(set(re.findall(r'<a href="/experiments/(\d+)"', drawn))) == 200 + 2  # the first and the eighth
    assert "#7 n7: 1.500 nats, recall 0.500" in drawn
    moves = re.findall(r"m(-?\d+) (-?\d+)h0", drawn)
    assert len(moves) == 800  # as many as have no words
    x = [sum(int(a) for a, _ in moves[: i + 1]) for i in range(800)]
    assert x == sorted(x)
    assert "in full colour: the newest" in drawn
    few = str(progress_chart(make_campaign(), Lineage(nodes[:100])))
    assert few.count("<a href=") == 102
    assert "cloud" not in few
