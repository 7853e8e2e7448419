"""Is it working, is it worth it? One glance."""

from collections import Counter
from contextlib import suppress
from typing import Any, NamedTuple

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from asi_arch.domain.campaign import Event
from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import AsiArchError, StoreError
from asi_arch.domain.exchanges import Charge
from asi_arch.domain.lineage import Lineage
from asi_arch.report.digest import Digest
from asi_arch.report.findings import Failure, failures, making, subject
from asi_arch.report.headline import headline
from asi_arch.report.savings import one_line, savings
from asi_arch.report.series.tree import lay_out
from asi_arch.report.tables import Table, comparison_table
from asi_arch.report.words import MISSING, OUTCOMES, duration, number, plural
from asi_arch.store.exchanges import spent_in
from asi_arch.web.progress import progress_chart
from asi_arch.web.reader import Reader, Standing
from asi_arch.web.render import Pages

_RECENT = 8
_PACE = 20
"""The pace is that of so many experiments that ended last."""
_FAILURES = 5
_CANDIDATES = 5
"""In the table."""


class Tile(NamedTuple):
    """One number with its name, and what it means."""

    name: str
    value: str
    note: str = ""


class Outcome(NamedTuple):
    """How many candidates ended so."""

    kind: str
    times: int
    share: float


def add(router: APIRouter, pages: Pages) -> None:
    """The page /."""

    def html() -> str:
        standing = pages.reader.standing()
        return pages.html("overview", standing, here="/", title="Overview", **_content(pages, standing))

    def foresee(_: Digest) -> None:
        with suppress(AsiArchError, RuntimeError):  # closed meanwhile; the page itself tells what is wrong
            html()

    pages.beforehand.append(html)
    pages.reader.when_read(foresee)

    @router.get("/")
    def overview() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return HTMLResponse(html())


def _content(pages: Pages, standing: Standing) -> dict[str, Any]:
    reader, lately = pages.reader, pages.derived.lately
    campaign, table = reader.digest(), lately(_table, reader, standing.lineage, standing.told)
    is_own = standing.campaign.origin is None
    whole = pages.derived(_whole)
    return {
        "headline": lately(headline, campaign, table) if campaign and is_own else None,
        "subject": whole.subject if whole else None,
        "beside": whole.beside if whole else "",
        "reading": None if campaign else reader.progress,
        "now": reader.now_running(standing),
        "unfinished": standing.unfinished,
        "tiles": _tiles(pages, standing, whole) if is_own else lately(_published, standing, campaign),
        "outcomes": lately(_outcomes, standing.lineage),
        "failures": whole.failures if whole and is_own else (),
        "savings": whole.savings if whole and is_own else "",
        "making": whole.making if whole and is_own else "",
        "table": table,
        "chart": lately(progress_chart, standing.campaign, standing.lineage),
        "recent": list(standing.summaries.values())[: -_RECENT - 1 : -1],
        "resume": pages.command("run"),
        "next_steps": _next_steps(pages, whole) if is_own else [],
    }


def _table(reader: Reader, lineage: Lineage, _: Event | None) -> Table:
    """The fittest beside the baselines, until the next event that tells of others."""
    with reader.store() as store:
        return comparison_table(store, _CANDIDATES, lineage)


class _Whole(NamedTuple):
    """What is said of a whole campaign, made once for each of its states."""

    failures: tuple[Failure, ...]
    savings: str
    making: str
    costs: tuple[Tile, ...]
    noise: Tile
    latest: int | None
    """Index of the newest experiment."""
    unverified: int | None
    """Index of the fittest where it is not verified."""
    subject: int | None
    """Index of the design that the headline is about."""
    beside: str
    """Numbers of that design, its parent and the reference, to compare them; empty where there is no other."""


def _whole(campaign: Digest) -> _Whole:
    noise, best = campaign.language_noise, campaign.best
    is_verified = best is not None and best.summary.sha in {verdict.sha for verdict in campaign.verdicts}
    return _Whole(
        failures=tuple(failures(campaign)[:_FAILURES]),
        savings=_savings(campaign),
        making=making(campaign),
        costs=tuple(_costs(campaign)),
        noise=Tile(
            "noise between seeds", MISSING if noise is None else f"{noise.std:.4f} nats", "one standard deviation"
        ),
        latest=campaign.lines[-1].summary.index if campaign.lines else None,
        unverified=None if best is None or is_verified else best.summary.index,
        subject=subject(campaign),
        beside=_beside(campaign, subject(campaign)),
    )


def _beside(campaign: Digest, index: int | None) -> str:
    line = next((line for line in campaign.lines if line.summary.index == index), None)
    if line is None:
        return ""
    others = (line.summary.parent, campaign.reference.summary.index if campaign.reference else None)
    found = list(dict.fromkeys(i for i in (index, *others) if i is not None))
    return ",".join(map(str, found)) if len(found) > 1 else ""


def _tiles(pages: Pages, standing: Standing, whole: _Whole | None) -> list[Tile]:
    counts = pages.derived.lately(_counts, standing)
    if whole is None:
        return counts
    return [
        *counts,
        *whole.costs,
        _models(_spent(pages)),
        whole.noise,
        _containment(pages, whole.latest),
    ]


def _savings(campaign: Digest) -> str:
    return one_line(savings(campaign)) if campaign.campaign.profile.watch.rungs else ""


def _published(standing: Standing, campaign: Digest | None) -> list[Tile]:
    """Of an imported campaign: what others wrote down."""
    lineage = standing.lineage
    parents = sum(bool(lineage.children(index)) for index in standing.summaries)
    depth = max((node.depth for node in lay_out(lineage).nodes), default=0)
    scored = [s for s in standing.summaries.values() if s.fitness is not None]
    best = max(scored, key=lambda s: s.fitness or 0.0, default=None)
    tiles = [
        Tile("designs", f"{len(standing.summaries):,}", f"{len(scored):,} with a score"),
        Tile("parents", f"{parents:,}", f"{plural(len(lineage.roots), 'root')}, {depth} steps deep"),
        Tile("best score", number(best.fitness if best else None), f"#{best.index} {best.name}" if best else ""),
    ]
    sizes = [line.published.parameters for line in campaign.lines if line.published] if campaign else []
    known = sorted(size for size in sizes if size)
    if known:
        span = f"{known[0] / 1e6:,.0f} to {known[-1] / 1e6:,.0f} M"
        tiles.append(Tile("parameters", span, f"of {plural(len(known), 'design')}, as published"))
    return tiles


def _counts(standing: Standing) -> list[Tile]:
    invented = [s for s in standing.summaries.values() if s.author is not Author.BASELINE]
    scored = sum(s.fitness is not None for s in invented)
    return [
        Tile("experiments", f"{len(standing.summaries):,}", f"{len(standing.unfinished)} not finished"),
        Tile("candidates measured", f"{sum(s.outcome == 'measured' for s in invented):,}", f"of {len(invented):,}"),
        Tile("with a fitness", f"{scored:,}", "the others recall too little, or are not measured"),
    ]


def _costs(campaign: Digest) -> list[Tile]:
    ended = sorted(line.finished_at for line in campaign.lines if line.finished_at)[-_PACE:]
    pace = (len(ended) - 1) / (ended[-1] - ended[0]) * 3600 if len(ended) > 1 and ended[-1] > ended[0] else None
    promoted = sum(verdict.is_promoted for verdict in campaign.verdicts)
    return [
        Tile("verified", f"{len({v.sha for v in campaign.verdicts}):,}", f"{promoted} promoted"),
        Tile("pace", MISSING if pace is None else f"{pace:.1f} an hour", f"over the last {len(ended)}"),
        Tile("CPU time", duration(sum(line.cost.cpu_s for line in campaign.lines)), "of sandboxed processes"),
    ]


def _models(charge: Charge | None) -> Tile:
    if charge is None:
        return Tile("language models", "none", "no question was asked")
    money = "price unknown" if charge.usd is None else f"{charge.usd:.2f} USD"
    return Tile("language models", f"{charge.tokens:,} tokens", f"{charge.calls:,} calls, {money}")


def _containment(pages: Pages, latest: int | None) -> Tile:
    with pages.reader.store() as store:
        found = store.experiment(latest) if latest is not None else None
    return Tile(
        "containment", found.containment if found and found.containment else MISSING, "of the latest experiment"
    )


def _spent(pages: Pages) -> Charge | None:
    """On minds; None where nothing was asked, or the record can't be read."""
    try:
        charge = spent_in(pages.reader.folder)
    except StoreError:
        return None
    return charge if charge and charge.calls else None


def _outcomes(lineage: Lineage) -> list[Outcome]:
    counts = Counter(s.outcome for s in lineage.nodes.values() if s.author is not Author.BASELINE)
    total = sum(counts.values())
    return [Outcome(kind, counts[kind], counts[kind] / total) for kind in OUTCOMES if counts[kind]]


def _next_steps(pages: Pages, whole: _Whole | None) -> list[tuple[str, str]]:
    """A sentence and a command for each thing that one would do next."""
    steps = [("Go on with the search", pages.command("run")), ("A report to keep", pages.command("report"))]
    if whole is not None and whole.unverified is not None:
        steps.insert(0, ("Is the fittest really better?", pages.command("verify", str(whole.unverified))))
    return steps
