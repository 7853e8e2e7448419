"""All figures of a report, drawn and written in every format asked for. Loads matplotlib when it is imported."""

import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.errors import LabError, UserError
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.ports import Store
from asi_arch.report.digest import Digest
from asi_arch.report.figures import style
from asi_arch.report.figures.plans import Plan, Shown, plans
from asi_arch.report.tables import Table

FORMATS = tuple(style.FORMATS)


class Picture(NamedTuple):
    """A figure ready to be shown."""

    name: str
    png: bytes
    alt: str
    """For those who can't see it."""
    caption: str
    files: Mapping[str, bytes]
    """By format, those that were asked for."""


class Gallery(NamedTuple):
    """Every figure that has something to show, and why the others have nothing."""

    pictures: list[Picture]
    missing: dict[str, str]
    """By the figure's name, in a few words."""


def draw(
    campaign: Digest,
    table: Table,
    store: Store,
    subject: int | None,
    *,
    formats: Sequence[str] = ("png",),
    tick: Callable[[str], None] = lambda _: None,
    workers: int = 1,
) -> Gallery:
    """`subject` is the experiment whose curves are drawn; `tick` hears of every figure that is drawn, by so many
    `workers`: processes of their own from two on.
    """
    shown = Shown(campaign, table, _models(store, subject))
    every = plans(shown)
    present = [plan for plan in every if not plan.missing]
    pictures: list[Picture] = []
    for plan, files in zip(present, _files(shown, present, formats, workers), strict=True):
        tick(plan.name)
        written = _formats(plan, formats)
        kept = {name: files[name] for name in written}
        pictures.append(Picture(plan.name, files["png"], plan.alt, plan.caption, kept))
    return Gallery(pictures, {plan.name: plan.missing for plan in every if plan.missing})


def _formats(plan: Plan, formats: Sequence[str]) -> tuple[str, ...]:
    """As what it is written beside the page, which shows the PNG whatever these are."""
    return () if plan.is_for_the_page else tuple(formats)


def _files(shown: Shown, present: Sequence[Plan], formats: Sequence[str], workers: int) -> Iterator[dict[str, bytes]]:
    """Of every plan, in order."""
    wanted = [(plan.name, list(dict.fromkeys(["png", *_formats(plan, formats)]))) for plan in present]
    if workers < 2 or len(wanted) < 2:
        yield from (style.rendered(plan.make(), names) for plan, (_, names) in zip(present, wanted, strict=True))
        return
    with tempfile.TemporaryDirectory(prefix="asi-arch-report-") as folder:
        # In a file: through a pipe it would keep the start, deaf as it is, until the processes have loaded Python.
        path = Path(folder) / "shown.pickle"
        try:
            path.write_bytes(pickle.dumps(shown))
        except OSError as error:
            raise UserError(f"the temporary folder can't be written to: {error.strerror or error}") from error
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_prepare, initargs=(str(path),))
        try:
            with _deaf():
                drawn = pool.map(_render, wanted)
            yield from drawn
        except BrokenProcessPool as error:
            raise LabError(
                "a process that draws figures was ended from outside, perhaps for want of memory; the same command"
                " draws them again, and --figures none leaves all but the page's out"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _deaf() -> Generator[None]:
    """Processes that are started inside don't hear Ctrl-C: who waits for them does, and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_PLANS: dict[str, Plan] = {}
"""Of a drawing process, by name: plans can't be sent to one."""


def _prepare(path: str) -> None:
    try:
        shown = pickle.loads(Path(path).read_bytes())
    except FileNotFoundError:
        return  # whoever wrote it, a moment ago, does not wait any more
    _PLANS.update((plan.name, plan) for plan in plans(shown))


def _render(wanted: tuple[str, list[str]]) -> dict[str, bytes]:
    name, formats = wanted
    return style.rendered(_PLANS[name].make(), formats)


def _models(store: Store, subject: int | None) -> list[tuple[Experiment, str, str]]:
    """Reference, parent and subject, without repetition, the subject drawn last."""
    found = None if subject is None else store.experiment(subject)
    if found is None:
        return []
    wanted = {0: style.RED}
    if found.proposal.parent is not None:
        wanted.setdefault(found.proposal.parent, style.GREY)
    wanted[found.index] = style.BLUE
    loaded = [(store.experiment(index), colour) for index, colour in wanted.items()]
    return [(e, f"{e.proposal.name} #{e.index}", colour) for e, colour in loaded if e is not None]
