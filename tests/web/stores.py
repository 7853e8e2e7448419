"""Folders with campaigns for the pages' tests, and a browser without one."""

import asyncio
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Measured
from asi_arch.domain.published import CurvePoint, Origin, Published
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal
from asi_arch.testing.synthetic import add_verdict, synthetic_store
from asi_arch.web.literature import Literature
from asi_arch.web.reader import Reader
from asi_arch.web.server import application

PORT, TOKEN = 8265, "token-of-the-tests"
NASTY = "<script>alert(1)</script>"


class Page:
    """What was answered."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status, self.text = answer.status_code, answer.text

    def __contains__(self, words: str) -> bool:
        return words in self.text


class Site:
    """Asks for pages about one folder, without a network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reader = Reader(folder, now=time.time)
        self._app = application(self.reader, Literature(folder / "papers"), token=TOKEN, port=PORT)

    def get(self, path: str) -> Page:
        """As a browser with the key would."""
        return asyncio.run(self._get(path))

    async def _get(self, path: str) -> Page:
        transport = httpx.ASGITransport(app=self._app)
        cookies = {f"asi_arch_{PORT}": TOKEN}
        async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}", cookies=cookies) as who:
            return Page(await who.get(path))


@contextmanager
def opened(folder: Path) -> Generator[Site]:
    """The pages about it, read to the end."""
    site = Site(folder)
    try:
        assert site.reader.digest(patience_s=30) is not None
        yield site
    finally:
        site.reader.close()


def stored(folder: Path, source: FakeStore) -> Path:
    """The same campaign as files."""
    store = SqliteStore.open(folder, clock=lambda: 1_800_000_000.0, owner="a test", read_only=False)
    campaign = source.campaign()
    assert campaign is not None
    store.create(campaign)
    fitness = {summary.index: summary.fitness for summary in source.summaries()}
    with store.together():
        for experiment in source.experiments():
            store.record(experiment, fitness[experiment.index])
        for verdict in source.verdicts():
            store.save_verdict(verdict)
        store.append(EventKind.CLOSED)
    store.close()
    return folder


def copied(folder: Path, source: Path, change: Callable[[SqliteStore], None]) -> Path:
    """A copy of a folder with something more in it."""
    shutil.copytree(source, folder)
    store = SqliteStore.open(folder, clock=lambda: 1_800_000_900.0, owner="a test", read_only=False)
    change(store)
    store.close()
    return folder


def imported(rows: Sequence[tuple[int, int | None, float]], **published: dict[int, Any]) -> FakeStore:
    """An imported campaign of (number, parent, score); what else was published by number."""
    store = FakeStore()
    origin = Origin(format="tables", title="a published tree", files={"tree.tsv": "0" * 64}, score="higher is better")
    store.create(make_campaign(make_profile(name="imported")).model_copy(update={"origin": origin}))
    for index, parent, score in rows:
        proposal = make_proposal(f"design_{index}", author=Author.IMPORTED, parent=parent, mechanisms=(), source="")
        facts = {name: values[index] for name, values in published.items() if index in values}
        shown = Published(label=f"label_{index}", score=score, **facts)
        plain = {"protocol": "", "containment": "", "outcome": Measured()}
        store.record(Experiment(index=index, proposal=proposal, published=shown, **plain), score)
    return store


def published_tree() -> FakeStore:
    """A root with sixty descendants, two of them published in detail."""
    rows = [(1, None, 1.6), *((i, 1 + i // 7, 1.0 + (i * 37 % 100) / 60) for i in range(2, 62))]
    curve = tuple(CurvePoint(step=step, loss_nats=11.0 / (1 + step / 300)) for step in (1, 100, 1000, 2000))
    return imported(
        rows,
        parameters={40: 495_730_000, 52: 817_010_000},
        curve={40: curve, 52: curve},
        tasks={40: {"arc_easy": 0.49, "piqa": 0.61}, 52: {"arc_easy": 0.48}},
    )


@cache
def forty() -> FakeStore:
    """A campaign of our own, nothing of it verified; read only."""
    return synthetic_store(40)


@cache
def verified() -> FakeStore:
    """The same with its two fittest verified, the first of them promoted; read only."""
    store = synthetic_store(40)
    first, second = [s.index for s in store.pool(20, 1000) if s.author is not Author.BASELINE][:2]
    verdict = add_verdict(store, first)
    store.save_verdict(verdict.model_copy(update={"is_promoted": True}))
    verdict = add_verdict(store, second)
    store.save_verdict(verdict.model_copy(update={"reason": "in the vault, blind: not distinguishable"}))
    return store


@cache
def hostile() -> FakeStore:
    """Scripts in every text that a candidate's author writes, and in a verdict's; read only."""
    store = FakeStore()
    store.create(make_campaign())
    for index, name in ((0, "delta_net"), (2, "linear_attention")):
        store.record(make_experiment(index, make_proposal(name, author=Author.BASELINE), recall=(0.3, 0.3)), 0.5)
    texts = dict.fromkeys(("motivation", "expectation", "change"), NASTY)
    for index in (1, 3, 4, 5):
        proposal = make_proposal(f"{NASTY}{index}", parent=0, mechanisms=(NASTY, f"{NASTY}{index}"), **texts)
        store.record(make_experiment(index, proposal, language=(1.5, 1.5), recall=(0.9, 0.9)), 0.6 + index / 100)
    verdict = add_verdict(store, 3)
    comparisons = tuple(c.model_copy(update={"baseline": NASTY}) for c in verdict.comparisons)
    changed = {"statement": NASTY, "reason": NASTY, "comparisons": comparisons}
    store.save_verdict(verdict.model_copy(update=changed))
    return store
