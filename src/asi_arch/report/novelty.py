"""What the novelty check did, in words: for one idea, and for a campaign."""

from collections.abc import Mapping
from typing import Any

from asi_arch.domain.novelty import Decider
from asi_arch.report.words import plural

_DECIDERS = {
    Decider.SIMILARITY: "by similarity alone",
    Decider.MIND: "by a mind",
    Decider.OVERLAP: "by comparing programs",
}


def novelty_sentence(record: Mapping[str, Any]) -> str:
    """Of a `Novelty` as plain data."""
    nearest = "nothing came before it"
    if record["nearest"] is not None:
        nearest = f"nearest #{record['nearest']} with a similarity of {record['similarity']:.2f} by {record['measure']}"
    ruling = "taken although it repeats an earlier idea" if record["is_repeat"] else "new"
    told = f"{nearest}; {ruling}, decided {_DECIDERS[Decider(record['decider'])]}. {record['reason']}"
    if tried := record["disciplines"]:
        ideas = "1 idea was" if len(tried) == 1 else f"{len(tried)} ideas were"
        own = f"comes from {record['discipline']}" if record["discipline"] else "is the first one"
        told += f" {ideas} sent back, to {', '.join(tried)}; this one {own}."
    return told


def novelty_counts(counts: Mapping[str, int]) -> str:
    """Of the counts of `status`."""
    told = f"{plural(counts['checked'], 'idea')} checked, {counts['sent_back']} sent back as repeats"
    if counts["sent_back"]:
        told += f"; {counts['diversified']} came from another discipline, {counts['repeats']} repeated all the same"
    return told
