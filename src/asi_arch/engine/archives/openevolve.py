"""A checkpoint of OpenEvolve: a folder with `metadata.json` and `programs/ID.json`.

A program's file holds `id`, `code`, `parent_id`, `generation`, `iteration_found`, `timestamp`, `metrics` and `metadata`
(`island`, `changes`). What ranks is `metrics["combined_score"]`; OpenEvolve itself takes the mean of the metrics where
no program has one, and so do we.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final, NamedTuple, cast

from asi_arch.domain.errors import ArchiveError
from asi_arch.domain.outcome import Crashed, Measured, Outcome
from asi_arch.domain.published import Origin
from asi_arch.engine.archives.entry import (
    MAX_PROGRAM_BYTES,
    Archive,
    Entry,
    Tick,
    circular,
    finite,
    one_line,
    prose,
    refuse,
    require_few,
)
from asi_arch.engine.archives.files import read_text
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

MAX_TOTAL_BYTES: Final = 2_000_000_000
_METADATA: Final = "metadata.json"
_COMBINED: Final = "combined_score"
_MAX_LOG: Final = 2_000
_MAX_REASON: Final = 500


class _Read(NamedTuple):
    """One program's file."""

    place: str
    fields: dict[str, Any]


def read_checkpoint(folder: Path, tick: Tick) -> Archive:
    """All programs of a checkpoint. Raises `ArchiveError` that names every bad file, up to ten."""
    files = _files(folder)
    metadata, hashes = _metadata(folder / _METADATA)
    read, sha = _read_all(files, tick)
    is_combined = any(_COMBINED in _metrics(item.fields) for item in read)
    programs = [_program(item, is_combined=is_combined) for item in read]
    refuse(str(folder), twice(programs))
    entries = numbered(programs)
    refuse(str(folder), circular(entries))
    last = f" up to iteration {whole(metadata['last_iteration']):,}" if "last_iteration" in metadata else ""
    name = one_line(folder.resolve().name)
    origin = Origin(
        format="openevolve",
        title=f"{len(entries):,} programs of the OpenEvolve checkpoint {name}{last}",
        files={**hashes, f"{name}/programs ({len(files):,} files)": sha},
        score=f"'{_COMBINED}' of its evaluator; higher is better"
        if is_combined
        else "mean of its evaluator's metrics; higher is better",
    )
    return Archive(origin, entries, (*orphans(programs), *_another_best(metadata, entries)))


def _files(folder: Path) -> list[Path]:
    if not folder.exists():
        raise ArchiveError(f"{folder} does not exist; name the folder of a checkpoint, e.g. checkpoints/checkpoint_100")
    if not folder.is_dir():
        raise ArchiveError(f"{folder} is a file; name the folder of a checkpoint, e.g. checkpoints/checkpoint_100")
    programs = folder / "programs"
    try:
        files = sorted(path for path in programs.iterdir() if path.suffix == ".json") if programs.is_dir() else []
        total = sum(path.stat().st_size for path in files)
    except OSError as error:
        raise ArchiveError(f"{programs} can't be read: {error.strerror or error}") from error
    if not files:
        raise ArchiveError(f"{folder} has no programs (programs/ID.json){_latest_below(folder)}")
    require_few(str(folder), len(files))
    if total > MAX_TOTAL_BYTES:
        raise ArchiveError(f"{programs} holds {total:,} bytes; a checkpoint may have {MAX_TOTAL_BYTES:,}")
    return files


def _latest_below(folder: Path) -> str:
    """Where somebody names the folder of the whole run."""
    found = [path for pattern in ("checkpoint_*", "checkpoints/checkpoint_*") for path in folder.glob(pattern)]
    numbered_ = [(int(match[1]), path) for path in found if (match := re.fullmatch(r"checkpoint_(\d+)", path.name))]
    return f"; name one of its checkpoints, the latest is {max(numbered_)[1]}" if numbered_ else ""


def _metadata(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """What the checkpoint says of itself, and the file's hash; neither where there is none."""
    if not path.exists():
        return {}, {}
    text, sha = read_text(path, "a checkpoint's metadata")
    found = json_object(text)
    if not found:
        raise ArchiveError(f"{path} must hold a JSON object")
    return found, {f"{one_line(path.resolve().parent.name)}/{_METADATA}": sha}


def _read_all(files: Sequence[Path], tick: Tick) -> tuple[list[_Read], str]:
    """The fields of all files, and a hash of all of them."""
    digest = hashlib.sha256()
    read: list[_Read] = []
    complaints: list[str] = []
    for done, path in enumerate(files, 1):
        text, sha = read_text(path, "a program's file")
        digest.update(f"{path.name}\0{sha}\n".encode(errors="replace"))
        fields, complaint = _fields(text)
        place = f"programs/{one_line(path.name)}"
        if complaint:
            complaints.append(f"{place}: {complaint}")
        read.append(_Read(place, fields))
        tick("reading", done, len(files))
    refuse(str(files[0].parent.parent), complaints)
    return read, digest.hexdigest()


def _fields(text: str) -> tuple[dict[str, Any], str]:
    """A program's fields without what is not needed, or what is wrong with them."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {}, f"is not JSON: {str(error)[:100]}"
    if not isinstance(found, dict):
        return {}, f"must hold an object, got a {type(found).__name__}"
    fields = cast("dict[str, Any]", found)
    for name in ("id", "code"):
        if not isinstance(fields.get(name), str) or (name == "id" and not fields[name].strip()):
            return {}, f"'{name}' is missing or no text"
    if (size := len(fields["code"].encode(errors="replace"))) > MAX_PROGRAM_BYTES:
        return {}, f"'code' has {size:,} bytes; a program may have {MAX_PROGRAM_BYTES:,}"
    fields.pop("prompts", None)
    fields.pop("embedding", None)
    return fields, ""


def _program(item: _Read, *, is_combined: bool) -> Program:
    fields, metrics, metadata = item.fields, _metrics(item.fields), json_object(item.fields.get("metadata"))
    parent, outcome = fields.get("parent_id"), _outcome(metrics, json_object(fields.get("artifacts_json")))
    told = results(metrics)
    if isinstance(outcome, Crashed):
        told.pop("error", None)
    origin = where(
        iteration=fields.get("iteration_found"), generation=fields.get("generation"), island=metadata.get("island")
    )
    moved = "moved unchanged from another island" if metadata.get("migrant") is True else ""
    return Program(
        key=fields["id"],
        parent=parent if isinstance(parent, str) and parent else None,
        place=item.place,
        code=fields["code"],
        generation=whole(fields.get("generation")),
        at=moment(fields.get("timestamp")),
        score=_score(metrics, is_combined=is_combined),
        tasks=told,
        change="; ".join(part for part in (moved or prose(metadata.get("changes")), origin) if part),
        outcome=outcome,
    )


def _metrics(fields: dict[str, Any]) -> dict[str, Any]:
    return json_object(fields.get("metrics"))


def _score(metrics: dict[str, Any], *, is_combined: bool) -> float | None:
    if is_combined:
        return finite(metrics.get(_COMBINED))
    values = [number for value in metrics.values() if (number := finite(value)) is not None]
    return fmean(values) if values else None


def _outcome(metrics: dict[str, Any], artifacts: dict[str, Any]) -> Outcome:
    """Its evaluator leaves `error` where the program failed, and `timeout` where it took too long."""
    error, log = metrics.get("error"), "\n".join(_logs(artifacts))[-_MAX_LOG:]
    if metrics.get("timeout") is True:
        return Crashed(reason="its evaluation took too long", log=log)
    if isinstance(error, str) and error.strip():
        return Crashed(reason=prose(error, _MAX_REASON), log=log)
    if error is not None and _COMBINED not in metrics:
        return Crashed(reason="its evaluation failed", log=log)
    return Measured()


def _logs(artifacts: dict[str, Any]) -> Iterable[str]:
    return (text for name in ("stderr", "traceback") if (text := prose(artifacts.get(name))))


def _another_best(metadata: dict[str, Any], entries: Sequence[Entry]) -> tuple[str, ...]:
    """A note where the checkpoint calls another program its best than the scores do."""
    named = next((e for e in entries if e.published.label == metadata.get("best_program_id")), None)
    ranked = [entry for entry in entries if entry.rank is not None]
    if named is None or not ranked:
        return ()
    best = max(ranked, key=lambda entry: (entry.rank or 0.0, -entry.number))
    if named.rank == best.rank:
        return ()
    return (f"the checkpoint calls #{named.number} {named.name} its best; by score it is #{best.number} {best.name}",)
