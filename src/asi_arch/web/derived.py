"""What pages make of a whole campaign, kept until the campaign moves on."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from asi_arch.report.digest import Digest
from asi_arch.web.reader import Reader, Standing

T = TypeVar("T")


class Derived:
    """Results of functions of a digest. Asked for by several threads, a function may be called more than once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: dict[Callable[[Digest], Any], tuple[Digest, Any]] = {}
        self._standing: dict[Callable[[Standing], Any], tuple[int, Any]] = {}

    def __call__(self, make: Callable[[Digest], T]) -> T | None:
        """What `make` makes of the campaign as of now; None while it is read for the first time.

        `make` is a function of a module, so that it is known again the next time.
        """
        campaign = self._reader.digest()
        if campaign is None:
            return None
        kept = self._kept.get(make)
        if kept is None or kept[0] is not campaign:
            kept = self._kept[make] = (campaign, make(campaign))
        return cast(T, kept[1])

    def of_standing(self, make: Callable[[Standing], T], standing: Standing) -> T:
        """What `make` makes of it, once for every state of the store."""
        kept = self._standing.get(make)
        if kept is None or kept[0] != standing.number:
            kept = self._standing[make] = (standing.number, make(standing))
        return cast(T, kept[1])
