"""Papers behind the ids that proposals name, read from the cognition base when the first is asked for."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from asi_arch.cognition.corpus import load_corpus
from asi_arch.domain.errors import PaperError


class Reading(NamedTuple):
    """One entry that an author was given. Without a paper, it is not in the base any more."""

    id: str
    paper: str = ""
    year: int | None = None
    trigger: str = ""
    algorithm: str = ""


class Literature:
    """The base that ships, with the user's own papers."""

    def __init__(self, own: Path) -> None:
        """`own` is the folder of the user's papers; it need not exist."""
        self._own = own
        self._lock = threading.Lock()
        self._entries: dict[str, Reading] | None = None

    def readings(self, ids: Sequence[str]) -> list[Reading]:
        """Of these entries, in their order."""
        known = self._known() if ids else {}
        return [known.get(name, Reading(name)) for name in ids]

    def _known(self) -> dict[str, Reading]:
        with self._lock:
            if self._entries is None:
                self._entries = self._read()
            return self._entries

    def _read(self) -> dict[str, Reading]:
        """Nothing where a file of the user's can't be used: the commands about papers tell why."""
        try:
            papers = load_corpus(self._own).papers
        except PaperError:
            return {}
        return {
            entry.id: Reading(entry.id, paper.name, paper.year, entry.trigger, entry.algorithm)
            for paper in papers
            for entry in paper.entries
        }
