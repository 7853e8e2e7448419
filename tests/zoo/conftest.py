"""What became of the zoo, as a table at the end of the run."""

from collections import Counter
from collections.abc import Callable

import pytest
from _pytest.terminal import TerminalReporter

VERDICTS = (
    ("static", "caught by the static layer"),
    ("executed", "caught by executed checks"),
    ("trained", "caught on trained weights"),
    ("blind", "caught by blind scoring"),
    ("process", "stopped by the processes around"),
    ("missed", "missed"),
    ("passed", "honest, passed"),
    ("alarm", "honest, false alarms"),
)
_PROPERTY = "zoo"


@pytest.fixture
def verdict(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Call it with a verdict and the file's name."""

    def record(kind: str, name: str) -> None:
        record_property(_PROPERTY, (kind, name))

    return record


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Counted from the reports, which also come from other processes."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "when")]
    seen = [tuple(value) for report in reports for key, value in report.user_properties if key == _PROPERTY]
    if not seen:
        return
    counts = Counter(kind for kind, _ in set(seen))
    terminalreporter.section("the zoo")
    for kind, words in VERDICTS:
        names = sorted(name for found, name in set(seen) if found == kind)
        listed = f"  {', '.join(names)}" if kind in ("missed", "alarm", "blind", "trained") and names else ""
        terminalreporter.write_line(f"{counts[kind]:4d}  {words}{listed}")
