"""A comparison in words that claim no more than it shows."""

from datetime import datetime, timezone

from asi_arch.domain.verdict import BlindComparison, Comparison, Interval, Verdict


def is_distinguishable(comparison: Comparison) -> bool:
    """Whether zero lies outside the interval and p below 1 - confidence (for a t-test the same thing)."""
    interval = comparison.difference
    return comparison.p_value < 1 - interval.confidence and not interval.low <= 0 <= interval.high


def is_better(comparison: Comparison) -> bool:
    """Whether the candidate is distinguishably better: lower for a loss, higher for anything else."""
    is_lower = comparison.difference.estimate < 0
    return is_distinguishable(comparison) and is_lower is is_loss(comparison.quantity)


def is_loss(quantity: str) -> bool:
    """Whether lower is better, by the quantity's name."""
    return "loss" in quantity


def describe(comparison: Comparison, *, q_value: float | None = None, seeds: str = "fresh seeds") -> str:
    """E.g. 'better than delta_net by 0.031 ± 0.012 nats (95%), q = 0.02, 6 fresh seeds'; p where there is no q."""
    gap = f"{amount(comparison.difference)}{' nats' if is_loss(comparison.quantity) else ''}"
    gap += f" ({comparison.difference.confidence:.0%})"
    chance = _p_value(comparison.p_value) if q_value is None else q_text(q_value)
    evidence = f"{chance}, {len(comparison.seeds)} {seeds}"
    if is_distinguishable(comparison):
        word = "better" if is_better(comparison) else "worse"
        return f"{word} than {comparison.baseline} by {gap}, {evidence}"
    if comparison.difference.estimate == 0:
        return f"not distinguishable from {comparison.baseline}: no difference, {evidence}"
    direction = "lower" if comparison.difference.estimate < 0 else "higher"
    return f"not distinguishable from {comparison.baseline}: {direction} by {gap}, {evidence}"


def describe_blind(comparison: BlindComparison) -> str:
    """E.g. 'in the vault, blind: language loss better than delta_net by 0.031 ± 0.012 nats (95%), ...'."""
    gap, is_lower_better = comparison.difference, is_loss(comparison.quantity)
    size = f"{amount(gap)}{' nats' if is_lower_better else ''} ({gap.confidence:.0%})"
    if gap.low <= 0 <= gap.high:
        direction = "lower" if gap.estimate < 0 else "higher"
        relation = f"not distinguishable from {comparison.baseline}: {direction} by {size}"
    else:
        word = "better" if (gap.estimate < 0) is is_lower_better else "worse"
        relation = f"{word} than {comparison.baseline} by {size}"
    where = f"{comparison.positions:,} positions in {comparison.documents:,} documents"
    return f"in the vault, blind: {comparison.quantity} {relation}, {where}"


def evidence_text(verdict: Verdict) -> str:
    """What may be looked at after every seed: 'e = 23, anytime p = 0.04 ...'; empty where it was not kept."""
    if verdict.e_value is None or verdict.anytime_p is None:
        return ""
    return f"e = {verdict.e_value:.3g}, anytime p = {verdict.anytime_p:.2g} (valid whenever one looks)"


def amount(interval: Interval) -> str:
    """Size of a difference with its margin, both without sign: '0.031 ± 0.012'. Shows the margin's leading digit."""
    margin = (interval.high - interval.low) / 2
    digits = 3
    while digits < 6 and 0 < margin < 10.0**-digits:
        digits += 1
    return f"{abs(interval.estimate):.{digits}f} ± {margin:.{digits}f}"


def promotion_text(verdict: Verdict) -> str:
    """'promoted', 'not promoted: ...', or nothing for a verdict of before promotion."""
    if verdict.is_promoted:
        return "promoted"
    return f"not promoted: {verdict.reason}" if verdict.reason else ""


def q_text(q: float) -> str:
    """'q = 0.02', 'q < 0.001'."""
    return "q < 0.001" if q < 0.001 else f"q = {q:.2g}"


def day(at: float) -> str:
    """The date of a Unix time: '2026-11-28'."""
    return datetime.fromtimestamp(at, tz=timezone.utc).strftime("%Y-%m-%d")


def _p_value(p: float) -> str:
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
