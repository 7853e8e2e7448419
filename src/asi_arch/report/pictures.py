"""All figures of a report, drawn and written in every format asked for. Loads matplotlib when it is imported."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

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
) -> Gallery:
    """`subject` is the experiment whose curves are drawn; `tick` hears of every figure before it is drawn."""
    found = Gallery([], {})
    for plan in plans(Shown(campaign, table, _models(store, subject))):
        if plan.missing:
            found.missing[plan.name] = plan.missing
            continue
        tick(plan.name)
        found.pictures.append(_picture(plan, plan.make(), () if plan.is_for_the_page else formats))
    return found


def _picture(plan: Plan, figure: Figure, formats: Sequence[str]) -> Picture:
    """The page shows the PNG, whatever is written beside it."""
    files = style.rendered(figure, list(dict.fromkeys(["png", *formats])))
    return Picture(plan.name, files["png"], plan.alt, plan.caption, {name: files[name] for name in formats})


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
