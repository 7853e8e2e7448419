"""Stacked bars as SVG: what a whole is made of, once or in its course."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from asi_arch.web.charts import Axes, legend, picture, plane


class Part(NamedTuple):
    """What is stacked, from the bottom up or from left to right."""

    name: str
    tone: str
    """As of a `Series`."""


class Stack(NamedTuple):
    """One bar, from `first` to `last` of what counts on the x axis, both included."""

    first: int
    last: int
    values: Sequence[float]
    """One for each part."""
    titles: Sequence[str]
    """The same in words."""


def stacked(axes: Axes, parts: Sequence[Part], stacks: Sequence[Stack]) -> Markup:
    """The bars side by side, with a legend; a sentence where there is none."""
    if not stacks:
        return Markup('<p class="empty">{}: nothing to show yet.</p>').format(axes.title)
    ends = [end for stack in stacks for end in (stack.first - 0.5, stack.last + 0.5)]
    place = plane(axes, ends, [0.0, *(sum(stack.values) for stack in stacks)], from_zero=True)
    rects: list[Markup] = []
    for stack in stacks:
        left, right = place.x(stack.first - 0.5), place.x(stack.last + 0.5)
        height = 0.0
        for part, value, title in zip(parts, stack.values, stack.titles, strict=True):
            top, bottom = place.y(height + value), place.y(height)
            height += value
            rects.append(_rect(part, (left, top, right - left, bottom - top), title))
    return picture(place, Markup("").join(rects)) + legend([(part.name, part.tone, "part") for part in parts])


def whole(parts: Sequence[Part], shares: Sequence[float]) -> Markup:
    """One lying bar of shares that make 1."""
    rects: list[Markup] = []
    left = 0.0
    for part, share in zip(parts, shares, strict=True):
        rects.append(_rect(part, (100 * left, 0, 100 * share, 10), f"{part.name}: {share:.1%}"))
        left += share
    return Markup(
        '<svg viewBox="0 0 100 10" class="whole" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(
        ", ".join(f"{part.name} {share:.1%}" for part, share in zip(parts, shares, strict=True)), Markup("").join(rects)
    )


def _rect(part: Part, box: tuple[float, float, float, float], title: str) -> Markup:
    """`box` is left, top, width, height."""
    left, top, width, height = box
    return Markup(
        '<rect class="part tone-{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>'
    ).format(part.tone, left, top, width, height, title)
