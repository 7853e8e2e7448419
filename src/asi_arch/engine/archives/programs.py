"""What archives of evolved programs have in common: designs are named by texts and get numbers here."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

from asi_arch.domain.outcome import Measured, Outcome
from asi_arch.domain.published import Published
from asi_arch.engine.archives.entry import Entry, finite, one_line, storable

_MAX_TASKS: Final = 200
_ID_SHOWN: Final = 8


class Program(NamedTuple):
    """One program as its archive tells of it."""

    key: str
    """What the archive calls it."""
    parent: str | None
    place: str
    code: str
    generation: int
    at: float
    score: float | None
    tasks: dict[str, float]
    name: str = ""
    motivation: str = ""
    change: str = ""
    references: tuple[str, ...] = ()
    outcome: Outcome = Measured()


def twice(programs: Iterable[Program]) -> list[str]:
    """A complaint for every name that two programs share."""
    first: dict[str, str] = {}
    complaints: list[str] = []
    for program in programs:
        if program.key in first:
            complaints.append(f"{program.place}: id {one_line(program.key)!r} is that of {first[program.key]} as well")
        first.setdefault(program.key, program.place)
    return complaints


def numbered(programs: Iterable[Program]) -> list[Entry]:
    """From 1 on, by generation, time and name. A parent or reference that is not among them is forgotten."""
    ordered = sorted(programs, key=lambda program: (program.generation, program.at, program.key))
    numbers = {program.key: number for number, program in enumerate(ordered, 1)}
    return [_entry(program, numbers) for program in ordered]


def orphans(programs: Iterable[Program]) -> tuple[str, ...]:
    """A note where parents are missing."""
    listed = list(programs)
    known = {program.key for program in listed}
    count = sum(program.parent is not None and program.parent not in known for program in listed)
    return (f"{count:,} have a parent that is not in the archive; each starts a line of its own",) if count else ()


def _entry(program: Program, numbers: Mapping[str, int]) -> Entry:
    label = one_line(program.key)
    return Entry(
        number=numbers[program.key],
        parent=numbers.get(program.parent) if program.parent is not None else None,
        place=program.place,
        name=one_line(program.name, otherwise=label[:_ID_SHOWN]),
        published=Published(label=label, score=program.score, tasks=program.tasks),
        source=storable(program.code),
        motivation=program.motivation,
        change=program.change,
        references=tuple(dict.fromkeys(numbers[key] for key in program.references if key in numbers)),
        outcome=program.outcome,
        at=program.at,
    )


def results(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among an evaluator's metrics, but for the score itself; the first 200."""
    named = ((one_line(name), finite(value)) for name, value in metrics.items() if name != "combined_score")
    return dict([(name, value) for name, value in named if name and value is not None][:_MAX_TASKS])


def json_object(text: object) -> dict[str, Any]:
    """What a JSON text holds; nothing where it is no object."""
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def whole(value: object) -> int:
    """A count from 0 on; 0 for anything else."""
    number = finite(value)
    return int(number) if number is not None and number >= 0 else 0


def moment(value: object) -> float:
    """A Unix time; 0 where it is none."""
    return max(0.0, finite(value) or 0.0)


def where(**counts: object) -> str:
    """'generation 3, island 1' of the counts that are known."""
    known = {name: finite(value) for name, value in counts.items()}
    return ", ".join(f"{name} {int(value)}" for name, value in known.items() if value is not None)
