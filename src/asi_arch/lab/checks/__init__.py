"""Executed checks: what a candidate must show before a second is spent on training it.

Runs inside the fresh child process that holds the candidate. Torch is imported only when checks are run, so that
`CheckSetting` can be named by the controller. Nothing here starts processes, reads files or keeps time limits.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.candidate import Adapter, candidate_sha
from asi_arch.domain.outcome import CheckReport
from asi_arch.lab.checks.setting import CheckSetting
from asi_arch.lab.imports import ALLOWED_IMPORTS

__all__ = ["CheckSetting", "check_trained", "run_checks"]


def run_checks(source: str, setting: CheckSetting, adapter: Adapter = Adapter.MIXER) -> CheckReport:
    """Everything the checks found about `source`, and what its adapter changed in it.

    Never raises for the candidate's fault: that becomes a finding.
    """
    from asi_arch.lab.adapters import load_adapted, remarks
    from asi_arch.lab.checks.running import report_on

    imports = None if adapter is Adapter.FLA else ALLOWED_IMPORTS
    report = report_on(source, setting, load=partial(load_adapted, adapter=adapter), allowed_imports=imports)
    findings = (*report.findings, *remarks(source, adapter))
    return report.model_copy(update={"sha": candidate_sha(source, adapter), "findings": findings})


def check_trained(
    source: str,
    setting: CheckSetting,
    weights: Mapping[str, NDArray[np.float32]],
    adapter: Adapter = Adapter.MIXER,
) -> CheckReport:
    """What the checks find when they are run again on trained weights: the whole model's state dictionary."""
    from asi_arch.lab.adapters import load_adapted
    from asi_arch.lab.checks.running import report_on

    report = report_on(source, setting, load=partial(load_adapted, adapter=adapter), weights=weights)
    return report.model_copy(update={"sha": candidate_sha(source, adapter)})
