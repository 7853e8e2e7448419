"""What the commands show: rich renderables made of the payloads that `--json` prints.

Names, motivations and code are others' text: control characters are taken out, and nothing is read as markup.
"""

import re
from collections.abc import Iterable
from typing import Any, TypeVar, cast

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from asi_arch.report.payload import BestPayload, ExperimentPayload, StatusPayload, TreePayload
from asi_arch.report.sparkline import chart
from asi_arch.report.words import MISSING, OUTCOMES, Reading, duration, number, plural, reading

P = TypeVar("P", StatusPayload, BestPayload, TreePayload, ExperimentPayload)

_STYLES = {
    "measured": "green",
    "stopped_early": "cyan",
    "rejected": "yellow",
    "crashed": "red",
    "diverged": "magenta",
    "timed_out": "red",
    "suspicious": "bold red",
}
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All but tab and line feed: an escape sequence in a motivation must not reach the terminal."""
_TREE_NODES = 400
"""A larger tree is shown without the leaves that have no fitness."""


def status_view(payload: StatusPayload, now: float) -> RenderableType:
    """A campaign at a glance. `now` is Unix time, for the age of the last event."""
    payload = _clean(payload)
    campaign = payload["campaign"]
    facts = _facts()
    facts.add_row("profile", Text(f"{campaign['profile']} ({campaign['profile_hash'][:8]}), {campaign['policy']}"))
    seeds = ", ".join(map(str, campaign["seeds"]))
    facts.add_row("seed", f"{campaign['seed']}; every model is trained with {seeds}")
    facts.add_row("data", Text(campaign["data"]))
    facts.add_row("finished", f"{plural(payload['finished'], 'experiment')}: {_tally(payload)}")
    if unfinished := payload["unfinished"]:
        facts.add_row("not finished", Text(", ".join(f"#{p['index']} {p['name']}" for p in unfinished)))
    if payload["last_event_at"] is not None:
        facts.add_row("last event", f"{duration(max(0.0, now - payload['last_event_at']))} ago")
    for verdict in payload["verdicts"]:
        facts.add_row("verified", Text(f"{verdict['name']}: {verdict['statement']}"))
    return Group(
        facts,
        Text(),
        _summaries("fittest candidates", payload["best"]),
        Text(),
        _summaries("baselines", payload["baselines"]),
    )


def best_view(payload: BestPayload) -> RenderableType:
    """The comparison table: the fittest above the baselines, differences to each of these."""
    payload = _clean(payload)
    baselines = {row["name"]: row["index"] for row in payload["baselines"]}
    table = Table(title="The fittest candidates and all baselines", title_justify="left", box=None, pad_edge=False)
    for name in ("#", "name", "fitness", "loss, nats", "recall"):
        table.add_column(name, justify="left" if name == "name" else "right", no_wrap=name != "name")
    for index in baselines.values():
        table.add_column(f"Δ #{index}", justify="right", no_wrap=True)
    for place, row in enumerate([*payload["candidates"], *payload["baselines"]]):
        if place == len(payload["candidates"]):
            table.add_section()
        table.add_row(*_cells(row, baselines), style="dim" if row["author"] == "baseline" else "")
    if not payload["candidates"]:
        return Group(table, Text("no candidate has a fitness yet"))
    noise = payload["language_noise_nats"]
    seeds = plural(payload["seeds"], "seed")
    text = "Δ #n: loss minus baseline n's, in parentheses where the noise between seeds can explain it."
    if noise is not None:
        text += f" ±: 95% interval from that noise ({number(noise)} nats, {seeds} each)."
    text += " The best of many are partly lucky: `asi-arch verify` tells. ✓: verified, see `asi-arch show`."
    return Group(table, Text(text, style="dim"))


def tree_view(payload: TreePayload) -> RenderableType:
    """The lineage as a tree; the way to the best in bold. Large trees leave out leaves without a fitness."""
    payload = _clean(payload)
    nodes = {node["index"]: node for node in payload["nodes"]}
    if not nodes:
        return Text("no experiment is finished yet")
    path = set(payload["best_path"])
    top = Tree(Text(f"{plural(len(nodes), 'experiment')}"), guide_style="dim")
    hidden = 0
    stack = [(index, top) for index in reversed(payload["roots"])]
    while stack:
        index, branch = stack.pop()
        node = nodes[index]
        if len(nodes) > _TREE_NODES and node["fitness"] is None and not node["children"]:
            hidden += 1
            continue
        grown = branch.add(_node(node, is_best=index == payload["best"], is_on_path=index in path))
        stack += [(child, grown) for child in reversed(node["children"])]
    note = Text(f"{plural(hidden, 'experiment')} without a fitness and without children left out", style="dim")
    return Group(top, note) if hidden else top


def experiment_view(payload: ExperimentPayload) -> RenderableType:
    """One experiment's page: idea, result, curves, checks, difference to the parent, code."""
    payload = _clean(payload)
    parts: list[RenderableType] = [_head(payload), _panel("Motivation", _idea_text(payload))]
    parts += [_panel("Result", _result(payload)), *_charts(payload)]
    if (analysis := payload["analysis"]) is not None:
        parts.append(_panel("Analysis", Text("\n\n".join(text for text in analysis.values() if text))))
    if (checks := payload["checks"]) is not None:
        parts.append(_panel("Checks", _checks(checks)))
    if payload["diff"]:
        parts.append(_panel("Difference to the parent", Syntax("\n".join(payload["diff"]), "diff", word_wrap=True)))
    parts.append(_panel("Code", Syntax(payload["source"], "python", line_numbers=True, word_wrap=True)))
    return Group(*parts)


def _clean(value: P) -> P:
    """The same payload without control characters in any text."""
    return cast(P, _cleaned(value))


def _cleaned(value: object) -> object:
    match value:
        case str():
            return _CONTROLS.sub("", value)
        case dict():
            return {key: _cleaned(item) for key, item in cast(dict[str, object], value).items()}
        case list():
            return [_cleaned(item) for item in cast(list[object], value)]
        case _:
            return value


def _head(payload: ExperimentPayload) -> Text:
    text = Text(f"#{payload['index']} {payload['name']}", style="bold")
    text.append(f"  {OUTCOMES[payload['outcome']['kind']]}", style=_STYLES[payload["outcome"]["kind"]])
    if parent := payload["parent"]:
        text.append(f"  child of #{parent['index']} {parent['name']}", style="not bold")
    if payload["partner"] is not None:
        text.append(f", crossed with #{payload['partner']}", style="not bold")
    if payload["references"]:
        text.append(f", references {', '.join(f'#{i}' for i in payload['references'])}", style="dim not bold")
    return text


def _idea_text(payload: ExperimentPayload) -> Text:
    idea = payload["idea"]
    lines = [idea["motivation"]]
    lines += [
        f"{label}: {idea[key]}" for label, key in (("Change", "change"), ("Expected", "expectation")) if idea[key]
    ]
    if idea["mechanisms"]:
        lines.append(f"Mechanisms: {', '.join(idea['mechanisms'])}")
    return Text("\n".join(lines))


def _result(payload: ExperimentPayload) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for name in ("", "loss, nats", "recall", "multi-query recall", "judge", "fitness"):
        table.add_column(name, justify="left" if not name else "right")
    for label, row in (
        ("this", payload["numbers"]),
        ("parent", payload["parent"]),
        ("reference", payload["reference"]),
    ):
        if row is not None:
            names = ("language_loss", "recall_accuracy", "mqar_accuracy", "judge", "fitness")
            table.add_row(label, *(number(row[name]) for name in names))
    cost = payload["cost"]
    used = f"CPU {duration(cost['cpu_s'])} (training {duration(cost['train_cpu_s'])}), wall {duration(cost['wall_s'])}"
    lines: list[RenderableType] = [
        Text(payload["sentence"]),
        table,
        Text(f"{used}; {payload['containment']}", style="dim"),
    ]
    lines += [Text(f"verified: {verdict['statement']}", style="green") for verdict in payload["verdicts"]]
    for mark in (payload["judgement"] or {}).get("marks", []):
        lines.append(Text(f"judge, {mark['name']}: {mark['value']:.2f} ({mark['reason']})", style="dim"))
    return Group(*lines)


def _charts(payload: ExperimentPayload) -> list[RenderableType]:
    views: list[RenderableType] = []
    for stage, curves in payload["curves"].items():
        if curves["loss"]:
            drawn = chart(curves["loss"], reference=curves["reference"], last_step=int(curves["step"][-1]))
            title = (
                f"Training loss, {stage} stage (● this, · reference)"
                if curves["reference"]
                else f"Training loss, {stage} stage"
            )
            views.append(_panel(title, Text(drawn, no_wrap=True)))
    return views


def _checks(checks: dict[str, Any]) -> RenderableType:
    lines = [
        Text(f"✗ {f['check']}: {f['message']}", style="red" if f["severity"] == "error" else "yellow")
        for f in checks["findings"]
    ]
    if checks["passed_checks"]:
        lines.append(Text(f"✓ {', '.join(checks['passed_checks'])}", style="green"))
    if footprint := checks["footprint"]:
        text = (
            f"{footprint['model_parameters']:,} parameters in the model, {footprint['code_lines']} lines,"
            f" {footprint['flops'] / 1e6:.1f} MFLOP a sequence, work grows as length^{footprint['growth']:.2f}"
        )
        lines.append(Text(text, style="dim"))
    return Group(*lines)


def _summaries(title: str, rows: list[dict[str, Any]]) -> RenderableType:
    if not rows:
        return Text(f"{title}: none yet", style="dim")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("#", "name", "fitness", "loss, nats", "recall"):
        table.add_column(name, justify="left" if name == "name" else "right")
    for row in rows:
        result = number(row["language_loss"]) if row["outcome"] == "measured" else OUTCOMES[row["outcome"]]
        table.add_row(
            str(row["index"]), Text(row["name"]), number(row["fitness"]), result, number(row["recall_accuracy"], 2)
        )
    return table


def _cells(row: dict[str, Any], baselines: Iterable[str]) -> list[Text]:
    name = row["name"] + (" ✓" if row["verdict"] else "")
    cells = [Text(str(row["index"])), Text(name), Text(number(row["fitness"]))]
    cells += [Text(reading(_reading(row["language"]))), Text(reading(_reading(row["recall"]), digits=2))]
    for baseline in baselines:
        versus = row["against"].get(baseline)
        cells.append(_difference(_reading(versus["language"]) if versus else None))
    return cells


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


def _node(node: dict[str, Any], *, is_best: bool, is_on_path: bool) -> Text:
    text = Text(f"#{node['index']} {node['name']} ", style="bold" if is_on_path else "")
    if node["outcome"] == "measured":
        text.append(f"loss {number(node['language_loss'])}  recall {number(node['recall_accuracy'], 2)}  ")
        text.append(f"fitness {number(node['fitness'])}", style="green" if node["fitness"] is not None else "dim")
    else:
        text.append(OUTCOMES[node["outcome"]], style=_STYLES[node["outcome"]])
    return text.append("  ← best", style="bold green") if is_best else text


def _tally(payload: StatusPayload) -> str:
    counts = [f"{count:,} {OUTCOMES[kind]}" for kind, count in payload["outcomes"].items()]
    return ", ".join([plural(len(payload["baselines"]), "baseline"), *counts])


def _facts() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _panel(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="dim")
