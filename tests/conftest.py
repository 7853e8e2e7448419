"""One thread per process, as everywhere in the project: OpenMP's threads spin against each other on a busy machine."""

import os

import pytest

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

NOT_TESTED = "NOT TESTED"
"""In the reason of a skip that a person must hear of."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What could not be tried on this machine is said at the end, and not hidden among dots."""
    said = (report.longrepr for report in terminalreporter.stats.get("skipped", []))
    reasons = {words[-1].removeprefix("Skipped: ") for words in said if isinstance(words, tuple)}
    loud = sorted(reason for reason in reasons if NOT_TESTED in reason)
    if loud:
        terminalreporter.section("on this machine not everything was tested", red=True, bold=True)
        for reason in loud:
            terminalreporter.line(reason, red=True)
