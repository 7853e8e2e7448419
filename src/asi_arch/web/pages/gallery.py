"""Verified designs as cards, then leads that nobody has verified yet."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from asi_arch.domain.candidate import Proposal
from asi_arch.domain.ports import Store
from asi_arch.domain.verdict import Comparison, Verdict
from asi_arch.report.digest import Digest, Line
from asi_arch.report.findings import discoveries, first_loss, promoted_shas, standing
from asi_arch.report.words import Reading
from asi_arch.stats.promotion import DISCOVERY_Q
from asi_arch.stats.wording import is_loss, q_text
from asi_arch.web.charts import interval
from asi_arch.web.render import Pages
from asi_arch.web.scales import Scale, spanning

PER_PAGE = 24
_LEADS = 10
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LONGEST = 240
"""Characters of an idea on a card."""


class Measure(NamedTuple):
    """One comparison of a verdict."""

    words: str
    """Quantity minus baseline."""
    value: Reading
    is_lower_better: bool
    picture: Markup


class Card(NamedTuple):
    """A verified design."""

    sha: str
    line: Line | None
    """None for a program that is not an experiment of this campaign."""
    statement: str
    q_words: str
    standing: str
    is_promoted: bool
    measures: tuple[Measure, ...]


class Published(NamedTuple):
    """A design of an imported campaign of which more than a score was published."""

    line: Line
    tasks: list[tuple[str, float]]


def add(router: APIRouter, pages: Pages) -> None:
    """The page /gallery."""
    pages.derived.foresee(content)
    ideas: dict[int, Proposal] = {}

    def idea(store: Store, index: int) -> Proposal | None:
        """Of a finished experiment, which never changes."""
        if index not in ideas and (found := store.experiment(index)) is not None:
            ideas[index] = found.proposal.model_copy(update={"source": ""})
        return ideas.get(index)

    @router.get("/gallery")
    def gallery(page: int = Query(1, ge=1, le=10**6)) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        made = pages.derived(content)
        cards: Sequence[Card | Published] = (made["cards"] or made["published"]) if made else []
        last = max(1, -(-len(cards) // PER_PAGE))
        shown = cards[(min(page, last) - 1) * PER_PAGE :][:PER_PAGE]
        known = [card.line.summary.index for card in shown if card.line is not None]
        with pages.reader.store() as store:
            proposals = {index: idea(store, index) for index in known}
        more = {
            "shown": shown,
            "page": min(page, last),
            "pages": last,
            "proposals": proposals,
            "ideas": {index: sentence(found) for index, found in proposals.items() if found is not None},
            "command": pages.command,
        }
        standing = pages.reader.standing()
        return HTMLResponse(pages.html_of("gallery", standing, content, here="/gallery", title="Gallery", **more))


def content(campaign: Digest) -> dict[str, Any]:
    """What does not depend on the page of cards."""
    return {
        "cards": _cards(campaign),
        "published": _published(campaign),
        "leads": _leads(campaign),
        "names": {line.summary.index: line.summary.name for line in campaign.lines},
        "reference": campaign.yardstick.reference,
        "needed_q": DISCOVERY_Q,
    }


def sentence(proposal: Proposal) -> str:
    """What is new in it: the change, else the first sentence of its motivation."""
    text = _SENTENCE.split((proposal.change or proposal.motivation).strip(), maxsplit=1)[0]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} …"


def _cards(campaign: Digest) -> list[Card]:
    """The latest verdict of every design, the promoted first, then by the gain in language loss."""
    latest = {verdict.sha: verdict for verdict in campaign.verdicts}
    q_values = discoveries(campaign.verdicts, campaign.yardstick.reference)
    promoted = promoted_shas(campaign)
    lines = {line.summary.sha: line for line in reversed(campaign.lines)}
    span = _span(list(latest.values()))
    cards = [
        Card(
            sha=sha,
            line=lines.get(sha),
            statement=verdict.statement.partition("; ")[0],
            q_words=q_text(q_values[sha]) if sha in q_values else "",
            standing=standing(verdict, q_values.get(sha, 1.0)),
            is_promoted=sha in promoted,
            measures=tuple(
                _measure(c, span) for c in verdict.comparisons if is_loss(c.quantity) or _is_first(c, verdict)
            ),
        )
        for sha, verdict in latest.items()
    ]
    return sorted(cards, key=lambda card: (not card.is_promoted, _gain(latest[card.sha])))


def _gain(verdict: Verdict) -> float:
    has_loss = any(is_loss(c.quantity) for c in verdict.comparisons)
    return first_loss(verdict).difference.estimate if has_loss else 0.0


def _is_first(comparison: Comparison, verdict: Verdict) -> bool:
    return comparison.baseline == verdict.comparisons[0].baseline


def _span(verdicts: Sequence[Verdict]) -> Scale:
    """The same for all cards, so that they can be compared."""
    ends = [end for v in verdicts for c in v.comparisons for end in (c.difference.low, c.difference.high)]
    return spanning([0.0, *ends], 0, 100)


def _measure(comparison: Comparison, span: Scale) -> Measure:
    value, is_lower_better = Reading.of(comparison.difference), is_loss(comparison.quantity)
    is_gain = (value.estimate < 0) is is_lower_better
    tone = ("good" if is_gain else "bad") if value.is_clear else "quiet"
    found = comparison.difference
    return Measure(
        words=f"{comparison.quantity} \u2212 {comparison.baseline}",
        value=value,
        is_lower_better=is_lower_better,
        picture=interval(found.low, found.estimate, found.high, span=span, tone=tone),
    )


def _leads(campaign: Digest) -> list[Line]:
    """The fittest candidates that nobody has verified."""
    verified = {verdict.sha for verdict in campaign.verdicts}
    if campaign.is_imported:
        return []
    found = [x for x in campaign.candidates if x.summary.fitness is not None and x.summary.sha not in verified]
    return sorted(found, key=lambda line: (-(line.summary.fitness or 0.0), line.summary.index))[:_LEADS]


def _published(campaign: Digest) -> list[Published]:
    """Of an imported campaign the designs with results besides the score, best score first."""
    known = [line for line in campaign.lines if line.published and (line.published.tasks or line.published.curve)]
    known.sort(key=lambda line: (-(line.summary.fitness or 0.0), line.summary.index))
    return [Published(line, list(line.published.tasks.items())) for line in known if line.published]
