"""A database of ShinkaEvolve: rows of its table `programs`, ranked by `combined_score` where they are `correct`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from asi_arch.domain.outcome import Measured, Outcome, Rejected
from asi_arch.domain.published import Origin
from asi_arch.engine.archives.entry import (
    Archive,
    circular,
    finite,
    one_line,
    prose,
    refuse,
)
from asi_arch.engine.archives.files import hash_of
from asi_arch.engine.archives.programs import (
    Program,
    json_object,
    moment,
    numbered,
    orphans,
    results,
    twice,
    where,
    whole,
)

_MAX_REASON: Final = 500

Row = Mapping[str, Any]
"""Column -> value; None where there is none."""


def archive_of(path: Path, rows: Sequence[Row]) -> Archive:
    """All programs of the database `path`, which holds these rows. Raises `ArchiveError` that names every bad one."""
    refuse(str(path), list(_faults(rows)))
    programs = [_program(row, place) for place, row in enumerate(rows, 1)]
    refuse(str(path), twice(programs))
    entries = numbered(programs)
    refuse(str(path), circular(entries))
    log = path.with_name(f"{path.name}-wal")
    files = [path, log] if log.is_file() and log.stat().st_size else [path]
    origin = Origin(
        format="shinka",
        title=f"{len(entries):,} programs of the ShinkaEvolve database {one_line(path.name)}",
        files={one_line(file.name): hash_of(file) for file in files},
        score="'combined_score' of its evaluation; higher is better",
    )
    copies = sum(json_object(row["metadata"]).get("_is_island_copy") is True for row in rows)
    copied = (f"{copies:,} are copies of the first program, one for each further island",) if copies else ()
    return Archive(origin, entries, (*orphans(programs), *copied))


def _faults(rows: Iterable[Row]) -> Iterable[str]:
    for place, row in enumerate(rows, 1):
        for name, value in (("id", row["id"]), ("code", row["code"])):
            if not isinstance(value, str) or (name == "id" and not value.strip()):
                yield f"program {place}: '{name}' is missing or no text"


def _program(row: Row, place: int) -> Program:
    metadata = json_object(row["metadata"])
    kind, origin = prose(metadata.get("patch_type")), where(generation=row["generation"], island=row["island_idx"])
    name = metadata.get("patch_name")
    return Program(
        key=row["id"],
        parent=row["parent_id"] if isinstance(row["parent_id"], str) and row["parent_id"] else None,
        place=f"program {place}",
        code=row["code"],
        generation=whole(row["generation"]),
        at=moment(row["timestamp"]),
        score=finite(row["combined_score"]),
        tasks=results({**json_object(row["private_metrics"]), **json_object(row["public_metrics"])}),
        name=name if isinstance(name, str) and name != "none" else "",
        motivation=prose(metadata.get("patch_description")),
        change=", ".join(part for part in (f"{kind} patch" if kind else "", origin) if part),
        references=(*_ids(row["archive_inspiration_ids"]), *_ids(row["top_k_inspiration_ids"])),
        outcome=_outcome(row),
    )


def _ids(text: object) -> Iterable[str]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return ()
    return (item for item in cast("list[Any]", found) if isinstance(item, str)) if isinstance(found, list) else ()


def _outcome(row: Row) -> Outcome:
    """What its evaluation calls incorrect is not ranked there, and not here."""
    if row["correct"] is None or bool(row["correct"]):
        return Measured()
    feedback = prose(row["text_feedback"], _MAX_REASON)
    return Rejected(check="correct", reason=feedback or "its evaluation called the program incorrect")
