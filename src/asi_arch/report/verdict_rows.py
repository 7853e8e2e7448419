"""The page's table of verifications."""

from typing import Any

from asi_arch.domain.verdict import Comparison, Verdict
from asi_arch.report import findings
from asi_arch.report.digest import Digest
from asi_arch.report.words import MISSING, Reading
from asi_arch.stats.wording import is_loss


def verdict_rows(campaign: Digest) -> list[dict[str, Any]]:
    """One row for every comparison of every model's latest verdict."""
    reference = campaign.yardstick.reference
    q = findings.discoveries(campaign.verdicts, reference)
    names = {line.summary.sha: f"{line.summary.name} #{line.summary.index}" for line in reversed(campaign.lines)}

    def is_decisive(comparison: Comparison) -> bool:
        return comparison.baseline == reference and is_loss(comparison.quantity)

    return [
        {
            "name": names.get(verdict.sha, f"source {verdict.sha[:8]}"),
            "quantity": comparison.quantity,
            "baseline": comparison.baseline,
            "spread": _spread(verdict, comparison),
            "is_loss": is_loss(comparison.quantity),
            "difference": Reading.of(comparison.difference),
            "p": f"{comparison.p_value:.2g}",
            "q": f"{q[verdict.sha]:.2g}" if is_decisive(comparison) else MISSING,
            "seeds": len(comparison.seeds),
            "anytime": f"{verdict.anytime_p:.2g}" if is_decisive(comparison) and verdict.anytime_p else MISSING,
            "vault": _in_vault(verdict, comparison),
            "standing": findings.standing(verdict, q[verdict.sha]) if is_decisive(comparison) else "",
        }
        for verdict in {verdict.sha: verdict for verdict in campaign.verdicts}.values()
        for comparison in verdict.comparisons
    ]


def _spread(verdict: Verdict, comparison: Comparison) -> str:
    """How far the baseline's trainings lie apart, by the calibration that the verdict rests on; empty without one."""
    spreads = verdict.calibration.spreads if verdict.calibration else ()
    for spread in spreads:
        if (spread.baseline, spread.quantity) == (comparison.baseline, comparison.quantity):
            return f"± {spread.std:.4f} ({spread.seeds} seeds)"
    return ""


def _in_vault(verdict: Verdict, comparison: Comparison) -> Reading | None:
    """The same difference in the vault; None where it was not opened for it."""
    same = (comparison.baseline, comparison.quantity)
    looked = verdict.vault.comparisons if verdict.vault else ()
    return next((Reading.of(item.difference) for item in looked if (item.baseline, item.quantity) == same), None)
