"""Executed checks: what a candidate must show before a second is spent on training it.

Runs inside the fresh child process that holds the candidate. Torch is imported only when checks are run, so that
`CheckSetting` can be named by the controller. Nothing here starts processes, reads files or keeps time limits.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.outcome import CheckReport
from asi_arch.lab.checks.setting import CheckSetting

__all__ = ["CheckSetting", "check_trained", "run_checks"]


def run_checks(source: str, setting: CheckSetting) -> CheckReport:
    """Everything the checks found about `source`. Never raises for the candidate's fault: that becomes a finding."""
    from asi_arch.lab.checks.running import report_on

    return report_on(source, setting)


def check_trained(source: str, setting: CheckSetting, weights: Mapping[str, NDArray[np.float32]]) -> CheckReport:
    """What the checks find when they are run again on trained weights: the whole model's state dictionary."""
    from asi_arch.lab.checks.running import report_on

    return report_on(source, setting, weights=weights)
