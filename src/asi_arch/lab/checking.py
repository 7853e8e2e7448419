"""Asking a fresh child for a check report, with a deadline and a limit on memory."""

import asyncio

from asi_arch.domain.candidate import Adapter, candidate_sha
from asi_arch.domain.outcome import CheckReport, Finding, Severity
from asi_arch.lab import processes
from asi_arch.lab.checks.setting import CheckSetting
from asi_arch.lab.contract import Arrays, CheckJob, CheckTrainedJob, Frame, Report
from asi_arch.lab.conversation import ChildFailed, Conversation, Stalled, conversation
from asi_arch.lab.parent import WarmParentHandle

_POLL_S = 0.2


class OutOfMemory(Exception):
    """The child's tree holds more than it may."""


async def check_source(
    parent: WarmParentHandle, source: str, setting: CheckSetting, adapter: Adapter = Adapter.MIXER
) -> CheckReport:
    """The child's report; a crash, a silence or a flood of memory becomes a report with one error."""
    return await _asked(parent, CheckJob(source=source, adapter=adapter, setting=setting), {})


async def check_weights(parent: WarmParentHandle, job: CheckTrainedJob, weights: Arrays) -> CheckReport:
    """The same about trained weights; a report without a footprint."""
    return await _asked(parent, job, weights)


async def _asked(parent: WarmParentHandle, job: CheckJob | CheckTrainedJob, arrays: Arrays) -> CheckReport:
    sha, limits = candidate_sha(job.source, job.adapter), job.setting.spec
    async with conversation(parent, limits.deadline_s) as talk:
        try:
            await talk.say(job, arrays)
            message, _ = await _within_memory(talk, limits.deadline_s, limits.memory_mib)
        except Stalled:
            text = f"The checks did not end within {limits.deadline_s:.0f} s: look for an endless or very slow loop."
            return _failed(sha, "deadline", text, limits.deadline_s)
        except OutOfMemory:
            text = f"The checks needed more than {limits.memory_mib} MiB: look for a tensor quadratic in length."
            return _failed(sha, "memory", text, float(limits.memory_mib))
        except ChildFailed as failure:
            return _failed(sha, "crash", f"While it was checked, {failure.reason}.")
        talk.dismiss()
    if not isinstance(message, Report) or message.report.sha != sha:
        return _failed(sha, "crash", "The process answered with something else than the report asked for.")
    return message.report


async def _within_memory(talk: Conversation, deadline_s: float, memory_mib: int) -> Frame:
    """The next frame, while memory is polled."""
    hearing = asyncio.ensure_future(talk.hear(deadline_s))
    try:
        while not hearing.done():
            await asyncio.wait({hearing}, timeout=_POLL_S)
            if not hearing.done() and processes.memory_mib(talk.pid) > memory_mib:
                raise OutOfMemory
        return await hearing
    finally:
        hearing.cancel()


def _failed(sha: str, check: str, message: str, limit: float | None = None) -> CheckReport:
    finding = Finding(check=check, severity=Severity.ERROR, message=message, limit=limit)
    return CheckReport(sha=sha, findings=(finding,))
