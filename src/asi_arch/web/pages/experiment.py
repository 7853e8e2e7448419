"""Everything about one experiment: idea, result, evidence, code, and what to do next."""

import shlex
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Adapter, Author
from asi_arch.domain.errors import StoreError, UserError
from asi_arch.domain.exchanges import Exchange
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import StageName
from asi_arch.domain.published import Published
from asi_arch.report.highlight import code
from asi_arch.report.payload import ExperimentPayload, experiment_payload, source_diff
from asi_arch.report.words import BY_A_MODEL
from asi_arch.settings import profile_names
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.web.charts import Axes, Point, Series, chart
from asi_arch.web.reader import Standing
from asi_arch.web.render import Pages

_LONGEST_TEXT = 20_000
"""Characters of an exchange with a model that are shown."""
_COMPOSED = frozenset({Author.COMPOSER, Author.DESIGNER})
"""Whose designs have parts that can be left out."""


class Talk(NamedTuple):
    """One exchange with a language model."""

    number: int
    role: str
    mind: str
    ending: str
    tokens: int | None
    usd: float | None
    latency_s: float | None
    question: str
    answer: str
    error: str


class Step(NamedTuple):
    """What could be done next: in words, and as a command to copy."""

    words: str
    command: str


def add(router: APIRouter, pages: Pages) -> None:
    """The page /experiments/INDEX."""

    @router.get("/experiments/{index}")
    def experiment(  # pyright: ignore[reportUnusedFunction]
        index: int = Path(ge=0, le=10**9), against: int | None = Query(None, ge=0, le=10**9)
    ) -> HTMLResponse:
        standing = pages.reader.standing()
        if index not in standing.summaries:
            raise HTTPException(404, _not_there(standing, index))
        with pages.reader.store() as store:
            try:
                found = experiment_payload(store, index, standing.lineage)
            except UserError as error:
                raise HTTPException(404, str(error)) from error
            content = _content(pages, standing, store, found, against)
        title = f"#{index} {found['name']}"
        return HTMLResponse(pages.html("experiment", standing, here="/experiments", title=title, **content))


def _not_there(standing: Standing, index: int) -> str:
    if index in standing.unfinished:
        return f"Experiment {index} is not finished yet; this page appears when it is."
    return f"There is no experiment {index} in this campaign."


def _content(
    pages: Pages, standing: Standing, store: Store, found: ExperimentPayload, against: int | None
) -> dict[str, Any]:
    index, path = found["index"], standing.lineage.path(found["index"])
    ancestors = path[:-1][::-1]
    against = against if against in ancestors else (ancestors[0] if ancestors else None)
    reference = found["reference"]["name"] if found["reference"] else ""
    experiment = store.experiment(index)
    return {
        "found": found,
        "summaries": standing.summaries,
        "path": path,
        "neighbours": _neighbours(list(standing.summaries), index),
        "charts": [_curves(stage, found, reference) for stage in StageName if found["curves"][stage.value]["loss"]],
        "source": code(found["source"], "python") if found["source"] else None,
        "against": against,
        "ancestors": ancestors,
        "diff": _diff(store, index, against),
        "repairs": [{**repair, "diff": code(repair["diff"], "diff")} for repair in found["repairs"]],
        "review_diff": code(found["review"]["diff"], "diff") if found["review"] and found["review"]["diff"] else None,
        "talks": _talks(pages, index),
        "steps": _steps(pages, standing.campaign, found, experiment.proposal.adapter if experiment else Adapter.MIXER),
        "tasks": _tasks(found),
        "by_a_model": BY_A_MODEL,
        "readings": pages.literature.readings(found["idea"]["passages"]),
        "published": experiment.published if experiment else None,
        "published_curve": _published(experiment.published) if experiment and experiment.published else None,
    }


def _neighbours(known: Sequence[int], index: int) -> tuple[int | None, int | None]:
    """The ones before and after it, of numbers in their order."""
    place = bisect_left(known, index)
    return (known[place - 1] if place else None), (known[place + 1] if place + 1 < len(known) else None)


def _curves(stage: StageName, found: ExperimentPayload, reference: str) -> Markup:
    curves = found["curves"][stage.value]
    parent = found["parent"]["name"] if found["parent"] else ""
    named = [(found["name"], "loss", "a"), (reference, "reference", "b"), (f"{parent} (parent)", "parent", "quiet")]
    is_same = bool(found["parent"] and found["reference"] and found["parent"]["index"] == found["reference"]["index"])
    series = [
        Series(name, [Point(x, y) for x, y in zip(curves["step"], curves[key], strict=False)], tone)
        for name, key, tone in named[::-1]
        if curves[key] and not (key == "parent" and is_same)
    ]
    return chart(Axes(f"Training on {stage.value}", "step", "training loss, nats"), series)


def _published(found: Published) -> Markup | None:
    points = [Point(p.step, p.loss_nats, f"step {p.step}: {p.loss_nats:.4f} nats") for p in found.curve]
    return chart(Axes("Training loss as published", "step", "nats"), [Series("", points, "a")]) if points else None


def _diff(store: Store, index: int, against: int | None) -> Markup | None:
    """The difference to an ancestor's code; None where there is no other code, or the same."""
    other = store.experiment(against) if against is not None else None
    found = store.experiment(index)
    if other is None or found is None or not other.proposal.source or not found.proposal.source:
        return None
    lines = source_diff(other.proposal, found.proposal)
    return code("\n".join(lines), "diff") if lines else None


def _tasks(found: ExperimentPayload) -> list[tuple[str, list[float | None]]]:
    """Held-out accuracy of every task of the recall stage, by seed."""
    runs = [run for run in found["runs"] if run["stage"] == StageName.RECALL.value and run["groups"]]
    names = list(dict.fromkeys(name for run in runs for name in run["groups"]))
    return [(name, [run["groups"].get(name) for run in runs]) for name in names]


def _talks(pages: Pages, index: int) -> list[Talk]:
    try:
        record = SqliteExchanges.open(pages.reader.folder, read_only=True)
    except StoreError:
        return []
    try:
        return [_talk(exchange) for exchange in record.about(str(index))]
    finally:
        record.close()


def _talk(exchange: Exchange) -> Talk:
    request, settled = exchange.sent.request, exchange.settlement
    return Talk(
        number=exchange.number,
        role=request.role.value,
        mind=exchange.sent.mind,
        ending=settled.reply.ending.value if settled else "under way",
        tokens=settled.spent.tokens if settled else None,
        usd=settled.spent.usd if settled else None,
        latency_s=settled.latency_s if settled else None,
        question=_shortened("\n\n".join((request.prompt.system, request.prompt.user))),
        answer=_shortened(settled.reply.text) if settled else "",
        error=settled.error if settled else "",
    )


def _shortened(text: str) -> str:
    left = len(text) - _LONGEST_TEXT
    return text if left <= 0 else f"{text[:_LONGEST_TEXT]}\n... {left:,} characters more"


def _steps(pages: Pages, campaign: Campaign, found: ExperimentPayload, adapter: Adapter) -> list[Step]:
    if campaign.origin is not None:
        return []
    index, is_measured = str(found["index"]), found["outcome"]["kind"] == "measured"
    is_invented, is_composed = found["author"] != Author.BASELINE, found["author"] in _COMPOSED
    file = f"design-{index}.py"
    train = shlex.join(["asi-arch", "train", file, *_training_options(campaign.profile.name, adapter)])
    steps: Sequence[tuple[bool, str, str]] = (
        (is_measured and is_invented, "Is it really better?", pages.command("verify", index)),
        (is_measured and is_composed, "What is each part worth?", pages.command("ablate", index)),
        (is_measured, "Take it home", pages.command("export", index, f"design-{index}")),
        (is_measured, "Let it continue a text", pages.command("generate", index, "def forward(self, x):")),
        (True, "Train it outside", f"{pages.command('show', index, '--code')} > {file} && {train}"),
        (True, "All of this in the terminal", pages.command("show", index)),
    )
    return [Step(words, command) for is_offered, words, command in steps if is_offered]


def _training_options(profile: str, adapter: Adapter) -> list[str]:
    """A profile that ships; where a user's own lies is not on record."""
    options = ["--profile", profile] if profile in profile_names() else []
    return options if adapter is Adapter.MIXER else [*options, "--adapter", adapter.value]
