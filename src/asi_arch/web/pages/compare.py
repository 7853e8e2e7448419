"""Two to five experiments side by side."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from asi_arch.domain.profile import StageName
from asi_arch.report.curve_data import curves
from asi_arch.report.highlight import code
from asi_arch.report.payload import source_diff
from asi_arch.report.words import listed
from asi_arch.web.charts import Axes, Point, Series, chart
from asi_arch.web.reader import Standing
from asi_arch.web.render import Pages
from asi_arch.web.sides import Row, Seeds, Side, costs, footprints, results, tasks

FEWEST, MOST = 2, 5
_TONES = "abcde"
_SEPARATORS = re.compile(r"[\s,;]+")
_NUMBER = re.compile(r"#?([0-9]{1,9})")
_QUOTED = 40
"""Characters of what could not be read that are told."""

_NOISE = (
    "± is a 95% interval from the noise between the seeds of this campaign; green is better and orange worse than the"
    " first by more than that."
)
_TIMED = (
    "CPU time is that of the sandboxed processes, on the machine that ran them; of one layer, that of forward and"
    " backward after its checks."
)
_COUNTED = (
    "Counted on one layer, forward and backward, at the training length and a batch of one, so the same on every"
    " machine. Work at other lengths follows from the counted growth."
)


class Wish(NamedTuple):
    """What is asked for."""

    indices: tuple[int, ...]
    """Each once, in the order given."""
    unread: str
    """The first part that is no number; empty where all are."""


class Trouble(NamedTuple):
    """Why nothing can be compared."""

    status: int
    words: str


class Block(NamedTuple):
    """A table of rows about one thing."""

    title: str
    rows: list[Row]
    note: str


class Change(NamedTuple):
    """The code of one experiment against the first's."""

    side: Side
    added: int
    removed: int
    diff: Markup | None
    """None where a program is not on record, or both are the same."""
    note: str


def add(router: APIRouter, pages: Pages) -> None:
    """The page /compare."""

    @router.get("/compare")
    def compare(  # pyright: ignore[reportUnusedFunction]
        ids: Annotated[list[str] | None, Query()] = None,
        ticked: Annotated[list[str] | None, Query(alias="id")] = None,
    ) -> HTMLResponse:
        texts = [*(ids or ()), *(ticked or ())]
        wish, standing = wanted(texts), pages.reader.standing()
        trouble = _trouble(standing, wish)
        is_told = trouble is None and bool(wish.indices)
        content: dict[str, Any] = _content(pages, standing, wish.indices) if is_told else {"sides": []}
        content["field"] = " ".join(texts) if wish.unread else ", ".join(map(str, wish.indices))
        html = pages.html("compare", standing, here="/compare", title="Compare", trouble=trouble, most=MOST, **content)
        return HTMLResponse(html, trouble.status if trouble else 200)


def wanted(texts: Sequence[str]) -> Wish:
    """Numbers out of '1,2', '#1 #2' or one in each text."""
    indices: dict[int, None] = {}
    for part in (part for text in texts for part in _SEPARATORS.split(text) if part):
        found = _NUMBER.fullmatch(part)
        if found is None:
            return Wish(tuple(indices), part)
        indices[int(found[1])] = None
    return Wish(tuple(indices), "")


def _trouble(standing: Standing, wish: Wish) -> Trouble | None:
    if wish.unread:
        text = wish.unread if len(wish.unread) <= _QUOTED else f"{wish.unread[:_QUOTED]} …"
        return Trouble(400, f"“{text}” is not the number of an experiment. Give numbers, such as 0, 12, 40.")
    if not wish.indices:
        return None
    if len(wish.indices) < FEWEST:
        return Trouble(400, f"One experiment alone can't be compared: give {FEWEST} to {MOST} different numbers.")
    if len(wish.indices) > MOST:
        return Trouble(400, f"{len(wish.indices)} experiments are too many to see side by side: give at most {MOST}.")
    absent = [f"#{index}" for index in wish.indices if index not in standing.summaries]
    if not absent:
        return None
    if all(int(name[1:]) in standing.unfinished for name in absent):
        return Trouble(404, f"{listed(absent)} {'is' if len(absent) == 1 else 'are'} not finished yet.")
    return Trouble(404, f"There is no finished experiment {listed(absent, 'or')} in this campaign.")


def _content(pages: Pages, standing: Standing, indices: Sequence[int]) -> dict[str, Any]:
    sides = _sides(pages, standing, indices)
    read = pages.reader.digest(patience_s=0.05)
    seeds = Seeds(read.language_noise, read.recall_noise) if read else Seeds(None, None)
    return {
        "sides": sides,
        "blocks": [block for block in _blocks(sides, seeds) if block.rows],
        "charts": [
            found for found in (*(_curves(stage, sides) for stage in StageName), _published(sides)) if found is not None
        ],
        "changes": [_change(sides[0], side) for side in sides[1:]],
    }


def _sides(pages: Pages, standing: Standing, indices: Sequence[int]) -> list[Side]:
    with pages.reader.store() as store:
        found = [experiment for index in indices if (experiment := store.experiment(index)) is not None]
    return [
        Side(e, standing.summaries[e.index], standing.yardstick.parts(standing.summaries[e.index]), tone)
        for e, tone in zip(found, _TONES, strict=False)
    ]


def _blocks(sides: Sequence[Side], seeds: Seeds) -> list[Block]:
    if any(side.experiment.published for side in sides):
        said = "As published. What is missing here is not in the imported data, speed and memory too."
        return [
            Block("Results", results(sides, seeds), said),
            Block("Tasks", tasks(sides), ""),
            Block("Footprint", footprints(sides), ""),
        ]
    return [
        Block("Results", results(sides, seeds), _NOISE if seeds.language else ""),
        Block("Tasks", tasks(sides), "Accuracy on held-out rows, means over the seeds."),
        Block("Cost", costs(sides), _TIMED),
        Block("Footprint", footprints(sides), _COUNTED),
    ]


def _curves(stage: StageName, sides: Sequence[Side]) -> Markup | None:
    found = [curves(stage, side.experiment, None, None) for side in sides]
    lines = [list(zip(curve["step"], curve["loss"], strict=False)) for curve in found]
    return _lines(f"Training on {stage.value}", sides, lines)


def _published(sides: Sequence[Side]) -> Markup | None:
    published = [side.experiment.published for side in sides]
    lines = [[(float(p.step), p.loss_nats) for p in item.curve] if item else [] for item in published]
    return _lines("Training loss as published", sides, lines)


def _lines(title: str, sides: Sequence[Side], lines: Sequence[Sequence[tuple[float, float]]]) -> Markup | None:
    """Losses of all by step, without the first tenth, so that the ends can be told apart."""
    end = max((x for line in lines for x, _ in line), default=0.0)
    series = [
        Series(f"#{side.summary.index} {side.summary.name}", [Point(x, y) for x, y in line if x > end / 10], side.tone)
        for side, line in zip(sides, lines, strict=True)
        if line
    ]
    axes = Axes(f"{title}, after the first tenth", "step", "training loss, nats")
    return chart(axes, series) if series else None


def _change(first: Side, side: Side) -> Change:
    mine, other = side.experiment.proposal, first.experiment.proposal
    if not mine.source or not other.source:
        return Change(side, 0, 0, None, "A program is not on record, so there is nothing to compare.")
    lines = source_diff(other, mine)
    if not lines:
        return Change(side, 0, 0, None, "The programs are the same.")
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    return Change(side, added, removed, code("\n".join(lines), "diff"), "")
