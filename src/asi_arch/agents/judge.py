"""The embedded Judge: a written rubric, computed from counts and code. No clock, no model, no benchmark.

| mark       | weight | 1                                  | 0                                 |
|------------|--------|------------------------------------|-----------------------------------|
| efficiency | 0.40   | a quarter of the reference's work  | four times the reference's work   |
| simplicity | 0.24   | 40 lines of code and 8 parts       | 160 lines of code and 32 parts    |
| innovation | 0.36   | half of its and the nearest        | calls, constants and structure of |
|            |        | relative's features are not shared | a known program, however wired    |

*Efficiency*: work is the geometric mean of three counted ratios to the reference baseline (tensor operations called,
floating-point operations, numbers written); the mark falls evenly with its logarithm, so that equal work gives 1/2.
*Simplicity*: the mean of two marks that fall evenly with the logarithm of the number of code lines and of parts
(attributes that the constructor sets). *Innovation*: one minus the similarity to the nearest of all other proposals;
similarity is Jaccard's index over the code's features, averaged with that over mechanisms where both are catalogued.
Performance is not marked: it has terms of its own in the fitness. What was not counted earns nothing.

The weights are the original's 25 for innovation and 45 for complexity and efficiency, without its 30 for performance.
"""

import ast
import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from asi_arch.agents.features import code_features, similarity
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Judgement, Mark
from asi_arch.domain.outcome import CheckReport, Footprint
from asi_arch.domain.ports import Evidence

EFFICIENCY_WEIGHT = 0.40
SIMPLICITY_WEIGHT = 0.24
INNOVATION_WEIGHT = 0.36

WORK_FOR_FULL_MARK = 0.25
WORK_FOR_NO_MARK = 4.0
LINES_FOR_FULL_MARK = 40
LINES_FOR_NO_MARK = 160
PARTS_FOR_FULL_MARK = 8
PARTS_FOR_NO_MARK = 32
NOVELTY_FOR_FULL_MARK = 0.5
"""Distance to the nearest relative."""


class RubricJudge:
    """A `Judge` whose marks anybody can compute again; equal input gives an equal judgement."""

    async def judge(self, proposal: Proposal, checks: CheckReport, context: Evidence) -> Judgement:
        """Efficiency, simplicity and innovation, each between 0 and 1, and their weighted mean."""
        marks = (
            efficiency(checks.footprint, context),
            _simplicity(proposal, checks.footprint),
            _innovation(proposal, context.others),
        )
        return Judgement(judge="rubric", marks=marks, score=weighted(marks))


def weighted(marks: Sequence[Mark]) -> float:
    """The weighted mean of the marks' values."""
    return sum(mark.value * mark.weight for mark in marks) / sum(mark.weight for mark in marks)


def efficiency(own: Footprint | None, context: Evidence) -> Mark:
    """The mark for counted work; no judge may give another one."""
    return _efficiency(own, _reference_footprint(context))


class Relative(NamedTuple):
    """Another proposal and how alike it is, between 0 and 1."""

    proposal: Proposal
    likeness: float


def nearest_relative(proposal: Proposal, others: Sequence[Proposal]) -> Relative | None:
    """The first of those that are most alike; None where there are no others."""
    own, mechanisms = code_features(proposal.source), frozenset(proposal.catalogued)
    relatives = [Relative(other, _alike(own, mechanisms, other)) for other in others]
    return max(relatives, key=lambda relative: relative.likeness, default=None)


def _reference_footprint(context: Evidence) -> Footprint | None:
    """None also where there is no reference yet: the reference itself is judged without one."""
    checks = context.reference.checks if context.reference else None
    return checks.footprint if checks else None


def _efficiency(own: Footprint | None, reference: Footprint | None) -> Mark:
    if own is None:
        return Mark(name="efficiency", value=0.0, weight=EFFICIENCY_WEIGHT, reason="Its work could not be counted.")
    if reference is None:
        reason = "There is no reference to compare its work with, so it counts as equal."
        return Mark(name="efficiency", value=0.5, weight=EFFICIENCY_WEIGHT, reason=reason)
    ratios = {
        "operations called": own.aten_calls / max(1, reference.aten_calls),
        "floating-point operations": own.flops / max(1, reference.flops),
        "numbers written": own.elements / max(1, reference.elements),
    }
    work = math.exp(sum(math.log(max(ratio, 1e-6)) for ratio in ratios.values()) / len(ratios))
    told = ", ".join(f"{ratio:.2f}x the {name}" for name, ratio in ratios.items())
    value = _falling(work, full=WORK_FOR_FULL_MARK, none=WORK_FOR_NO_MARK)
    reason = f"It does {work:.2f}x the reference's work ({told})."
    return Mark(name="efficiency", value=value, weight=EFFICIENCY_WEIGHT, reason=reason)


def _simplicity(proposal: Proposal, footprint: Footprint | None) -> Mark:
    lines = footprint.code_lines if footprint else 0
    parts = _parts(proposal.source)
    if not lines or parts is None:
        return Mark(name="simplicity", value=0.0, weight=SIMPLICITY_WEIGHT, reason="Its code could not be counted.")
    value = 0.5 * (
        _falling(lines, full=LINES_FOR_FULL_MARK, none=LINES_FOR_NO_MARK)
        + _falling(max(1, parts), full=PARTS_FOR_FULL_MARK, none=PARTS_FOR_NO_MARK)
    )
    reason = f"It has {lines} lines of code and {parts} parts."
    return Mark(name="simplicity", value=value, weight=SIMPLICITY_WEIGHT, reason=reason)


def _innovation(proposal: Proposal, others: Sequence[Proposal]) -> Mark:
    if (relative := nearest_relative(proposal, others)) is None:
        reason = "It is the first of its campaign, so nothing is like it."
        return Mark(name="innovation", value=1.0, weight=INNOVATION_WEIGHT, reason=reason)
    nearest, mechanisms = relative.proposal, frozenset(proposal.catalogued)
    value = min(1.0, (1.0 - relative.likeness) / NOVELTY_FOR_FULL_MARK)
    shared = mechanisms & set(nearest.catalogued)
    told = f" and {len(shared)} of its {len(mechanisms)} mechanisms" if mechanisms and nearest.catalogued else ""
    in_code = similarity(code_features(proposal.source), code_features(nearest.source))
    reason = f"Its nearest relative, {nearest.name}, shares {in_code:.0%} of the code's features{told}."
    return Mark(name="innovation", value=value, weight=INNOVATION_WEIGHT, reason=reason)


def _alike(own: int, mechanisms: Collection[str], other: Proposal) -> float:
    """Between 0 and 1; on code alone where one of the two names no mechanisms."""
    in_code = similarity(own, code_features(other.source))
    if not mechanisms or not other.catalogued:
        return in_code
    theirs = set(other.catalogued)
    return 0.5 * in_code + 0.5 * len(theirs.intersection(mechanisms)) / len(theirs.union(mechanisms))


def _falling(value: float, *, full: float, none: float) -> float:
    """1 up to `full`, 0 from `none` on, even in the logarithm between them."""
    share = math.log(none / value) / math.log(none / full)
    return min(1.0, max(0.0, share))


def _parts(source: str) -> int | None:
    """Number of attributes that the classes' constructors set; None for a text that is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    return sum(
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
        for node in ast.walk(function)
    )


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
