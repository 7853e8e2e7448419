"""Between records and the columns of the database."""

import json
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

from asi_arch.domain.campaign import Event, EventKind
from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.domain.record import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)

SUMMARY_COLUMNS = (
    "number, sha, parent, name, author, outcome, language_loss, recall_accuracy, mqar_accuracy, judge, fitness"
)
"""In the order of `Summary`'s fields."""

_LEVEL = 3
"""Of zlib; higher ones cost more time than they save space on digits."""


def pack(record: Record) -> bytes:
    """Compressed JSON."""
    return zlib.compress(record.model_dump_json().encode(), _LEVEL)


def unpack(kind: type[AnyRecord], packed: bytes) -> AnyRecord:
    """The record. Raises `ValueError` or `zlib.error` for bytes that are none."""
    return kind.model_validate_json(zlib.decompress(packed))


def is_equal(one: Record, other: Record) -> bool:
    """Whether two records say the same, not-a-number included and whatever the order of their mappings."""
    return _canonical(one) == _canonical(other)


def event_of(row: tuple[int, float, str, int | None, str]) -> Event:
    """An event from its row."""
    number, at, kind, experiment, payload = row
    return Event(number=number, at=at, kind=EventKind(kind), experiment=experiment, payload=json.loads(payload))


def payload_text(payload: Mapping[str, object]) -> str:
    """A payload as JSON."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False)


def summary_of(row: tuple[Any, ...]) -> Summary:
    """A summary from the columns `SUMMARY_COLUMNS`."""
    return Summary._make((*row[:4], Author(row[4]), *row[5:]))


def columns_of(summary: Summary) -> tuple[Any, ...]:
    """Values for the columns `SUMMARY_COLUMNS`; SQLite stores not-a-number as missing, which is what it means here."""
    return (*summary[:4], summary.author.value, *summary[5:])


def _canonical(record: Record) -> str:
    return json.dumps(record.model_dump(mode="json"), sort_keys=True)
