"""Which mechanisms the best designs have, against the rest (the paper's Figure 7), and which go together."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.verdict import Interval
from asi_arch.report.digest import Digest, Line
from asi_arch.report.findings import promoted_shas
from asi_arch.report.fittest import groups
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.report.words import plural
from asi_arch.stats.proportions import share_ratio

FEWEST_PROMOTED = 5
"""Fewer promoted designs say nothing about what promoted designs have in common: then the fittest are the gallery."""
PAIRED = 12
"""Mechanisms of the table of pairs, the most used."""


class Mechanism(NamedTuple):
    """How often one mechanism occurs, as shares of the designs in each group."""

    name: str
    gallery: float
    rest: float
    in_gallery: int
    in_rest: int
    enrichment: Interval
    """Share in the gallery over share in the rest, half a case added to all counts."""

    @property
    def uses(self) -> int:
        """Of all candidates."""
        return self.in_gallery + self.in_rest


class Pairs(NamedTuple):
    """How often mechanisms occur together in one design, by row and column."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """Of designs with both; on the diagonal of designs with the one."""
    lifts: tuple[tuple[float | None, ...], ...]
    """Count over what independent use would give: n_ij * N / (n_i * n_j). None on the diagonal."""
    designs: int
    """N, of all candidates."""

    def expected(self, row: int, column: int) -> float:
        """Designs with both if use were independent."""
        return self.counts[row][row] * self.counts[column][column] / self.designs if self.designs else 0.0


class Mechanisms(NamedTuple):
    """The whole account."""

    gallery: str
    """Who is set apart: 'the 12 promoted designs', 'the fittest 10'."""
    gallery_size: int
    rest_size: int
    found: tuple[Mechanism, ...]
    """The most used first, ties by name."""
    pairs: Pairs
    missing: str
    """Why there is nothing; empty where there is."""


def mechanisms(campaign: Digest) -> Mechanisms:
    """Of all candidates. A description, no test: designs descend from each other, so their uses are not independent."""
    name, gallery, rest = gallery_of(campaign)
    missing = _missing(campaign, gallery)
    above, below = _uses(gallery), _uses(rest)
    names = sorted({*above, *below}, key=lambda key: (-above[key] - below[key], key))
    return Mechanisms(
        gallery=name,
        gallery_size=len(gallery),
        rest_size=len(rest),
        found=() if missing else tuple(_mechanism(key, above, below, len(gallery), len(rest)) for key in names),
        pairs=_pairs([*gallery, *rest], names[:PAIRED]),
        missing=missing,
    )


def gallery_of(campaign: Digest) -> tuple[str, list[Line], list[Line]]:
    """A name, its members, all other candidates: who was promoted if that is `FEWEST_PROMOTED`, else the fittest."""
    known = promoted_shas(campaign)
    promoted = [line for line in campaign.candidates if line.summary.sha in known]
    if len(promoted) >= FEWEST_PROMOTED:
        chosen = {line.summary.index for line in promoted}
        rest = [line for line in campaign.candidates if line.summary.index not in chosen]
        return f"the {plural(len(promoted), 'promoted design')}", promoted, rest
    fittest, rest = groups(campaign)
    return f"the fittest {len(fittest)}", fittest, rest


def _missing(campaign: Digest, gallery: Sequence[Line]) -> str:
    if not any(line.mechanisms for line in campaign.candidates):
        if campaign.is_imported:
            return f"what designs are made of is {NOT_IMPORTED}"
        return "no candidate names its mechanisms; 'asi-arch provenance' recognises them in the code"
    return "" if gallery else "fewer than two candidates have a fitness, so none are set apart"


def _mechanism(name: str, above: Counter[str], below: Counter[str], size: int, others: int) -> Mechanism:
    """Without any others, the ratio is against an empty group of one."""
    return Mechanism(
        name=name,
        gallery=above[name] / size,
        rest=below[name] / max(others, 1),
        in_gallery=above[name],
        in_rest=below[name],
        enrichment=share_ratio(above[name], size, below[name], max(others, 1)),
    )


def _uses(lines: Sequence[Line]) -> Counter[str]:
    return Counter(name for line in lines for name in dict.fromkeys(line.mechanisms))


def _pairs(lines: Sequence[Line], names: Sequence[str]) -> Pairs:
    place = {name: i for i, name in enumerate(names)}
    counts = [[0] * len(names) for _ in names]
    for line in lines:
        present = {place[name] for name in line.mechanisms if name in place}
        for a in present:
            for b in present:
                counts[a][b] += 1
    total, single = len(lines), [counts[i][i] for i in range(len(names))]
    lifts = [
        tuple(None if a == b else counts[a][b] * total / (single[a] * single[b]) for b in range(len(names)))
        for a in range(len(names))
    ]
    return Pairs(tuple(names), tuple(map(tuple, counts)), tuple(lifts), total)
