"""The account of a campaign: question, method, result, what failed, threats to validity, cost."""

from collections.abc import Sequence
from typing import NamedTuple

from asi_arch.domain.exchanges import Charge
from asi_arch.report import findings, imported_words
from asi_arch.report.digest import Digest
from asi_arch.report.headline import headline
from asi_arch.report.method import method, question, threats
from asi_arch.report.savings import in_full, savings
from asi_arch.report.series.discoveries import discoveries, remarks
from asi_arch.report.series.mechanisms import mechanisms
from asi_arch.report.series.parameters import parameters
from asi_arch.report.series.rates import KINDS, course
from asi_arch.report.series.trend import pool_trend
from asi_arch.report.sheets.sheet import Sheet
from asi_arch.report.tables import Table
from asi_arch.report.words import OUTCOMES, Reading, duration, listed, number, plural, reading
from asi_arch.stats.proportions import wilson

_NAMED = 6
"""Mechanisms of a sentence, and kinds of failure."""


class Points(NamedTuple):
    """A list."""

    items: tuple[str, ...]


Block = str | Points | Sheet
"""A paragraph, a list or a table."""


class Section(NamedTuple):
    """Under one heading."""

    title: str
    blocks: tuple[Block, ...]


class Account(NamedTuple):
    """The whole text."""

    title: str
    sections: tuple[Section, ...]


def account(campaign: Digest, table: Table, sheets: Sequence[Sheet], charge: Charge | None = None) -> Account:
    """Of a campaign of any age; `sheets` are its tables, of which those for a paper are told here, too.

    `charge` is what its minds cost; None where none was asked.
    """
    shown = [sheet for sheet in sheets if sheet.name != "experiments"]
    return Account(
        title=f"Account of the campaign {campaign.campaign.profile.name}",
        sections=(
            Section("Question", (question(campaign), _budget(campaign))),
            Section("Method", (Points(tuple(method(campaign))),)),
            Section("Result", tuple(_result(campaign, table, shown))),
            Section("What failed", tuple(_failed(campaign))),
            Section("Threats to validity", (Points(tuple(threats(campaign))),)),
            Section("Cost", tuple(_cost(campaign, charge))),
        ),
    )


def _budget(campaign: Digest) -> str:
    if campaign.is_imported:
        return imported_words.budget(campaign)
    baselines, candidates = len(campaign.baselines), len(campaign.candidates)
    return f"Finished: {plural(baselines, 'baseline')} and {plural(candidates, 'candidate')}."


def _result(campaign: Digest, table: Table, sheets: Sequence[Sheet]) -> list[Block]:
    top = headline(campaign, table)
    found: list[Block] = [top.answer, top.evidence, Points(remarks(discoveries(campaign)))]
    sentences = [*_luck(campaign), *_pool(campaign), *_mechanisms(campaign), *_size(campaign)]
    for sheet in sheets:
        if sheet.missing:
            sentences.append(f"{sheet.title}: {sheet.missing}.")
    return [*found, *sentences, *(sheet for sheet in sheets if not sheet.missing)]


def _luck(campaign: Digest) -> list[str]:
    interval, best = findings.luck_free(campaign), campaign.best
    if interval is None or best is None:
        return []
    return [
        f"The best of many is partly lucky. Shrunk towards the mean of all measured candidates, the language loss of"
        f" {best.summary.name} (#{best.summary.index}) is {reading(Reading.of(interval))} nats, after"
        f" {number(best.summary.language_loss)} as measured."
    ]


def _pool(campaign: Digest) -> list[str]:
    points = pool_trend(campaign)
    if len(points) < 2:
        return []
    first, last = points[0], points[-1]
    word = "published score" if campaign.is_imported else "fitness"
    changes = [f"its mean {word} went from {number(first.fitness)} to {number(last.fitness)}"]
    if first.language is not None and last.language is not None:
        changes.append(f"its mean language loss from {number(first.language)} to {number(last.language)} nats")
    if first.recall is not None and last.recall is not None:
        changes.append(f"its mean recall accuracy from {number(first.recall)} to {number(last.recall)}")
    whose = "The best 50 so far" if campaign.is_imported else "The pool"
    return [f"{whose}, from {first.experiments:,} to {last.experiments:,} experiments: {listed(changes)}."]


def _mechanisms(campaign: Digest) -> list[str]:
    found = mechanisms(campaign)
    if found.missing:
        return [f"Mechanisms can't be compared: {found.missing}."]
    more = [m for m in found.found if m.enrichment.low > 1]
    less = [m for m in found.found if m.enrichment.high < 1]
    told: list[str] = []
    for group, word in ((more, "more"), (less, "less")):
        ordered = sorted(group, key=lambda m: -abs(m.enrichment.estimate - 1))[:_NAMED]
        names = [
            f"{m.name.replace('_', ' ')} ({m.gallery:.0%} against {m.rest:.0%}, ratio {m.enrichment.estimate:.2f}"
            f" [{m.enrichment.low:.2f}, {m.enrichment.high:.2f}])"
            for m in ordered
        ]
        if names:
            told.append(f"Among {found.gallery}, {word} frequent than among all others: {listed(names)}.")
    if not told:
        told.append(f"No mechanism is clearly more or less frequent among {found.gallery} than among all others.")
    told.append(
        f"Intervals are 95% each; with {len(found.found):,} mechanisms looked at, a few exclude 1 by chance, and"
        " designs that descend from each other are not independent."
    )
    return [" ".join(told)]


def _size(campaign: Digest) -> list[str]:
    found = parameters(campaign)
    if found.missing:
        return [f"Size: {found.missing}."]
    counts = sorted(design.parameters for design in found.designs)
    text = f"Parameters of {found.of}: {counts[0]:,} to {counts[-1]:,}, median {counts[len(counts) // 2]:,}"
    if found.models is not None and found.tolerance is not None:
        text += f"; whole models have {found.models[0]:,} to {found.models[1]:,}, held within {found.tolerance:.0%}"
    if found.correlation is not None:
        word = "published score" if campaign.is_imported else "fitness"
        rank = f"{found.correlation:+.2f}".replace("-", "\u2212")
        text += f". The rank correlation of count and {word} is {rank}"
    return [f"{text}."]


def _failed(campaign: Digest) -> list[Block]:
    whole = course(campaign).whole
    if whole is None:
        reason = course(campaign).missing or "no candidate is finished yet"
        return [f"{reason[0].upper()}{reason[1:]}."]
    found: list[Block] = [_success(campaign, whole.proposals)]
    rates = tuple(
        f"{KINDS[rate.kind]}: {rate.count:,} ({_percent(rate.share.estimate, rate.share.low, rate.share.high)})"
        for rate in whole.rates
        if rate.count
    )
    if rates:
        found.append(Points(rates))
    failures = findings.failures(campaign)
    if failures:
        found.append("The most frequent, with the latest example of each:")
        found.append(
            Points(
                tuple(
                    f"{OUTCOMES[f.kind]}, {f.where}, {plural(f.times, 'time')}; #{f.example}: {f.reason}"
                    for f in failures[:_NAMED]
                )
            )
        )
    watch = campaign.campaign.profile.watch
    if watch.rungs and not campaign.is_imported:
        found.append(
            in_full(savings(campaign), audit_fraction=watch.audit_fraction, reference=campaign.yardstick.reference)
        )
    return found


def _success(campaign: Digest, proposals: int) -> str:
    if campaign.is_imported:
        return f"Of {plural(proposals, 'design')}, {campaign.outcomes['measured']:,} have a result, by their source."
    measured = sum(line.summary.is_measured for line in campaign.candidates)
    share = wilson(measured, proposals)
    return (
        f"Of {plural(proposals, 'proposal')}, {measured:,} were trained to the end and measured"
        f" ({_percent(share.estimate, share.low, share.high)})."
    )


def _percent(share: float, low: float, high: float) -> str:
    return f"{share:.0%}, 95% interval {low:.0%} to {high:.0%}"


def _cost(campaign: Digest, charge: Charge | None) -> list[Block]:
    if campaign.is_imported:
        return [imported_words.budget(campaign)]
    if not campaign.lines:
        return ["Nothing was spent yet."]
    lines = campaign.lines
    used = [
        ("training", sum(line.cost.train_cpu_s for line in lines)),
        ("scoring", sum(line.cost.score_cpu_s for line in lines)),
        ("checks", sum(line.cost.check_cpu_s for line in lines)),
    ]
    total = sum(seconds for _, seconds in used)
    parts = listed([f"{duration(seconds)} for {name}" for name, seconds in used])
    told = f"The search took {duration(total)} of CPU time: {parts}. Verifications are not in it."
    measured = sum(line.summary.is_measured for line in campaign.candidates)
    if measured:
        told += f" That is {duration(total / measured)} for each measured candidate, failures and baselines included."
    found: list[Block] = [told]
    times = course(campaign).total
    if times is not None:
        found.append(
            f"The experiments' wall time adds up to {duration(times.total_s)}, of which {duration(times.propose_s)}"
            f" were proposing and {duration(times.wait_s)} waiting for a worker or a mind, judging and explaining."
        )
    return [*found, _of_minds(charge)]


def _of_minds(charge: Charge | None) -> str:
    if charge is None or not charge.calls:
        return "No language model was asked."
    price = "at a price that is not known" if charge.usd is None else f"for {charge.usd:.2f} USD"
    return f"Language models were asked {plural(charge.calls, 'time')}, {plural(charge.tokens, 'token')} {price}."
