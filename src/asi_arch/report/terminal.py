"""What the commands show: rich renderables made of the payloads that `--json` prints.

Names, motivations and code are others' text: control characters are taken out, and nothing is read as markup.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from asi_arch.report import cells, imported_views
from asi_arch.report.cells import clean, panel, summaries
from asi_arch.report.novelty import novelty_counts, novelty_sentence
from asi_arch.report.origins import how_text, origin_text
from asi_arch.report.payload import BestPayload, ExperimentPayload, StatusPayload
from asi_arch.report.review import counts_sentence, review_lines
from asi_arch.report.savings import Savings, one_line
from asi_arch.report.sparkline import chart
from asi_arch.report.tree_text import tree_view as tree_view
from asi_arch.report.words import BY_A_MODEL, OUTCOMES, duration, number, plural


def status_view(payload: StatusPayload, now: float) -> RenderableType:
    """A campaign at a glance. `now` is Unix time, for the age of the last event."""
    payload = clean(payload)
    campaign = payload["campaign"]
    if campaign["origin"]:
        return imported_views.status(payload, now)
    facts = cells.facts()
    facts.add_row("profile", Text(f"{campaign['profile']} ({campaign['profile_hash'][:8]}), {campaign['policy']}"))
    seeds = ", ".join(map(str, campaign["seeds"]))
    facts.add_row("seed", f"{campaign['seed']}; every model is trained with {seeds}")
    facts.add_row("data", Text(campaign["data"]))
    facts.add_row("finished", f"{plural(payload['finished'], 'experiment')}: {_tally(payload)}")
    if stops := payload["early_stops"]:
        facts.add_row("early stop", one_line(Savings(**stops)))
    for label, text in _parts_of_agents(payload):
        facts.add_row(label, text)
    if agenda := payload["agenda"]:
        steered = f"{plural(len(agenda['weights']), 'mechanism')} drawn more or less often"
        facts.add_row("agenda", Text(f"from #{agenda['snapshot']} on, {steered}: {agenda['sentences'][0]}"))
    if unfinished := payload["unfinished"]:
        facts.add_row("not finished", Text(", ".join(f"#{p['index']} {p['name']}" for p in unfinished)))
    if payload["last_event_at"] is not None:
        facts.add_row("last event", f"{duration(max(0.0, now - payload['last_event_at']))} ago")
    for verdict in payload["verdicts"]:
        facts.add_row("verified", Text(f"{verdict['name']}: {cells.verified(verdict)}"))
    return Group(
        facts,
        Text(),
        summaries("fittest candidates", payload["best"]),
        Text(),
        summaries("baselines", payload["baselines"]),
    )


def _parts_of_agents(payload: StatusPayload) -> Iterator[tuple[str, str]]:
    """A line for each that had a part in the campaign."""
    if (repairs := payload["repairs"]) and repairs["programs"]:
        mended, made = plural(repairs["programs"], "program"), plural(repairs["repairs"], "repair")
        yield "self-repair", f"{mended} that failed got {made}; {repairs['saved']} saved"
    if (judge := payload["judge"]) and (judge["by_model"] or judge["unmarked"]):
        yield "judge", _judging(judge)
    if (novelty := payload["novelty"]) and novelty["checked"]:
        yield "novelty", novelty_counts(novelty)
    if (reviews := payload["reviews"]) and reviews["read"]:
        yield "checker", counts_sentence(reviews)


def _judging(judge: Mapping[str, Any]) -> str:
    text = f"a model marked {plural(judge['by_model'], 'design')}"
    if judge["agreement"] is not None:
        text += f", its samples agree to {judge['agreement']:.2f} of 1"
    if judge["unmarked"]:
        text += f"; no usable marks came for {judge['unmarked']}, which were marked without it"
    return text


def best_view(payload: BestPayload) -> RenderableType:
    """The comparison table: the fittest, those without a fitness, the baselines, and differences to each of these."""
    payload = clean(payload)
    if payload["origin"]:
        return imported_views.best(payload)
    if not (payload["candidates"] or payload["unscored"] or payload["baselines"]):
        return Text("nothing was measured yet")
    baselines = {row["name"]: row["index"] for row in payload["baselines"]}
    title = "The fittest candidates and all baselines"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("#", "name", "fitness", "loss", "recall"):
        table.add_column(name, justify="left" if name == "name" else "right", no_wrap=name != "name")
    for index in baselines.values():
        table.add_column(f"Δ #{index}", justify="right", no_wrap=True)
    for group in (payload["candidates"], payload["unscored"], payload["baselines"]):
        for row in group:
            table.add_row(*cells.comparison(row, baselines), style="dim" if row["author"] == "baseline" else "")
        table.add_section()
    reasons = cells.reasons([*payload["unscored"], *payload["baselines"]])
    reasons += cells.verdicts([*payload["candidates"], *payload["unscored"]])
    if not payload["candidates"]:
        return Group(table, Text("no candidate has a fitness yet"), *reasons)
    return Group(table, *reasons, Text(_best_note(payload), style="dim"))


def _best_note(payload: BestPayload) -> str:
    """How the comparison table is read."""
    text = "Loss in nats; Δ #n: minus baseline n's, in parentheses where the noise between seeds can explain it."
    seeds, first = payload["seeds"], payload["candidates"][0]
    language, recall = first["language"], first["recall"]
    if seeds and language and recall and None not in (language["margin"], recall["margin"]):
        text += f" 95% intervals from that noise, {plural(seeds, 'seed')} each:"
        text += f" loss ± {number(language['margin'])}, recall ± {number(recall['margin'], 2)}."
    return f"{text} The best of many are partly lucky: `asi-arch verify` tells. ✓: verified, see `asi-arch show`."


def experiment_view(payload: ExperimentPayload) -> RenderableType:
    """One experiment's page: idea, result, curves, checks, difference to the parent, code."""
    payload = clean(payload)
    parts: list[RenderableType] = [_head(payload)]
    if (idea := _idea_text(payload)).plain.strip():
        parts.append(panel("Motivation", idea))
    if payload["provenance"]:
        parts.append(panel("Elements and their origins", _provenance(payload["provenance"])))
    if payload["repairs"]:
        parts.append(panel("Repairs", _repairs(payload)))
    if payload["review"] is not None:
        parts.append(panel("Read before training", _review(payload["review"])))
    if payload["published"]:
        parts.append(panel("Result", imported_views.result(payload)))
        parts += [drawn] if (drawn := imported_views.curve(payload["published"])) is not None else []
    else:
        parts += [panel("Result", _result(payload)), *_charts(payload)]
    if (analysis := payload["analysis"]) is not None:
        parts.append(panel("Analysis", _analysis(analysis)))
    if (checks := payload["checks"]) is not None:
        parts.append(panel("Checks", _checks(checks, payload["runs"])))
    if payload["diff"]:
        parts.append(panel("Difference to the parent", Syntax("\n".join(payload["diff"]), "diff", word_wrap=True)))
    if payload["source"]:
        parts.append(panel("Code", Syntax(payload["source"], "python", line_numbers=True, word_wrap=True)))
    return Group(*parts)


def _analysis(analysis: Mapping[str, Any]) -> Text:
    """The five parts, what the literature was searched for, who wrote it where that was a model."""
    parts = [analysis[name] for name in ("design", "results", "expectation", "mechanism", "lessons")]
    if findings := analysis["findings"]:
        parts.append("\n".join(("Findings, to search the literature with:", *(f"- {text}" for text in findings))))
    if analysis["author"] == "model":
        parts.append(BY_A_MODEL)
    return Text("\n\n".join(text for text in (*parts, analysis["note"]) if text))


def _head(payload: ExperimentPayload) -> Text:
    text = Text(f"#{payload['index']} {payload['name']}", style="bold")
    text.append(f"  {OUTCOMES[payload['outcome']['kind']]}", style=cells.STYLES[payload["outcome"]["kind"]])
    if parent := payload["parent"]:
        text.append(f"  child of #{parent['index']} {parent['name']}", style="not bold")
    if payload["partner"] is not None:
        text.append(f", crossed with #{payload['partner']}", style="not bold")
    if payload["references"]:
        text.append(f", references {', '.join(f'#{i}' for i in payload['references'])}", style="dim not bold")
    return text


def _repairs(payload: ExperimentPayload) -> RenderableType:
    parts: list[RenderableType] = []
    for repair in payload["repairs"]:
        parts.append(Text(f"{repair['failure']} Cause: {repair['cause']}"))
        parts.append(Syntax(repair["diff"], "diff", word_wrap=True))
    return Group(*parts)


def _review(review: Mapping[str, Any]) -> RenderableType:
    diff = [Syntax(review["diff"], "diff", word_wrap=True)] if review["diff"] else []
    return Group(Text("\n".join(review_lines(review))), *diff)


def _idea_text(payload: ExperimentPayload) -> Text:
    idea = payload["idea"]
    lines = [idea["motivation"]] if idea["motivation"] else []
    lines += [
        f"{label}: {idea[key]}" for label, key in (("Change", "change"), ("Expected", "expectation")) if idea[key]
    ]
    if idea["mechanisms"]:
        lines.append(f"Mechanisms: {', '.join(idea['mechanisms'])}")
    if idea["passages"]:
        lines.append(f"Read before: {', '.join(idea['passages'])} (`asi-arch cognition show ID`)")
    if idea["novelty"]:
        lines.append(f"Novelty: {novelty_sentence(idea['novelty'])}")
    return Text("\n".join(lines))


def _provenance(provenance: Mapping[str, Any]) -> Text:
    """A line for each element with its origin, the code that shows it, and the reason where a model gave one."""
    text = Text()
    for element in provenance["elements"]:
        text.append(f"{element['name'].replace('_', ' ')}: {origin_text(element)}")
        text.append(f". {element['reason']}\n" if element["reason"] else "\n")
        for line in element["lines"][:1]:
            text.append(f"    {line}\n", style="dim")
    text.append(f"{how_text(provenance)}. {provenance['note']}".strip(), style="dim")
    return text


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
    assert cost is not None, "what was not run here is told by imported_views"
    used = f"CPU {duration(cost['cpu_s'])} (training {duration(cost['train_cpu_s'])}), wall {duration(cost['wall_s'])}"
    lines: list[RenderableType] = [
        Text(payload["sentence"]),
        table,
        *([Text(f"No fitness, {payload['no_fitness']}.", style="yellow")] if payload["no_fitness"] else []),
        Text(f"{used}; {payload['containment']}", style="dim"),
    ]
    if confirmed := [run["blind"] for run in payload["runs"] if run["blind"]]:
        lines.append(_confirmed(confirmed))
    if auxiliary := max((abs(run["auxiliary"] or 0.0) for run in payload["runs"]), default=0.0):
        lines.append(Text(f"largest auxiliary loss {auxiliary:.3g} nats", style="dim"))
    if any(run["was_let_through"] for run in payload["runs"]):
        lines.insert(1, Text("The early stop would have ended it; it was let through as an audit.", style="yellow"))
    for verdict in payload["verdicts"]:
        lines.append(Text(f"verified: {cells.verified(verdict)}", style="green" if verdict["is_promoted"] else ""))
    for part in (payload["ablation"] or {}).get("parts", []):
        told = "; ".join(f"{quantity} {words}" for quantity, words in part["differences"].items())
        lines.append(Text(f"without {part['title']}: {part['standing']}{f' ({told})' if told else ''}"))
    for mark in (payload["judgement"] or {}).get("marks", []):
        lines.append(Text(f"judge, {mark['name']}: {mark['value']:.2f} ({mark['reason']})", style="dim"))
    lines += _about_judge(payload["judgement"] or {})
    return Group(*lines)


def _about_judge(judgement: Mapping[str, Any]) -> list[Text]:
    """How far a model's samples agree, or why it did not judge."""
    found = [Text(judgement["note"], style="yellow")] if judgement.get("note") else []
    if judgement.get("agreement") is not None:
        found.append(Text(f"judge's samples agree to {judgement['agreement']:.2f} of 1", style="dim"))
    return found


def _confirmed(checks: Sequence[Mapping[str, Any]]) -> Text:
    """What blind scoring found, over all runs."""
    positions, largest = sum(c["positions"] for c in checks), max(c["largest_difference_nats"] for c in checks)
    bound = max(c["leak_bound"] for c in checks)
    return Text(
        f"confirmed blind at {positions} positions (largest difference {largest:.1g} nats); at most {bound:.1%} of the"
        " positions of a run may leak unseen (95%)",
        style="dim",
    )


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
            views.append(panel(title, Text(drawn, no_wrap=True)))
    return views


def _checks(checks: dict[str, Any], runs: Sequence[Mapping[str, Any]]) -> RenderableType:
    lines = [_finding(f) for f in checks["findings"]]
    lines += [_finding(f, f" (trained weights, {r['stage']} seed {r['seed']})") for r in runs for f in r["findings"]]
    if checks["passed_checks"]:
        lines.append(Text(f"✓ {', '.join(checks['passed_checks'])}", style="green"))
    if footprint := checks["footprint"]:
        text = (
            f"{footprint['model_parameters']:,} parameters in the model, {footprint['code_lines']} lines,"
            f" {footprint['flops'] / 1e6:.1f} MFLOP a sequence, work grows as length^{footprint['growth']:.2f}"
        )
        lines.append(Text(text, style="dim"))
    return Group(*lines)


def _finding(finding: Mapping[str, Any], where: str = "") -> Text:
    style = "red" if finding["severity"] == "error" else "yellow"
    return Text(f"✗ {finding['check']}{where}: {finding['message']}", style=style)


def _tally(payload: StatusPayload) -> str:
    counts = [f"{count:,} {OUTCOMES[kind]}" for kind, count in payload["outcomes"].items()]
    return ", ".join([plural(len(payload["baselines"]), "baseline"), *counts])
