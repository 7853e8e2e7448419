"""A candidate may not change what it shares with the program around it."""

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.findings import error
from asi_arch.lab.checks.probe import Probe


def check_tampering(probe: Probe) -> list[Finding]:
    """Functions of torch and global settings are still what they were before the source was loaded."""
    changed = probe.surroundings.changes()
    if not changed:
        return []
    return [
        error("tampering", f"The candidate changed {', '.join(changed[:3])}; leave everything outside the class alone.")
    ]
