"""What was found and whether it is real, in the first lines of the page: claims no more than was shown."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.verdict import Comparison, Verdict
from asi_arch.report import imported_words
from asi_arch.report.digest import Digest, Line
from asi_arch.report.findings import best_verified, discoveries, first_loss, standing
from asi_arch.report.tables import Row, Table, Versus
from asi_arch.report.words import OUTCOMES, Reading, listed, number, plural, reading
from asi_arch.stats.promotion import DISCOVERY_Q
from asi_arch.stats.wording import describe, describe_blind, is_better, is_distinguishable, is_loss


class Headline(NamedTuple):
    """The answer in a sentence, and the evidence for it in a few."""

    answer: str
    evidence: str


def headline(campaign: Digest, table: Table) -> Headline:
    """The best that was verified, else the fittest as a lead, else why there is neither."""
    if campaign.is_imported:
        return Headline(*imported_words.headline(campaign))
    if not campaign.lines:
        return Headline("Nothing is finished yet.", "The first results come from the baselines.")
    candidates = campaign.candidates
    if not candidates:
        return Headline("Nothing was invented yet.", "Only baselines are finished.")
    measured = [line for line in candidates if line.summary.is_measured]
    if not measured:
        tally = f"Of {plural(len(candidates), 'candidate')}: {_tally(campaign)}."
        return Headline("No candidate was trained to the end yet.", tally)
    if (verified := best_verified(campaign.verdicts)) is not None:
        return _verified(campaign, verified)
    if not table.candidates:
        return Headline("No candidate has a fitness yet.", _unscored(campaign, measured))
    return _lead(campaign, table, len(measured))


def _tally(campaign: Digest) -> str:
    return listed([f"{campaign.outcomes[kind]} {OUTCOMES[kind]}" for kind in OUTCOMES if campaign.outcomes[kind]])


def _unscored(campaign: Digest, measured: Sequence[Line]) -> str:
    words = Counter(campaign.yardstick.why_none(line.summary).partition(":")[0] for line in measured)
    example = min(measured, key=lambda line: (line.summary.language_loss or 0.0, line.summary.index)).summary
    counts = listed([f"{count} {word}" for word, count in words.items()])
    return (
        f"{plural(len(measured), 'candidate')} measured: {counts}. {example.name} (#{example.index}) is"
        f" {campaign.yardstick.why_none(example)}."
    )


def _verified(campaign: Digest, verdict: Verdict) -> Headline:
    """Against the verdict's first baseline in full, the unwelcome numbers too; the others in a sentence."""
    loss = first_loss(verdict)
    q = discoveries(campaign.verdicts, loss.baseline).get(verdict.sha, 1.0)
    first = [c for c in verdict.comparisons if c.baseline == loss.baseline]
    shown = "; ".join(f"{c.quantity} {describe(c)}" for c in first)
    evidence = f"Trained again and measured on data that the search never saw: {shown}."
    evidence += f" Corrected for all that were verified, q = {q:.2g}; a discovery needs {DISCOVERY_Q:g} or less."
    for comparison in verdict.vault.comparisons if verdict.vault else ():
        text = describe_blind(comparison)
        evidence += f" {text[0].upper()}{text[1:]}."
    if text := standing(verdict, q):
        evidence += f" {text[0].upper()}{text[1:]}."
    return Headline(_judged(_name(campaign, verdict), verdict, q), evidence + _other_baselines(verdict))


def _judged(name: str, verdict: Verdict, q: float) -> str:
    """A discovery has a lower loss than the first baseline, corrected for all verified, and recalls no less."""
    loss = first_loss(verdict)
    if not is_better(loss) or q > DISCOVERY_Q:
        return f"No discovery: {name} did not prove to model language better than {loss.baseline}."
    others = [c for c in verdict.comparisons if c.baseline == loss.baseline and not is_loss(c.quantity)]
    if any(is_distinguishable(c) and not is_better(c) for c in others):
        return f"No discovery: {name} models language better than {loss.baseline} but recalls less."
    if verdict.reason:
        return f"No discovery yet: {name} models language better than {loss.baseline} but is not promoted."
    unbeaten = [c.baseline for c in verdict.comparisons if is_loss(c.quantity) and not is_better(c)]
    return f"A discovery: {name} models language better than {loss.baseline}{_though(unbeaten)}."


def _though(unbeaten: Sequence[str]) -> str:
    """The baselines whose language loss is not clearly higher: a gain over the reference alone is easily oversold."""
    return f", though not than {listed(unbeaten, 'or')}" if unbeaten else ""


def _other_baselines(verdict: Verdict) -> str:
    losses = [c for c in verdict.comparisons if is_loss(c.quantity) and c.baseline != first_loss(verdict).baseline]
    groups: dict[str, list[str]] = {}
    for comparison in losses:
        groups.setdefault(_relation(comparison), []).append(comparison.baseline)
    if not groups:
        return ""
    return f" In language loss it is {listed([f'{word} {listed(names)}' for word, names in groups.items()])}."


def _relation(comparison: Comparison) -> str:
    if not is_distinguishable(comparison):
        return "not distinguishable from"
    return "better than" if is_better(comparison) else "worse than"


def _name(campaign: Digest, verdict: Verdict) -> str:
    names = {line.summary.sha: f"{line.summary.name} (#{line.summary.index})" for line in reversed(campaign.lines)}
    return names.get(verdict.sha, f"source {verdict.sha[:8]}")


def _lead(campaign: Digest, table: Table, measured: int) -> Headline:
    best, reference = table.candidates[0], campaign.yardstick.reference
    versus = next((v for v in best.against if v.baseline == reference), None)
    evidence = _place(table, best, measured)
    if versus is None:
        return Headline(f"{reference}, the reference, has no result yet, so nothing can be said.", evidence)
    seeds = plural(table.seeds, "seed")
    numbers = f"On {seeds} {_against(table, best, versus)}."
    warning = "It was picked as the best of many by these very numbers and is not verified with fresh seeds."
    return Headline(_first_look(best, versus), f"{numbers} {evidence} {warning}")


def _first_look(best: Row, versus: Versus) -> str:
    """What differs by more than the seeds' noise; a lead is better in something and worse in nothing."""
    name = f"{best.summary.name} (#{best.summary.index})"
    loss, recall = _sign(versus.language, lower_is_better=True), _sign(versus.recall, lower_is_better=False)
    gains = [text for sign, text in ((loss, "models language better"), (recall, "recalls more")) if sign > 0]
    costs = [text for sign, text in ((loss, "models language worse"), (recall, "recalls less")) if sign < 0]
    if not gains:
        return f"No lead yet: the fittest candidate, {name}, shows no gain over {versus.baseline} beyond noise."
    if costs:
        return f"A trade-off, not a discovery: {name} {gains[0]} than {versus.baseline} but {costs[0]}."
    unbeaten = [v.baseline for v in best.against if _sign(v.language, lower_is_better=True) <= 0] if loss > 0 else []
    return f"A lead, not a discovery: {name} {listed(gains[::-1])} than {versus.baseline}{_though(unbeaten)}."


def _sign(value: Reading | None, *, lower_is_better: bool) -> int:
    """1 for clearly better, -1 for clearly worse, 0 where noise can explain it."""
    if value is None or not value.is_clear:
        return 0
    return 1 if (value.estimate < 0) is lower_is_better else -1


def _against(table: Table, best: Row, versus: Versus) -> str:
    """Both numbers beside the reference's, each difference with its interval."""
    other = next(row for row in table.baselines if row.summary.name == versus.baseline).summary
    name = versus.baseline
    loss = f"{number(best.summary.language_loss)} nats against {name}'s {number(other.language_loss)}"
    recall = f"{number(best.summary.recall_accuracy)} against {number(other.recall_accuracy)}"
    return (
        f"its language loss is {loss} ({reading(versus.language, is_signed=True)}) and its recall accuracy {recall}"
        f" ({reading(versus.recall, is_signed=True)})"
    )


def _place(table: Table, best: Row, measured: int) -> str:
    """Its rank among the candidates, and the baselines that are ahead of it."""
    text = f"It is the fittest of {plural(measured, 'measured candidate')} (fitness {number(best.summary.fitness)})"
    fitter = [r.summary for r in table.baselines if (r.summary.fitness or 0.0) > (best.summary.fitness or 0.0)]
    text += f", though {_ahead([(s.name, s.fitness) for s in fitter])} fitter" if fitter else ""
    loss = best.summary.language_loss or 0.0
    lower = [r.summary for r in table.baselines if (r.summary.language_loss or loss) < loss]
    if not lower:
        return f"{text}."
    return f"{text}; {_ahead([(s.name, s.language_loss) for s in lower])} lower in language loss."


def _ahead(rivals: Sequence[tuple[str, float | None]]) -> str:
    verb = "is" if len(rivals) == 1 else "are"
    return f"{listed([f'{name} ({number(value)})' for name, value in rivals])} {verb}"
