"""The terminal's views of a campaign by others, made of the payloads; texts in them are clean already."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from asi_arch.report import cells
from asi_arch.report.shape import shape_text
from asi_arch.report.sparkline import chart
from asi_arch.report.words import MISSING, OUTCOMES, duration, number

READ_ONLY = "Everything below was measured and published by others; nothing of it was run or checked here."
_TASKS_SHOWN = 12
_ABSENT = f"{MISSING} (not published)"


def status(payload: Mapping[str, Any], now: float) -> RenderableType:
    """At a glance: where it is from, how much of it there is, and the best. `now` is Unix time."""
    campaign, known = payload["campaign"], payload["published"]
    origin = campaign["origin"]
    facts = cells.facts()
    facts.add_row("imported", Text(f"{origin['title']} ({duration(max(0.0, now - campaign['created_at']))} ago)"))
    for name, sha in origin["files"].items():
        facts.add_row("file", Text(f"{name}, SHA-256 {sha[:12]}"))
    counts = ", ".join(f"{count:,} {OUTCOMES[kind]}" for kind, count in payload["outcomes"].items())
    facts.add_row("designs", f"{payload['finished']:,}: {counts}")
    facts.add_row("lineage", shape_text(payload["lineage"]))
    facts.add_row("score", Text(f"{origin['score']}; {_share(known['scores'], payload['finished'])} have one"))
    for label, text in _published(known, payload["finished"]):
        facts.add_row(label, Text(text))
    top = _ranking("highest scores", payload["best"])
    return Group(Text(READ_ONLY, style="yellow"), Text(), facts, Text(), top)


def best(payload: Mapping[str, Any]) -> RenderableType:
    """Those with the highest scores."""
    if not payload["candidates"]:
        return Text("no design of this imported campaign has a score")
    note = f"Score: {payload['origin']['score']}."
    if any(row["published"]["last"] for row in payload["candidates"]):
        note += " Loss: training loss in nats at the last step that was published."
    unsure = "Nothing here says how sure these numbers are: no noise between seeds was published with them."
    tasks = _mean_task(payload["candidates"])
    named = f" {tasks}: as published." if tasks else ""
    table = _ranking("The highest scores", payload["candidates"], tasks)
    return Group(table, Text(f"{note}{named} {unsure}", style="dim"))


def node(row: Mapping[str, Any], *, is_best: bool, is_on_path: bool) -> Text:
    """A line of the tree."""
    text = Text(f"#{row['index']} {row['name']} ", style="bold" if is_on_path else "")
    if row["outcome"] != "measured":
        return text.append(OUTCOMES[row["outcome"]], style=cells.STYLES[row["outcome"]])
    if row["score"] is None:
        return text.append("no score", style="yellow")
    text.append(f"score {number(row['score'])}", style="green")
    return text.append("  ← best", style="bold green") if is_best else text


def result(payload: Mapping[str, Any]) -> RenderableType:
    """Score beside the parent's, size, last loss, and benchmarks."""
    published, parent = payload["published"], payload["parent"]
    facts = cells.facts()
    facts.add_row("score", _score_text(payload, parent))
    facts.add_row("parameters", size(published["parameters"]))
    facts.add_row("training loss", _last(published["last"]))
    facts.add_row("benchmarks", Text(_tasks(published["tasks"])))
    facts.add_row("its name there", Text(published["label"] or MISSING))
    facts.add_row("program", "below" if payload["source"] else "not published")
    return Group(Text(payload["sentence"]), Text(), facts, Text(f"Score: {payload['origin']['score']}.", style="dim"))


def curve(published: Mapping[str, Any]) -> RenderableType | None:
    """The training curve as published; None where there are fewer than two points of it."""
    points = [point for point in published["curve"] if point["loss_nats"] is not None]
    if len(points) < 2:
        return None
    drawn = chart([point["loss_nats"] for point in points], last_step=int(points[-1]["step"]))
    title = f"Training loss as published, {len(points)} points"
    return cells.panel(title, Text(drawn, no_wrap=True))


def size(parameters: int | None) -> str:
    """'495.7M', '1.3B', or that it is not known."""
    if parameters is None:
        return _ABSENT
    for scale, sign in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if parameters >= scale:
            return f"{parameters / scale:.4g}{sign}"
    return str(parameters)


def _share(count: int, whole: int) -> str:
    return "all" if count == whole else f"{count:,} of {whole:,}"


def _published(known: Mapping[str, Any], whole: int) -> list[tuple[str, str]]:
    """What there is beside the scores; what is missing is said in a line of its own."""
    lines: list[tuple[str, str]] = []
    if count := known["parameters"]:
        sizes = f"{size(known['fewest_parameters'])} to {size(known['most_parameters'])}"
        lines.append(("parameters", f"{sizes}; {_share(count, whole)} have them"))
    if count := known["curves"]:
        lines.append(("curves", f"training loss of {_share(count, whole)}"))
    if tasks := known["tasks"]:
        named = ", ".join(list(tasks)[:_TASKS_SHOWN]) + (", ..." if len(tasks) > _TASKS_SHOWN else "")
        lines.append(("benchmarks", f"{named}; {_share(max(tasks.values()), whole)} have results"))
    if count := known["programs"]:
        lines.append(("programs", f"{_share(count, whole)} have their code"))
    names = ("parameters", "curves", "programs", "tasks")
    if absent := ["benchmarks" if name == "tasks" else name for name in names if not known[name]]:
        lines.append(("not published", ", ".join(absent)))
    return lines


def _ranking(title: str, rows: Sequence[Mapping[str, Any]], task: str = "") -> RenderableType:
    """A table with the columns of which anything is known."""
    if not rows:
        return Text(f"{title}: none has a score", style="dim")
    filled = [_cells(row, task) for row in rows]
    columns = [name for name in filled[0] if any(line[name] != MISSING for line in filled)]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, justify="left" if name == "name" else "right", no_wrap=name != "name")
    for line in filled:
        table.add_row(*(Text(line[name]) for name in columns))
    return table


def _cells(row: Mapping[str, Any], task: str) -> dict[str, str]:
    """Column -> what stands there."""
    known, parent = row["published"], row["parent"]
    found = {
        "#": str(row["index"]),
        "name": row["name"],
        "score": number(row["score"]),
        "parent": MISSING if parent is None else f"#{parent}",
        "parameters": MISSING if known["parameters"] is None else size(known["parameters"]),
        "loss": MISSING if known["last"] is None else number(known["last"]["loss_nats"]),
    }
    return {**found, task: number(known["tasks"].get(task))} if task else found


def _mean_task(rows: Sequence[Mapping[str, Any]]) -> str:
    """The column with the benchmarks' mean, where the source has one and anything is known of it."""
    return "average" if any("average" in row["published"]["tasks"] for row in rows) else ""


def _score_text(payload: Mapping[str, Any], parent: Mapping[str, Any] | None) -> str:
    score = payload["published"]["score"]
    if score is None:
        return _ABSENT
    text = number(score, 4)
    if payload["outcome"]["kind"] != "measured":
        return f"{text}, not ranked: {OUTCOMES[payload['outcome']['kind']]}"
    if parent is None or parent["score"] is None:
        return text
    difference = f"{score - parent['score']:+.4f}".replace("-", "\u2212")
    return f"{text} ({difference} against the parent's {number(parent['score'], 4)})"


def _last(point: Mapping[str, Any] | None) -> str:
    return _ABSENT if point is None else f"{number(point['loss_nats'], 4)} nats at step {point['step']:,}"


def _tasks(tasks: Mapping[str, float | None]) -> str:
    if not tasks:
        return _ABSENT
    return ", ".join(f"{name} {MISSING if value is None else f'{value:.4g}'}" for name, value in tasks.items())
