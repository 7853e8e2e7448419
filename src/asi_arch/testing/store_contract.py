"""What every store must do: two suites of tests that a store's own test class inherits.

`StoreContract` holds for any implementation of `domain.ports.Store`; `DurableStoreContract` adds what a state folder
promises: it survives its writer's death, refuses a second writer, lets readers in, and reports full disks and damage.

    class TestMyStore(DurableStoreContract):
        child = "from my_store import open_it; store = open_it(folder)"
        def open(self, folder, *, owner="test", read_only=False): ...
"""
# ruff: noqa: D102 (a test's name is its docstring)

import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.errors import StoreError, StoreFull, StoreLocked, StoreMismatch
from asi_arch.domain.outcome import Rejected, Run
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import Split, StageName
from asi_arch.domain.record import sha256
from asi_arch.domain.repairs import mended as repair_of
from asi_arch.domain.review import Review, ReviewEnd
from asi_arch.domain.revisions import reviewed
from asi_arch.domain.verdict import Verdict
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal, make_run

KILLED_AFTER = 12
"""Records that the child has acknowledged when it is killed."""

_WRITER = """
import itertools, sys
from pathlib import Path
from asi_arch.testing.records import make_experiment
folder = Path(sys.argv[1])
{child}
for index in itertools.count():
    experiment = make_experiment(index)
    store.propose(index, experiment.proposal)
    for run in experiment.runs:
        store.save_run(run)
    store.record(experiment, 0.5)
    sys.stdout.write(f"{{index}}\\n")
    sys.stdout.flush()
"""


class StoreContract(ABC):
    """Records come back as they were given, once each, in order. Subclasses say how a store is opened."""

    @abstractmethod
    def open(self, folder: Path, *, owner: str = "test", read_only: bool = False) -> Store:
        """A store in `folder`; each call opens it anew."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store, closed at the end."""
        store = self.open(tmp_path / "state")
        yield store
        store.close()

    def test_a_new_store_is_empty(self, store: Store) -> None:
        assert store.campaign() is None
        assert (store.events(), store.proposals(), store.fingerprints(), store.summaries()) == ([], {}, {}, [])
        assert (list(store.experiments()), store.pool(10, 10), store.verdicts()) == ([], [], [])
        assert store.experiment(0) is None

    def test_a_campaign_is_given_once(self, store: Store) -> None:
        campaign = make_campaign()
        store.create(campaign)
        store.create(campaign)
        assert store.campaign() == campaign
        assert [event.kind for event in store.events()] == [EventKind.CREATED]

    def test_another_campaign_is_refused(self, store: Store) -> None:
        store.create(make_campaign())
        for other in (make_campaign(seed=1), make_campaign(make_profile(name="other"))):
            with pytest.raises(StoreMismatch):
                store.create(other)
        assert store.campaign() == make_campaign()

    def test_events_are_numbered_without_gaps(self, store: Store) -> None:
        for index in range(3):
            store.propose(index, make_proposal(f"p{index}"))
            store.propose(index, make_proposal(f"p{index}"))
            with suppress(StoreError):
                store.propose(index, make_proposal("changed"))
        opened = store.append(EventKind.OPENED, None, {"done": 3, "where": "here: ünïcode"})
        events = store.events()
        assert [event.number for event in events] == [1, 2, 3, 4]
        assert [event.experiment for event in events] == [0, 1, 2, None]
        assert events[-1] == opened
        assert store.events(after=3) == [opened]
        assert store.events(after=4) == []
        assert store.events(0, EventKind.OPENED, EventKind.CLOSED) == [opened]
        assert [event.number for event in store.events(1, EventKind.PROPOSED)] == [2, 3]

    def test_proposals_come_back_by_index(self, store: Store) -> None:
        proposals = {index: make_proposal(f"p{index}", parent=None if index < 2 else 0) for index in (2, 0, 1)}
        for index, proposal in proposals.items():
            store.propose(index, proposal)
        assert store.proposals() == proposals
        assert list(store.proposals()) == [0, 1, 2]
        assert list(store.proposals(before=2)) == [0, 1]

    def test_what_is_proposed_and_not_recorded_is_unfinished(self, store: Store) -> None:
        assert (store.unfinished(), store.last_event()) == ({}, None)
        store.record(make_experiment(0), None)
        first = make_proposal("first", parent=0)
        store.propose(1, first)
        mended = repair_of(first, "import math\n", failure="It crashed.", cause="no import")
        store.repair(1, mended)
        store.propose(2, make_proposal("second", parent=0))
        assert store.unfinished() == {1: mended, 2: make_proposal("second", parent=0)}
        assert store.last_event() == store.events()[-1]
        assert store.last_event(EventKind.RECORDED, EventKind.REPAIRED) == store.events()[-2]
        assert store.last_event(EventKind.CLOSED) is None

    def test_a_repair_takes_the_place_of_the_program_that_failed(self, store: Store) -> None:
        first = make_proposal("first")
        store.propose(0, first)
        mended = repair_of(first, "import math\n", failure="It crashed.", cause="no import")
        for _ in range(2):
            store.repair(0, mended)
        assert store.proposals() == {0: mended}
        assert store.fingerprints() == {first.fingerprint: 0, mended.fingerprint: 0}
        assert [event.kind for event in store.events()] == [EventKind.PROPOSED, EventKind.REPAIRED]

    def test_what_mends_another_program_or_a_finished_one_is_refused(self, store: Store) -> None:
        experiment = make_experiment(0)
        mended = repair_of(experiment.proposal, "import math\n", failure="It crashed.", cause="no import")
        with pytest.raises(StoreError, match="has no proposal 0"):
            store.repair(0, mended)
        store.propose(0, experiment.proposal)
        with pytest.raises(StoreError, match="another program"):
            store.repair(0, repair_of(mended, "import torch\n", failure="It crashed.", cause="no import"))
        with pytest.raises(StoreError, match="another program"):
            store.repair(0, experiment.proposal.model_copy(update={"source": "changed = 1\n"}))
        store.record(experiment, 0.5)
        with pytest.raises(StoreError, match="finished"):
            store.repair(0, mended)
        assert store.proposals() == {0: experiment.proposal}

    def test_a_review_takes_the_place_of_the_program_that_was_read_once(self, store: Store) -> None:
        first = make_proposal("first")
        mended = repair_of(first, "import math\n", failure="It crashed.", cause="no import")
        revised = reviewed(mended, Review(end=ReviewEnd.REVISED, reason="It was right."), "import torch\n")
        again = repair_of(revised, "import einops\n", failure="It crashed.", cause="no rearrange")
        store.propose(0, first)
        store.repair(0, mended)
        for _ in range(2):
            store.review(0, revised)
        assert store.proposals() == {0: revised}
        with pytest.raises(StoreError, match="its first, and no other"):
            store.review(0, revised.model_copy(update={"review": Review(end=ReviewEnd.CLEAR)}))
        store.repair(0, again)
        assert store.proposals() == {0: again}
        assert set(store.fingerprints()) == {p.fingerprint for p in (first, mended, revised, again)}
        kinds = [EventKind.PROPOSED, EventKind.REPAIRED, EventKind.REVIEWED, EventKind.REPAIRED]
        assert [event.kind for event in store.events()] == kinds

    def test_a_review_of_another_program_or_a_finished_one_is_refused(self, store: Store) -> None:
        experiment = make_experiment(0)
        read = reviewed(experiment.proposal, Review(end=ReviewEnd.CLEAR))
        with pytest.raises(StoreError, match="has no proposal 0"):
            store.review(0, read)
        store.propose(0, experiment.proposal)
        with pytest.raises(StoreError, match="its first, and no other"):
            store.review(0, experiment.proposal.model_copy(update={"source": "changed = 1\n"}))
        with pytest.raises(StoreError, match="another program"):
            store.review(0, reviewed(make_proposal("other"), Review(end=ReviewEnd.CLEAR)))
        store.record(experiment, 0.5)
        with pytest.raises(StoreError, match="finished"):
            store.review(0, read)
        assert store.proposals() == {0: experiment.proposal}

    def test_a_fingerprint_names_the_first_proposal_that_has_it(self, store: Store) -> None:
        first, other = make_proposal("first"), make_proposal("other")
        for index, proposal in ((3, first), (1, first), (2, other)):
            store.propose(index, proposal)
        assert store.fingerprints() == {first.fingerprint: 1, other.fingerprint: 2}

    def test_equal_repetitions_do_nothing(self, store: Store) -> None:
        experiment = make_experiment(0)
        for _ in range(2):
            store.propose(0, experiment.proposal)
            store.save_run(experiment.runs[0])
            store.record(experiment, 0.5)
        assert [event.kind for event in store.events()] == [
            EventKind.PROPOSED,
            EventKind.RUN_FINISHED,
            EventKind.RECORDED,
        ]

    def test_different_repetitions_are_refused_and_change_nothing(self, store: Store) -> None:
        experiment = make_experiment(0)
        run = experiment.runs[0]
        store.propose(0, experiment.proposal)
        store.save_run(run)
        store.record(experiment, 0.5)
        with pytest.raises(StoreError):
            store.propose(0, make_proposal("another"))
        with pytest.raises(StoreError):
            store.save_run(run.model_copy(update={"steps": run.steps + 1}))
        with pytest.raises(StoreError):
            store.record(experiment.model_copy(update={"containment": "none"}), 0.5)
        assert store.proposals() == {0: experiment.proposal}
        assert store.run(run.key) == run
        assert store.experiment(0) == experiment

    def test_a_run_is_found_by_its_whole_key(self, store: Store) -> None:
        run = make_run(make_proposal(), StageName.LANGUAGE, 0, loss=1.6, accuracy=0.5)
        store.save_run(run)
        assert store.run(run.key) == run
        changes = {"sha": "0" * 64, "protocol": "q", "stage": StageName.RECALL, "seed": 1, "split": Split.VAULT}
        for field, value in changes.items():
            assert store.run(run.key.model_copy(update={field: value})) is None

    def test_losses_that_are_not_finite_come_back_and_count_as_equal(self, store: Store) -> None:
        run = make_run(make_proposal(), StageName.LANGUAGE, 0, loss=1.6, accuracy=0.5)
        broken = run.model_copy(update={"losses": (5.5, float("inf"), float("-inf"))})
        store.save_run(broken)
        store.save_run(broken)
        assert store.run(run.key) == broken

    def test_an_experiment_is_recorded_with_its_summary(self, store: Store) -> None:
        measured, rejected = make_experiment(0), make_experiment(1, outcome=Rejected(check="causality", reason="leaks"))
        for experiment, fitness in ((rejected, None), (measured, 0.7)):
            store.propose(experiment.index, experiment.proposal)
            store.record(experiment, fitness)
        assert list(store.experiments()) == [measured, rejected]
        assert store.experiment(1) == rejected
        assert store.summaries() == [measured.summary()._replace(fitness=0.7), rejected.summary()]
        assert store.summaries(before=1) == store.summaries()[:1]
        assert [store.summary(index) for index in (1, 99)] == [store.summaries()[1], None]

    def test_the_pool_holds_the_fittest_first_and_older_ones_at_ties(self, store: Store) -> None:
        for index, fitness in enumerate([0.2, 0.9, None, 0.5, 0.9, 0.1]):
            store.propose(index, make_proposal(f"p{index}"))
            store.record(make_experiment(index, make_proposal(f"p{index}")), fitness)
        assert [summary.index for summary in store.pool(3, before=6)] == [1, 4, 3]
        assert [summary.index for summary in store.pool(9, before=4)] == [1, 3, 0]
        assert store.pool(9, before=0) == []

    def test_fitness_can_be_filled_in_later(self, store: Store) -> None:
        for index in range(3):
            store.propose(index, make_proposal(f"p{index}"))
            store.record(make_experiment(index, make_proposal(f"p{index}")), None)
        store.set_fitness({0: 0.3, 1: 0.6, 2: None})
        assert [summary.fitness for summary in store.summaries()] == [0.3, 0.6, None]
        assert [summary.index for summary in store.pool(5, before=3)] == [1, 0]
        assert store.events()[-1].kind is EventKind.SCORED

    def test_fitness_of_an_unknown_experiment_is_refused_whole(self, store: Store) -> None:
        store.propose(0, make_proposal())
        store.record(make_experiment(0, make_proposal()), None)
        with pytest.raises(StoreError):
            store.set_fitness({0: 0.3, 7: 0.6})
        assert store.summaries()[0].fitness is None

    def test_every_verdict_counts_as_a_look(self, store: Store) -> None:
        for look in (1, 2):
            store.save_verdict(_verdict(look))
        assert store.verdicts() == [_verdict(1), _verdict(2)]
        assert [event.kind for event in store.events()] == [EventKind.VERIFIED] * 2

    def test_blobs_are_found_by_their_hash(self, store: Store) -> None:
        for content in (b"", b"weights" * 1000):
            assert store.put_blob(content) == sha256(content)
            assert store.put_blob(content) == sha256(content)
            assert store.blob(sha256(content)) == content

    def test_a_missing_blob_is_an_error(self, store: Store) -> None:
        with pytest.raises(StoreError):
            store.blob(sha256(b"never stored"))


class DurableStoreContract(StoreContract):
    """What a state folder promises. Subclasses say how theirs fills up and how its files are damaged."""

    child: ClassVar[str]
    """Python statements that open the store in `folder` for writing and name it `store`."""

    @abstractmethod
    def fill(self, store: Store) -> None:
        """Leave no space for another record."""

    @abstractmethod
    def free(self, store: Store) -> None:
        """Undo `fill`."""

    @abstractmethod
    def tear(self, folder: Path) -> None:
        """Cut off the second half of what holds the records."""

    @abstractmethod
    def damage_blob(self, folder: Path, sha: str) -> None:
        """Change one byte of a stored blob."""

    def test_everything_is_there_after_opening_again(self, tmp_path: Path) -> None:
        store = self.open(tmp_path)
        store.create(make_campaign())
        experiment = make_experiment(0)
        _finish(store, 0)
        sha = store.put_blob(b"weights")
        store.save_verdict(_verdict(1))
        events = store.events()
        store.close()
        again = self.open(tmp_path)
        assert (again.campaign(), again.experiment(0), again.verdicts()) == (make_campaign(), experiment, [_verdict(1)])
        assert (again.run(experiment.runs[1].key), again.blob(sha), again.events()) == (
            experiment.runs[1],
            b"weights",
            events,
        )
        again.close()

    def test_a_killed_writer_loses_nothing_it_acknowledged(self, tmp_path: Path) -> None:
        acknowledged = _kill_a_writer(self.child, tmp_path)
        reader = self.open(tmp_path, read_only=True)
        _assert_sound(reader, acknowledged)
        reader.close()
        store = self.open(tmp_path)
        _assert_sound(store, acknowledged)
        following = len(store.summaries())
        _finish(store, following)
        assert store.experiment(following) == make_experiment(following)
        store.close()

    def test_a_second_writer_is_refused_and_told_the_owner(self, tmp_path: Path) -> None:
        store = self.open(tmp_path, owner="process 4711")
        for _ in range(2):
            with pytest.raises(StoreLocked, match="process 4711"):
                self.open(tmp_path, owner="another")
        store.close()
        self.open(tmp_path, owner="another").close()

    def test_a_reader_sees_what_a_writer_adds(self, tmp_path: Path) -> None:
        store = self.open(tmp_path)
        _finish(store, 0)
        reader = self.open(tmp_path, read_only=True)
        _finish(store, 1)
        walk = iter(reader.experiments())
        assert next(walk) == make_experiment(0)
        _finish(store, 2)
        store.close()
        assert [summary.index for summary in reader.summaries()] == [0, 1, 2]
        self.open(tmp_path).close()
        assert reader.experiment(2) == make_experiment(2)
        reader.close()

    def test_a_reader_changes_nothing(self, tmp_path: Path) -> None:
        store = self.open(tmp_path)
        _finish(store, 0)
        store.close()
        before = _files(tmp_path)
        reader = self.open(tmp_path, read_only=True)
        assert reader.experiment(0) == make_experiment(0)
        with pytest.raises(StoreError, match="read"):
            reader.append(EventKind.OPENED)
        with pytest.raises(StoreError, match="read"):
            reader.put_blob(b"content")
        during = _files(tmp_path)
        reader.close()
        assert before == during == _files(tmp_path)

    def test_a_reader_of_nothing_is_told_how_to_start(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="asi-arch run"):
            self.open(tmp_path / "missing", read_only=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_loses_nothing_and_can_be_continued(self, tmp_path: Path) -> None:
        store = self.open(tmp_path)
        _finish(store, 0)
        events = store.events()
        self.fill(store)
        with pytest.raises(StoreFull, match="nothing is lost"):
            for index in range(1, 200):
                _finish(store, index)
        assert store.events()[: len(events)] == events
        last = store.summaries()[-1].index
        assert store.experiment(last) == make_experiment(last)
        self.free(store)
        _finish(store, last + 1)
        assert [event.number for event in store.events()] == list(range(1, len(store.events()) + 1))
        store.close()

    def test_a_torn_store_is_called_damaged(self, tmp_path: Path) -> None:
        store = self.open(tmp_path)
        for index in range(20):
            _finish(store, index)
        store.close()
        self.tear(tmp_path)
        for read_only in (True, False):
            with pytest.raises(StoreError, match="damaged"):
                _read_all(self.open(tmp_path, read_only=read_only))

    def test_a_damaged_blob_is_noticed_and_can_be_stored_again(self, tmp_path: Path) -> None:
        store = self.open(tmp_path)
        sha = store.put_blob(b"weights")
        self.damage_blob(tmp_path, sha)
        with pytest.raises(StoreError, match="damaged"):
            store.blob(sha)
        store.put_blob(b"weights")
        assert store.blob(sha) == b"weights"
        store.close()

    def test_a_folder_that_is_a_file_is_refused(self, tmp_path: Path) -> None:
        place = tmp_path / "file"
        place.write_text("not a folder")
        for folder in (place, place / "below"):
            with pytest.raises(StoreError, match="is a file"):
                self.open(folder)
        assert place.read_text() == "not a folder"

    def test_a_folder_that_can_not_be_made_is_refused(self) -> None:
        with pytest.raises(StoreError, match="/proc"):
            self.open(Path("/proc/no/such/folder"))


def _finish(store: Store, index: int) -> None:
    experiment = make_experiment(index)
    store.propose(index, experiment.proposal)
    for run in experiment.runs:
        store.save_run(run)
    store.record(experiment, 0.5)


def _verdict(look: int) -> Verdict:
    return Verdict(
        sha="a" * 64,
        index=3,
        protocol="p" * 64,
        comparisons=(),
        statement="no difference",
        vault_looks=look,
        at=1.0 * look,
    )


def _kill_a_writer(child: str, folder: Path) -> int:
    """SIGKILL in the middle of its records; returns the last index that it had acknowledged."""
    program = [sys.executable, "-c", _WRITER.format(child=child), str(folder)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(KILLED_AFTER):
            assert writer.stdout.readline(), "the writing child ended by itself"
        writer.kill()
        return KILLED_AFTER - 1 + len(writer.stdout.readlines())


def _assert_sound(store: Store, acknowledged: int) -> None:
    """Everything acknowledged is whole, at most one more is there, and no event is missing."""
    finished = list(store.experiments())
    assert len(finished) in (acknowledged + 1, acknowledged + 2)
    assert finished == [make_experiment(index) for index in range(len(finished))]
    runs: list[Run] = [run for experiment in finished for run in experiment.runs]
    assert [store.run(run.key) for run in runs] == runs
    assert [summary.index for summary in store.summaries()] == list(range(len(finished)))
    recorded = [event.experiment for event in store.events() if event.kind is EventKind.RECORDED]
    assert recorded == list(range(len(finished)))
    assert [event.number for event in store.events()] == list(range(1, len(store.events()) + 1))


def _read_all(store: Store) -> None:
    try:
        assert store.proposals()
        assert store.summaries()
        assert list(store.experiments())
        assert store.events()
    finally:
        store.close()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
