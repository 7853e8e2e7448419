"""Executed checks: what a candidate must show before a second is spent on training it.

Runs inside the fresh child process that holds the candidate. Torch is imported only when checks are run, so that
`CheckSetting` can be named by the controller. Nothing here starts processes, reads files or keeps time limits.
"""

from functools import partial

from asi_arch.domain.candidate import Adapter, candidate_sha
from asi_arch.domain.outcome import CheckReport
from asi_arch.lab.checks.setting import CheckSetting

__all__ = ["CheckSetting", "run_checks"]


def run_checks(source: str, setting: CheckSetting, adapter: Adapter = Adapter.MIXER) -> CheckReport:
    """Everything the checks found about `source`, and what its adapter changed in it.

    Never raises for the candidate's fault: that becomes a finding.
    """
    from asi_arch.lab.adapters import load_adapted, remarks
    from asi_arch.lab.checks.running import report_on

    report = report_on(source, setting, load=partial(load_adapted, adapter=adapter))
    findings = (*report.findings, *remarks(source, adapter))
    return report.model_copy(update={"sha": candidate_sha(source, adapter), "findings": findings})
