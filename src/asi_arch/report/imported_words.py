"""What may be said of a campaign that others made: what was published, where it comes from, and what is not known."""

from asi_arch.domain.published import Origin
from asi_arch.report.digest import Digest
from asi_arch.report.series.discoveries import discoveries
from asi_arch.report.series.tree import tree_layout
from asi_arch.report.standing import NOT_IMPORTED
from asi_arch.report.words import number, plural


def headline(campaign: Digest) -> tuple[str, str]:
    """An answer that claims nothing, and the facts."""
    origin, best = _origin(campaign), campaign.best
    answer = f"Published by others and not measured here: {origin.title}."
    if best is None:
        return answer, f"The scores of its designs are {NOT_IMPORTED}."
    found = discoveries(campaign)
    facts = f"The highest published score is that of {best.summary.name} (#{best.summary.index}),"
    facts += f" {number(best.summary.fitness)}."
    if not found.missing:
        facts += f" {len(found.leads):,} of {plural(found.candidates, 'design')} have a score above the root's."
    return answer, f"{facts} Whether such differences are real can't be told: seeds and intervals are {NOT_IMPORTED}."


def question(campaign: Digest) -> str:
    """What is looked at."""
    return (
        f"An imported campaign: {_origin(campaign).title}. This report shows what was published. What its authors asked"
        " beyond that, and how their search was set up, stands in their own words elsewhere."
    )


def glossary(campaign: Digest) -> list[tuple[str, str]]:
    """The one term that is needed."""
    return [
        ("Published score", f"what the search of its authors went by; higher is better: {_origin(campaign).score}.")
    ]


def method(campaign: Digest) -> list[str]:
    """From which files it was taken, and what they say of the score."""
    origin, layout = _origin(campaign), tree_layout(campaign)
    files = [f"Read from {name}, SHA-256 {sha[:16]}…" for name, sha in sorted(origin.files.items())]
    curves = sum(bool(line.published and line.published.curve) for line in campaign.lines)
    tasks = sum(bool(line.published and line.published.tasks) for line in campaign.lines)
    sizes = sum(bool(line.published and line.published.parameters) for line in campaign.lines)
    roots = "root" if len(layout.roots) == 1 else "roots"
    return [
        f"Format: {origin.format}. {plural(len(campaign.lines), 'design')} below {len(layout.roots)} {roots},"
        f" {plural(layout.depth, 'generation')} deep.",
        *files,
        f"Score, as published: {origin.score}.",
        f"Of {plural(len(campaign.lines), 'design')}, {curves:,} have a training curve, {tasks:,} results on tasks and"
        f" {sizes:,} a number of parameters in the data.",
        f"How models were trained and measured, with which seeds and data, is {NOT_IMPORTED}.",
    ]


def threats(campaign: Digest) -> list[str]:
    """Why the published numbers may mislead."""
    return [
        "Nothing of it was measured by this program, and its numbers can't be compared with a campaign's own.",
        f"Seeds and intervals are {NOT_IMPORTED}: what differs by chance and what does not can't be told apart.",
        f"The best of {plural(len(campaign.lines), 'design')} was picked by the score that is shown, so its score is"
        " partly luck.",
        "How often anything failed can't be told from what was kept: its authors chose what to publish.",
    ]


def budget(campaign: Digest) -> str:
    """What it took."""
    return f"{plural(len(campaign.lines), 'design')}. What finding them took is {NOT_IMPORTED}."


def tiles(campaign: Digest) -> list[tuple[str, str]]:
    """The import in numbers."""
    layout, best = tree_layout(campaign), campaign.best
    return [
        ("designs", f"{len(campaign.lines):,}"),
        ("with a score", f"{sum(line.summary.fitness is not None for line in campaign.lines):,}"),
        ("generations", f"{layout.depth:,}"),
        ("parents", f"{len({node.parent for node in layout.nodes} - {None}):,}"),
        ("best score", number(best.summary.fitness if best else None)),
        ("with a curve", f"{sum(bool(line.published and line.published.curve) for line in campaign.lines):,}"),
    ]


def _origin(campaign: Digest) -> Origin:
    origin = campaign.campaign.origin
    assert origin is not None, "only of an imported campaign"
    return origin
