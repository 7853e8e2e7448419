"""Runs the checks in order and writes the report."""

import time
from collections.abc import Callable, Sequence

from torch import nn

from asi_arch.domain.outcome import CheckReport, Finding, Footprint, Severity
from asi_arch.domain.record import sha256
from asi_arch.lab.checks.codelines import code_lines
from asi_arch.lab.checks.findings import Fault, error
from asi_arch.lab.checks.growth import memory_growth, work_growth
from asi_arch.lab.checks.probe import Arrays, Probe, candidate_line, first_line
from asi_arch.lab.checks.registry import CHECKS, TRAINED_CHECKS, Check
from asi_arch.lab.checks.setting import CheckSetting
from asi_arch.lab.checks.size import fit
from asi_arch.lab.checks.speed import speeds
from asi_arch.lab.checks.surroundings import isolated
from asi_arch.lab.checks.tampering import check_tampering
from asi_arch.lab.imports import ALLOWED_IMPORTS
from asi_arch.lab.loading import load_mixer

_SEED = 20_250_718


def report_on(
    source: str,
    setting: CheckSetting,
    *,
    load: Callable[[str], type[nn.Module]] = load_mixer,
    seed: int = _SEED,
    allowed_imports: frozenset[str] | None = ALLOWED_IMPORTS,
    weights: Arrays | None = None,
    until: str = "",
    cpu_clock: Callable[[], float] = time.process_time,
    wall_clock: Callable[[], float] = time.perf_counter,
) -> CheckReport:
    """All findings about `source`; random states and settings of torch are left as they were.

    With `weights`, the whole model's after training (names as in its state dictionary, buffers included), those checks
    are run on them whose answer training could change; there is no footprint then. `seed` fixes parameters and inputs.
    The default is the same for all candidates, so that a report can be repeated. `until` names one check: it and those
    that it needs are run, and no others.
    """
    started, began = cpu_clock(), wall_clock()
    with isolated() as surroundings:
        probe = Probe(
            source,
            setting,
            load=load,
            surroundings=surroundings,
            seed=seed,
            allowed_imports=allowed_imports,
            weights=weights,
        )
        findings, passed = _run(probe, needed_for(until, TRAINED_CHECKS if weights else CHECKS))
        footprint = _footprint(probe) if setting.context in probe.counts else None
        timed = speeds(probe, cpu_clock) if footprint and not _errors(findings) else ()
    return CheckReport(
        sha=sha256(source),
        findings=tuple(findings),
        passed_checks=tuple(passed),
        footprint=footprint,
        cpu_s=cpu_clock() - started,
        wall_s=wall_clock() - began,
        speeds=timed,
    )


def needed_for(name: str, checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The check of this name and all that must be passed before it, in order; all checks for any other name."""
    names = {check.name for check in checks}
    wanted = {name} if name in names else names
    for check in reversed(checks):
        if check.name in wanted:
            wanted.update(check.needs)
    return tuple(check for check in checks if check.name in wanted)


def _run(probe: Probe, checks: tuple[Check, ...]) -> tuple[list[Finding], list[str]]:
    """Ends at once where torch was tampered with, since nothing after that could be believed."""
    findings: list[Finding] = []
    passed: list[str] = []
    for check in checks:
        if not set(check.needs) <= set(passed):
            continue
        found = run_one(check, probe)
        tampered = check_tampering(probe)
        findings += found + tampered
        if tampered:
            return findings, passed
        if not _errors(found):
            passed.append(check.name)
    return findings, [*passed, "tampering"]


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def run_one(check: Check, probe: Probe) -> list[Finding]:
    """The findings of one check; what the candidate's code raises is one of them, our own mistakes are raised."""
    try:
        return check.run(probe)
    except Fault as fault:
        return [error(check.name, str(fault), position=fault.line, **fault.sizes)]
    except (Exception, SystemExit) as cause:
        line = candidate_line(cause.__traceback__)
        if line is None:
            raise
        message = f"The candidate's code raised {type(cause).__name__} at line {line}: {first_line(cause)}"
        return [error(check.name, message, position=line)]


def _footprint(probe: Probe) -> Footprint | None:
    """What was counted; None where the model can't be fitted."""
    setting = probe.setting
    try:
        fitted = fit(probe)
        parameters = sum(parameter.numel() for parameter in probe.build().parameters())
    except (ValueError, Fault):
        return None
    counter = probe.counts[setting.context]
    return Footprint(
        parameters=parameters,
        model_parameters=fitted.parameters,
        mlp_width=fitted.width,
        aten_calls=counter.calls,
        flops=counter.flops,
        elements=counter.elements,
        growth=work_growth(probe).last,
        memory_growth=memory_growth(probe).last,
        code_lines=code_lines(probe.source),
    )
