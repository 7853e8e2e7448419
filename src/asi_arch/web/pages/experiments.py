"""All experiments, a page at a time: found, sorted and counted here, so that ten thousand are no burden."""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Summary
from asi_arch.report.digest import Digest
from asi_arch.report.words import OUTCOMES
from asi_arch.web.render import Pages

PER_PAGE = 50


class Sort(str, Enum):
    """By what a list may be sorted; what is missing comes last, whichever way."""

    INDEX = "index"
    NAME = "name"
    FITNESS = "fitness"
    LOSS = "loss"
    RECALL = "recall"


_KEYS: dict[Sort, Callable[[Summary], Any]] = {
    Sort.INDEX: lambda s: s.index,
    Sort.NAME: lambda s: s.name.casefold(),
    Sort.FITNESS: lambda s: s.fitness,
    Sort.LOSS: lambda s: s.language_loss,
    Sort.RECALL: lambda s: s.recall_accuracy,
}


class Wish(NamedTuple):
    """What is asked for."""

    text: str = ""
    """In a name or a mechanism, or a number; '#7' is number 7 and nothing else."""
    outcome: str = ""
    author: str = ""
    sort: Sort = Sort.INDEX
    falling: bool = True
    page: int = 1


class Found(NamedTuple):
    """One page of what was asked for."""

    summaries: list[Summary]
    total: int
    page: int
    pages: int


def add(router: APIRouter, pages: Pages) -> None:
    """The page /experiments."""

    @router.get("/experiments")
    def experiments(  # pyright: ignore[reportUnusedFunction]
        q: str = Query("", max_length=200),
        outcome: str = Query("", max_length=40),
        author: str = Query("", max_length=40),
        sort: Sort = Sort.INDEX,
        falling: bool = True,
        page: int = Query(1, ge=1, le=10**6),
    ) -> HTMLResponse:
        wish = Wish(q.strip(), outcome, author, sort, falling, page)
        mechanisms, standing = mechanisms_of(pages), pages.reader.standing()
        found = find(list(standing.summaries.values()), mechanisms, wish)
        return HTMLResponse(
            pages.html(
                "experiments",
                standing,
                here="/experiments",
                title="Experiments",
                wish=wish,
                found=found,
                sorts=list(Sort),
                kinds=OUTCOMES,
                authors=[item.value for item in Author],
                mechanisms=mechanisms,
            )
        )


def mechanisms_of(pages: Pages) -> dict[int, tuple[str, ...]]:
    """Of every experiment that is read already."""
    campaign = pages.reader.digest(patience_s=0.05)
    return pages.derived.lately(_mechanisms, campaign) if campaign else {}


def _mechanisms(campaign: Digest) -> dict[int, tuple[str, ...]]:
    return {line.summary.index: line.mechanisms for line in campaign.lines}


def find(summaries: list[Summary], mechanisms: dict[int, tuple[str, ...]], wish: Wish) -> Found:
    """Those that fit, sorted, one page of them; a page beyond the last is the last."""
    kept = [s for s in summaries if not wish.outcome or s.outcome == wish.outcome]
    kept = [s for s in kept if not wish.author or s.author.value == wish.author]
    text = wish.text.casefold()
    kept = [s for s in kept if not text or _is_meant(s, mechanisms.get(s.index, ()), text)]
    key = _KEYS[wish.sort]
    known = sorted((s for s in kept if key(s) is not None), key=key, reverse=wish.falling)
    ordered = known + [s for s in kept if key(s) is None]
    last = max(1, -(-len(ordered) // PER_PAGE))
    page = min(wish.page, last)
    return Found(ordered[(page - 1) * PER_PAGE : page * PER_PAGE], len(ordered), page, last)


def _is_meant(summary: Summary, mechanisms: tuple[str, ...], text: str) -> bool:
    """By a text in lower case."""
    number = str(summary.index)
    if text.startswith("#"):
        return text == f"#{number}"
    return text == number or text in "\n".join((summary.name, *mechanisms)).casefold()
