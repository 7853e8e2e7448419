import threading
from pathlib import Path

import pytest

from asi_arch.domain.campaign import Campaign
from asi_arch.llm.redact import Redactor
from asi_arch.trackers import child
from asi_arch.trackers.child import Order, Teller, secrets
from asi_arch.trackers.port import Tracker
from asi_arch.trackers.targets import Kind, Target

from .campaigns import Growing
from .recorder import Recorder

TARGET = Target(Kind.WANDB, "search")


class Session:
    """A teller with a tracker in memory, ended after some looks."""

    def __init__(self, folder: Path, tracker: Tracker) -> None:
        self.said: list[str] = []
        self.opened = 0
        self._tracker = tracker
        self.teller = Teller(Order(folder, TARGET), self._open, self.said.append)

    def looks(self, count: int) -> None:
        """So many looks, the last of them at the end."""
        self.teller.tell_until(Ends(count - 1))

    def _open(self, target: Target, campaign: Campaign, state: Path) -> Tracker:
        self.opened += 1
        return self._tracker


class Ends(threading.Event):
    """Ends after so many waits, and waits for nothing."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self._waits = waits

    def is_set(self) -> bool:
        return len(self.pauses) >= self._waits

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        return self.is_set()


def test_nothing_is_opened_before_there_is_a_campaign(tmp_path: Path) -> None:
    session = Session(tmp_path / "nowhere", Recorder())
    session.looks(3)
    assert session.opened == 0


def test_a_campaign_is_told_and_the_tracker_closed(campaign: Growing) -> None:
    campaign.grow(8)
    tracker = Recorder()
    session = Session(campaign.folder, tracker)
    session.looks(3)
    assert tracker.told == list(range(8)) and tracker.is_closed
    assert session.said == [] and session.opened == 1


def test_a_session_with_nothing_to_tell_does_not_load_the_library(campaign: Growing) -> None:
    campaign.grow(3)
    Session(campaign.folder, Recorder()).looks(2)
    session = Session(campaign.folder, Recorder())
    session.looks(2)
    assert session.opened == 0


def test_fitness_that_came_later_is_told_by_the_next_session(campaign: Growing) -> None:
    campaign.grow(6)
    Session(campaign.folder, Recorder()).looks(2)
    campaign.grow(7)
    tracker = Recorder()
    Session(campaign.folder, tracker).looks(2)
    assert tracker.told == [6] and len(tracker.scored) == 7


def test_a_failure_is_said_once_and_told_again_when_it_works(campaign: Growing) -> None:
    campaign.grow(3)
    tracker = Recorder()
    tracker.failures += [OSError("no route\x1b[31m to host"), OSError("no route to host")]
    session = Session(campaign.folder, tracker)
    session.looks(5)
    assert session.said == [
        "wandb:search: OSError: no route [31m to host; the campaign goes on, and this is tried again",
        "wandb:search works again",
    ]
    assert tracker.told == [0, 1, 2]


def test_each_failure_makes_the_pause_longer_up_to_ten_minutes(campaign: Growing) -> None:
    campaign.grow(1)
    tracker = Recorder()
    tracker.failures += [OSError("no route")] * 9
    ends = Ends(8)
    Session(campaign.folder, tracker).teller.tell_until(ends)
    assert ends.pauses == [8, 32, 128, 512, 600, 600, 600, 600]


def test_what_could_not_be_told_is_counted_at_the_end(campaign: Growing) -> None:
    campaign.grow(3)
    tracker = Recorder()
    tracker.failures += [OSError("no route")] * 9
    session = Session(campaign.folder, tracker)
    session.looks(2)
    assert session.said[-1] == "wandb:search: 3 recorded experiments are not told; the next run with it tells the rest"


def test_at_the_end_nothing_is_promised_to_be_tried_again(campaign: Growing) -> None:
    campaign.grow(1)
    tracker = Recorder()
    tracker.failures.append(OSError("no route"))
    session = Session(campaign.folder, tracker)
    session.looks(1)
    assert session.said == [
        "wandb:search: OSError: no route",
        "wandb:search: 1 recorded experiment is not told; the next run with it tells the rest",
    ]


def test_what_is_told_leaves_the_store_a_single_file_for_its_writer(campaign: Growing) -> None:
    campaign.grow(2)
    session = Session(campaign.folder, Recorder())
    session.looks(2)
    campaign.close()
    assert not list(campaign.folder.glob("*-wal"))


def test_keys_of_the_environment_are_taken_out_of_what_is_said() -> None:
    environment = {"WANDB_API_KEY": "0123456789abcdef", "MLFLOW_TRACKING_PASSWORD": "hunter22", "HOME": "/home/me"}
    redactor = Redactor(secrets(environment))
    said = redactor.text("401 for 0123456789abcdef of hunter22 in /home/me")
    assert said == "401 for [secret] of [secret] in /home/me"


def test_an_order_goes_through_a_line(tmp_path: Path) -> None:
    order = Order(tmp_path, TARGET)
    assert Order.of_line(order.as_line()) == order


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_loads_its_own_library_only_when_it_is_opened(
    kind: Kind, campaign: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def no_library(name: str) -> None:
        asked.append(name)
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", no_library)
    made = campaign.source.campaign()
    assert made is not None
    with pytest.raises(ImportError):
        child.open_tracker(Target(kind, str(campaign.folder)), made, campaign.folder)
    assert asked[0].partition(".")[0] == kind.value
