"""Parts of the terminal's views: cells, lines and frames, made of the payloads' rows."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from asi_arch.report.payload import BestPayload, ExperimentPayload, StatusPayload, TreePayload
from asi_arch.report.words import MISSING, OUTCOMES, Reading, number, reading

P = TypeVar("P", StatusPayload, BestPayload, TreePayload, ExperimentPayload)

STYLES = {
    "measured": "green",
    "stopped_early": "cyan",
    "rejected": "yellow",
    "crashed": "red",
    "diverged": "magenta",
    "timed_out": "red",
    "suspicious": "bold red",
    "leaking": "bold red",
}
"""Colours of the outcomes."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All but tab and line feed: an escape sequence in a motivation must not reach the terminal."""


def clean(value: P) -> P:
    """The same payload without control characters in any text."""
    return cast(P, _cleaned(value))


def printable(text: str) -> str:
    """A text of others without control characters."""
    return _CONTROLS.sub("", text)


def facts() -> Table:
    """Two columns: what, and the fact."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def panel(title: str, content: RenderableType) -> Panel:
    """A quiet frame with a title."""
    return Panel(content, title=title, title_align="left", border_style="dim")


def summaries(title: str, rows: Sequence[dict[str, Any]]) -> RenderableType:
    """A small table of experiments, with a reason for every fitness that is missing."""
    if not rows:
        return Text(f"{title}: none yet", style="dim")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("#", "name", "fitness", "loss, nats", "recall"):
        table.add_column(name, justify="left" if name == "name" else "right")
    for row in rows:
        result = number(row["language_loss"]) if row["outcome"] == "measured" else OUTCOMES[row["outcome"]]
        recall = number(row["recall_accuracy"], 2)
        table.add_row(str(row["index"]), Text(row["name"]), fitness(row), result, recall)
    return Group(table, *reasons(rows))


def reasons(rows: Iterable[dict[str, Any]]) -> list[Text]:
    """A line for every fitness that is missing."""
    missing = [row for row in rows if row["no_fitness"]]
    return [Text(f"#{row['index']} {row['name']} is {row['no_fitness']}", style="dim") for row in missing]


def verdicts(rows: Iterable[dict[str, Any]]) -> list[Text]:
    """A line for every model that was verified: the first comparison, whether it is promoted, and its evidence."""
    found = [row for row in rows if row["verdict"]]
    return [
        Text(f"#{row['index']} {row['name']}: {verified({**row, 'statement': row['verdict'].partition('; ')[0]})}")
        for row in found
    ]


def verified(verdict: dict[str, Any]) -> str:
    """What was found, what follows, and its evidence at any time; the latter two are empty in old records."""
    return "; ".join(filter(None, (verdict["statement"], verdict["promotion"], verdict["evidence"])))


def fitness(row: dict[str, Any]) -> Text:
    """The number, or in a word why there is none."""
    if row["no_fitness"]:
        return Text(row["no_fitness"].partition(":")[0], style="yellow")
    return Text(number(row["fitness"]))


def comparison(row: dict[str, Any], baselines: Iterable[str]) -> list[Text]:
    """A line of the comparison table: the model's numbers, and its loss minus every baseline's."""
    cells = [Text(str(row["index"])), Text(row["name"] + (" ✓" if row["verdict"] else "")), fitness(row)]
    cells += [Text(number(row["language_loss"])), Text(number(row["recall_accuracy"], 2))]
    for baseline in baselines:
        versus = row["against"].get(baseline)
        cells.append(_difference(_reading(versus["language"]) if versus else None))
    return cells


def node(row: dict[str, Any], *, is_best: bool, is_on_path: bool) -> Text:
    """A line of the tree."""
    text = Text(f"#{row['index']} {row['name']} ", style="bold" if is_on_path else "")
    if row["outcome"] != "measured":
        return text.append(OUTCOMES[row["outcome"]], style=STYLES[row["outcome"]])
    text.append(f"loss {number(row['language_loss'])}  recall {number(row['recall_accuracy'], 2)}  ")
    if row["no_fitness"]:
        return text.append(row["no_fitness"].partition(":")[0], style="yellow")
    text.append(f"fitness {number(row['fitness'])}", style="green")
    return text.append("  ← best", style="bold green") if is_best else text


def _cleaned(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case dict():
            return {key: _cleaned(item) for key, item in cast(dict[str, object], value).items()}
        case list():
            return [_cleaned(item) for item in cast(list[object], value)]
        case _:
            return value


def _difference(value: Reading | None) -> Text:
    """A loss minus another: coloured where it is clear, in parentheses where it is not."""
    if value is None:
        return Text(MISSING)
    text = reading(Reading(value.estimate), is_signed=True)
    if not value.is_clear:
        return Text(f"({text})")
    return Text(text, style="green" if value.estimate < 0 else "red")


def _reading(value: dict[str, float] | None) -> Reading | None:
    return None if value is None else Reading(value["estimate"], value["margin"])
