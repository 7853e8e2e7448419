"""The child that tells one tracker. Reads a line of JSON, writes one for each thing to say, ends after its stdin does.

The end of the controller, however it comes, ends stdin: what is recorded by then is told within `END_S`, and then it is
over, whatever a library still waits for.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.llm.redact import Redactor
from asi_arch.store.sqlite import SqliteStore
from asi_arch.trackers.following import Bookmark, Follower, is_behind, untold
from asi_arch.trackers.mlflow_runs import MlflowRuns
from asi_arch.trackers.port import Tracker
from asi_arch.trackers.targets import Kind, Target
from asi_arch.trackers.tensorboard_files import TensorBoardFiles
from asi_arch.trackers.wandb_runs import WandbRuns

END_S: Final = 30.0
"""How long the end of a campaign may wait for a tracker."""
LOOK_EVERY_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 600.0
_LONGEST_REASON = 300
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}
"""No library reports to its makers how it is used, unless the user wants that."""


class Order(NamedTuple):
    """Whom to tell about which campaign."""

    state: Path
    target: Target

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps({"state": str(self.state), "kind": self.target.kind.value, "place": self.target.place}) + "\n"

    @classmethod
    def of_line(cls, line: str) -> "Order":
        """What `as_line` wrote."""
        found = json.loads(line)
        return cls(Path(found["state"]), Target(Kind(found["kind"]), found["place"]))


Opener = Callable[[Target, Campaign, Path], Tracker]


def open_tracker(target: Target, campaign: Campaign, state: Path) -> Tracker:
    """Loads the target's library. Raises whatever that raises."""
    if target.kind is Kind.TENSORBOARD:
        return TensorBoardFiles(Path(target.place), campaign)
    if target.kind is Kind.MLFLOW:
        return MlflowRuns(target.place, campaign)
    return WandbRuns(target.place, campaign, state)


class Teller:
    """Tells a tracker until the campaign ends; what fails is said once and tried again, later each time."""

    def __init__(self, order: Order, opener: Opener, say: Callable[[str], None]) -> None:
        self._order = order
        self._opener = opener
        self._say = say
        self._bookmark = Bookmark(order.state, order.target)
        self._tracker: Tracker | None = None
        self._follower: Follower | None = None
        self._seen = 0
        self._failures = 0
        self._is_over = False

    @property
    def pause_s(self) -> float:
        """Until the next look."""
        return min(_LONGEST_PAUSE_S, LOOK_EVERY_S * 4**self._failures)

    def tell_until(self, ended: threading.Event) -> None:
        """Look again and again, once more after the end, then close and say what is left."""
        while not ended.is_set():
            self._try(self._look)
            ended.wait(self.pause_s)
        self._is_over = True
        self._try(self._look)
        self._try(self._close)
        self._try(self._say_what_is_left)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  the wall: whatever a tracker's library raises becomes a sentence
            if not self._failures:
                after = "" if self._is_over else "; the campaign goes on, and this is tried again"
                self._say(f"{self._order.target}: {_reason(error)}{after}")
            self._failures += 1
            self._tracker = self._follower = None
            self._seen = 0
        else:
            if self._failures and self._follower is not None:
                self._say(f"{self._order.target} works again")
                self._failures = 0

    def _look(self) -> None:
        """Tell what is new. The library is not loaded before there is something to tell."""
        with closing(self._store()) as store:
            campaign, events = store.campaign(), store.events(self._seen)
            if campaign is None or not events:
                return
            if self._follower is None and not is_behind(store, self._bookmark):
                return
            if self._follower is None:
                self._tracker = self._opener(self._order.target, campaign, self._order.state)
                self._follower = Follower(self._tracker, self._bookmark)
            self._follower.catch_up(store)
            self._seen = events[-1].number

    def _store(self) -> SqliteStore:
        """Opened for one look, because a store that nobody reads goes back to a single file when its writer closes."""
        return SqliteStore.open(self._order.state, clock=time.time, owner="", read_only=True)

    def _close(self) -> None:
        if self._tracker is not None:
            self._tracker.close()

    def _say_what_is_left(self) -> None:
        with closing(self._store()) as store:
            left = untold(store, self._bookmark)
        if left:
            them = "1 recorded experiment is" if left == 1 else f"{left} recorded experiments are"
            self._say(f"{self._order.target}: {them} not told; the next run with it tells the rest")


def _reason(error: Exception) -> str:
    """The error in a line of bounded length."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in str(error)).split())
    return f"{type(error).__name__}: {text}"[:_LONGEST_REASON]


def secrets(environment: Mapping[str, str]) -> list[str]:
    """Values of the environment that must not be shown."""
    return [value for name, value in environment.items() if any(word in name.upper() for word in _SECRET_WORDS)]


def main() -> None:
    """Tell until stdin ends, and `END_S` longer at most."""
    order = Order.of_line(sys.stdin.readline())
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What the libraries print would fill the pipe or disturb the table on the terminal.
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.nice(5)
    redactor = Redactor(secrets(os.environ))

    def say(text: str) -> None:
        try:
            told.write(json.dumps({"say": redactor.text(text)}) + "\n")
            told.flush()
        except BrokenPipeError:
            pass  # the controller is gone, and nobody listens

    ended = threading.Event()
    threading.Thread(target=_watch_stdin, args=(ended,), daemon=True).start()
    with Bookmark(order.state, order.target).held():
        Teller(order, open_tracker, say).tell_until(ended)


def _watch_stdin(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()
    time.sleep(END_S)
    os._exit(1)


if __name__ == "__main__":
    main()
