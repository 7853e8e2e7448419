"""Where ideas come from: shares of cognition, experience and original (the paper's Table 3), in words and numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from asi_arch.domain.provenance import Namer, Origin, Provenance, Tracer
from asi_arch.domain.verdict import Interval
from asi_arch.report.digest import Digest, Line
from asi_arch.report.fittest import groups
from asi_arch.report.words import plural
from asi_arch.stats.promotion import proportion

BY_CODE = "recognised in the code alone, so a part of it"
_NAMED = {
    Namer.DESIGN: "taken from its design",
    Namer.CODE: BY_CODE,
    Namer.MODEL: "named by a language model, with lines of the code",
}
_TRACED = {Tracer.RECORDS: "origins told from the records", Tracer.MODEL: "origins told by a language model"}


class Share(NamedTuple):
    """Elements of one origin in a group of designs."""

    origin: Origin
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  tuple.count is never called
    share: Interval


class Group(NamedTuple):
    """A row of Table 3."""

    name: str
    designs: int
    """With at least one element whose origin is known."""
    elements: int
    shares: tuple[Share, ...]
    """One for each origin; empty without elements."""


class Origins(NamedTuple):
    """Table 3 of a campaign."""

    groups: tuple[Group, ...]
    """The fittest, the rest; without the fittest where there are too few with a fitness."""
    traced: int
    """Candidates whose provenance is stored."""
    candidates: int
    by_code: int
    """Of the traced: whose elements were recognised in the code alone."""
    by_model: int
    """Of the traced: whose origins a model told."""


def origins(campaign: Digest) -> Origins | None:
    """The table; None where no candidate's provenance is stored."""
    known = [line.provenance for line in campaign.candidates if line.provenance is not None]
    if not known:
        return None
    fittest, rest = groups(campaign)
    rows = [_group(f"the fittest {len(fittest)}", fittest)] if fittest else []
    return Origins(
        groups=(*rows, _group("all others" if fittest else "all candidates", rest)),
        traced=len(known),
        candidates=len(campaign.candidates),
        by_code=sum(found.named_by is Namer.CODE for found in known),
        by_model=sum(found.traced_by is Tracer.MODEL for found in known),
    )


def note(found: Origins) -> str:
    """How the table is read, and what it can't say."""
    parts = [
        f"Each element of a design is counted once; provenance is known of {found.traced:,} of"
        f" {plural(found.candidates, 'candidate')}. Experience: an experiment that its author was shown has it."
        " Cognition: a passage of the literature that its author was given has it. Original: neither, which does not"
        " mean new to the world: the composer draws its mechanisms from a catalogue of published ones."
    ]
    if found.by_model == 0:
        parts.append("The records decided, no language model was asked.")
    else:
        parts.append(
            f"Of {plural(found.by_model, 'design')} a language model decided, held to evidence that is on record; of"
            f" {found.traced - found.by_model:,} the records."
        )
    if found.by_code:
        parts.append(f"The elements of {plural(found.by_code, 'free program')} were {BY_CODE}.")
    parts.append(
        "Intervals (95%, Clopper and Pearson) take elements for independent; as designs descend from each other, they"
        " are too narrow."
    )
    return " ".join(parts)


def origins_data(found: Origins) -> dict[str, Any]:
    """For `--json`."""
    return {
        "traced": found.traced,
        "candidates": found.candidates,
        "by_code": found.by_code,
        "by_model": found.by_model,
        "groups": [
            {
                "name": group.name,
                "designs": group.designs,
                "elements": group.elements,
                "shares": {share.origin.value: _share_data(share) for share in group.shares},
            }
            for group in found.groups
        ],
    }


def _share_data(share: Share) -> dict[str, Any]:
    found = share.share
    return {"count": share.count, "share": found.estimate, "low": found.low, "high": found.high}


def share_text(share: Share) -> str:
    """'44.8% [40, 50]'."""
    estimate, low, high = (100 * value for value in (share.share.estimate, share.share.low, share.share.high))
    return f"{estimate:.1f}% [{low:.0f}, {high:.0f}]"


def origin_text(element: Mapping[str, Any]) -> str:
    """Of an element as plain data: 'experience of #4', 'cognition of 2406.06484', 'original', 'not on record'."""
    match element["origin"]:
        case None:
            return "origin not on record"
        case "experience":
            return f"experience of #{element['experiment']}"
        case "cognition":
            return f"cognition of {element['paper']}"
        case origin:
            return str(origin)


def how_text(provenance: Mapping[str, Any]) -> str:
    """Who named the elements and who told their origins."""
    named = _NAMED[Namer(provenance["named_by"])]
    if all(element["origin"] is None for element in provenance["elements"]):
        return f"elements {named}"
    return f"elements {named}; {_TRACED[Tracer(provenance['traced_by'])]}"


def _group(name: str, lines: Sequence[Line]) -> Group:
    known = [line.provenance for line in lines if line.provenance is not None]
    counts = {origin: sum(found.count(origin) for found in known) for origin in Origin}
    total = sum(counts.values())
    shares = tuple(Share(o, n, proportion(n, total)) for o, n in counts.items()) if total else ()
    return Group(name, sum(_is_placed(found) for found in known), total, shares)


def _is_placed(found: Provenance) -> bool:
    return any(element.origin is not None for element in found.elements)
