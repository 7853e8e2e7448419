"""`asi-arch import tables | openevolve | shinka`: what is stored, and that nobody can write to it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from asi_arch.app import opened_bench, opened_campaign
from asi_arch.cli import archives, estimate, options, provenance, read, second_look
from asi_arch.cli.archives import ArchiveWish
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import ArchiveError, StoreError, StoreMismatch
from asi_arch.folders import opened_for_import, opened_store
from asi_arch.report.digest import digest
from asi_arch.testing.foreign_archives import (
    GALLERY,
    TREE,
    openevolve_program,
    shinka_program,
    write_checkpoint,
    write_shinka,
    write_table,
)
from asi_arch.testing.records import make_campaign
from asi_arch.wishes import Wish

from .conftest import Run

pytestmark = pytest.mark.torch

READ_ONLY = "holds an imported campaign"


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    return write_table(tmp_path / "tree.tsv", TREE), write_table(tmp_path / "gallery.tsv", GALLERY)


@pytest.fixture
def imported(tmp_path: Path, tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> Path:
    archives.import_tables(*tables, ArchiveWish(tmp_path / "state", as_json=True))
    capsys.readouterr()
    return tmp_path / "state"


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)


def test_tables_become_experiments_that_nobody_here_has_measured(imported: Path) -> None:
    with opened_store(imported, read_only=True) as store:
        campaign, experiment = store.campaign(), store.experiment(5)
        assert [(s.index, s.fitness) for s in store.summaries()] == [(1, 1.64), (2, 1.68), (5, 2.74), (7, None)]
        assert len(store.fingerprints()) == 4
        assert [e.kind for e in store.events()].count(EventKind.RECORDED) == 4
        assert digest(store).best.summary.index == 5  # pyright: ignore[reportOptionalMemberAccess]
    assert campaign is not None
    assert campaign.origin is not None
    assert campaign.origin.format == "tables"
    assert experiment is not None
    assert (experiment.proposal.author, experiment.proposal.source, experiment.runs) == (Author.IMPORTED, "", ())
    assert experiment.published is not None
    assert experiment.published.parameters == 1_300_000_000


def test_the_same_files_under_any_name_are_there_already_and_others_are_refused(
    imported: Path, tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    tree, gallery = tables
    wish = ArchiveWish(imported, as_json=True)
    archives.import_tables(tree.rename(tree.with_name("renamed.tsv")), gallery, wish)
    summary = told(capsys)
    assert (summary["imported"], summary["already_there"]) == (0, 4)
    assert summary["lineage"] == {"roots": 1, "parents": 2, "depth": 2, "most_children": 2}
    assert summary["best"] == {"index": 5, "name": "delta_net_memory", "score": 2.74}
    with pytest.raises(StoreMismatch, match="holds another import"):
        archives.import_tables(tree.with_name("renamed.tsv"), None, wish)
    with opened_store(imported, read_only=True) as store:
        assert len(store.events()) == 1 + 2 * 4


def test_a_folder_with_a_campaign_of_our_own_is_refused(tmp_path: Path, tables: tuple[Path, Path]) -> None:
    with opened_store(tmp_path / "own", read_only=False) as store:
        store.create(make_campaign())
    with pytest.raises(StoreMismatch, match="holds a campaign of this program's own; import into an empty folder"):
        archives.import_tables(*tables, ArchiveWish(tmp_path / "own", as_json=True))


def test_nothing_is_made_where_a_file_is_bad_and_nothing_kept_where_storing_is_cut_off(
    tmp_path: Path, tables: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = ArchiveWish(tmp_path / "state", as_json=True)
    with pytest.raises(ArchiveError):
        archives.import_tables(tmp_path / "gone.tsv", None, wish)
    assert not (tmp_path / "state").exists()

    def cut_off(_bars: object, what: str, done: int, _total: int) -> None:
        if (what, done) == ("storing", 3):
            raise KeyboardInterrupt

    monkeypatch.setattr(archives._Bars, "tick", cut_off)
    with pytest.raises(KeyboardInterrupt):
        archives.import_tables(*tables, wish)
    with opened_for_import(tmp_path / "state") as store:
        assert store.campaign() is None
        assert store.summaries() == []


def test_programs_of_both_archives_can_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = openevolve_program("child", "first", metrics={"combined_score": 0.9})
    folder = write_checkpoint(tmp_path / "checkpoint_40", [openevolve_program("first"), child])
    archives.import_openevolve(folder, ArchiveWish(tmp_path / "one", as_json=False))
    assert "Best by score: #2 child, 0.900" in capsys.readouterr().out
    file = write_shinka(tmp_path / "e.sqlite", [shinka_program("first"), shinka_program("bad", "first", correct=0)])
    archives.import_shinka(file, ArchiveWish(tmp_path / "two", as_json=False))
    capsys.readouterr()
    read.show("child", tmp_path / "one", as_json=False)
    text = capsys.readouterr().out
    for part in ("Difference to the parent", "return 'child'", "0.9000 (+0.4000 against the parent's 0.5000)"):
        assert part in text
    read.show("2", tmp_path / "two", as_json=False)
    assert "0.5000, not ranked: rejected by a check" in capsys.readouterr().out


def test_every_way_to_write_into_an_imported_campaign_is_refused(
    imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = options.settings(imported)

    async def opened() -> None:
        async with opened_bench(imported, Wish(), settings, listen=options.tell):
            raise AssertionError("it was opened")

    with pytest.raises(StoreError, match=READ_ONLY):
        asyncio.run(opened())
    with pytest.raises(StoreError, match=READ_ONLY), opened_campaign(imported, Wish(), settings):
        pass
    with pytest.raises(StoreError, match=READ_ONLY):
        second_look.verify(second_look.VerifyWish("best", 4, None, None, imported, as_json=True))
    with pytest.raises(StoreError, match=READ_ONLY):
        provenance.provenance(provenance.ProvenanceWish((), None, True, None, imported, as_json=True))
    with pytest.raises(StoreError, match=READ_ONLY):
        estimate.show(settings, Wish(), estimate.Bounds(9, None, None), as_json=True)


def test_run_refuses_an_imported_campaign_and_changes_nothing(asi_arch: Run, imported: Path) -> None:
    done = asi_arch("run", "-n", "9", "--state", imported, "--plain")
    assert done.returncode == 2
    assert READ_ONLY in done.stderr
    assert "Traceback" not in done.stderr
    with opened_store(imported, read_only=True) as store:
        assert len(store.summaries()) == 4
        assert {event.kind for event in store.events()} == {
            EventKind.CREATED,
            EventKind.PROPOSED,
            EventKind.RECORDED,
        }
