"""What came of reading a program against its promise, in words: for one program, and for a campaign."""

from collections.abc import Iterable, Mapping
from typing import Any

from asi_arch.domain.review import Review, ReviewEnd
from asi_arch.report.words import plural

_ENDS = {
    ReviewEnd.UNREAD: "Nobody could read the code against its promise.",
    ReviewEnd.CLEAR: "The checker found that the code keeps its promise.",
    ReviewEnd.NOTED: "No doubt asks for a change, so the author was not asked.",
    ReviewEnd.SILENT: "The author gave no usable answer, and the program was trained as it was.",
    ReviewEnd.STANDS: "The author keeps the program.",
    ReviewEnd.REVISED: "The author revised the program, and it passed all checks again.",
    ReviewEnd.REFUSED: "The author revised the program, but the one that was doubted was trained.",
}
_REASONS = {ReviewEnd.UNREAD: "What came instead", ReviewEnd.SILENT: "What came instead"}
_DOUBTED = frozenset({ReviewEnd.SILENT, ReviewEnd.STANDS, ReviewEnd.REVISED, ReviewEnd.REFUSED})


def review_lines(record: Mapping[str, Any]) -> list[str]:
    """Of a `Review` as plain data: each doubt, what became of them, and why."""
    lines = [
        f"Doubt{'' if doubt['should_change'] else ', in passing'}: promised: {doubt['promised']} Found:"
        f" {doubt['found']} At: {doubt['where']}"
        for doubt in record["doubts"]
    ]
    end = ReviewEnd(record["end"])
    told = _ENDS[end]
    told += f" {_REASONS.get(end, 'Its reason')}: {record['reason']}" if record["reason"] else ""
    told += f" Why: {record['refusal']}" if record["refusal"] else ""
    return [*lines, told]


def review_counts(reviews: Iterable[Review]) -> dict[str, int]:
    """How many programs were read, doubted so that their authors were asked, and revised."""
    ends = [review.end for review in reviews if review.end is not ReviewEnd.UNREAD]
    return {
        "read": len(ends),
        "doubted": sum(end in _DOUBTED for end in ends),
        "revised": sum(end is ReviewEnd.REVISED for end in ends),
    }


def counts_sentence(counts: Mapping[str, int]) -> str:
    """Of `review_counts`."""
    return f"{plural(counts['read'], 'program')} read, {counts['doubted']} doubted, {counts['revised']} revised"
