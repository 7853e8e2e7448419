"""The three kinds of process, with real children."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asi_arch.domain.errors import LabError, UserError
from asi_arch.domain.outcome import Crashed, Diverged, Measured, Rejected, Run, TimedOut
from asi_arch.domain.ports import RunOrder
from asi_arch.domain.profile import Profile, StageName
from asi_arch.engine.agreement import Agreement
from asi_arch.lab import patience, processes
from asi_arch.lab.client import LocalLab
from asi_arch.lab.contract import Tokens, TrainJob
from asi_arch.lab.conversation import Conversation
from asi_arch.mixers import baselines
from asi_arch.tasks.catalog import build_tasks

from .conftest import MakeOrder, left_alive, mixer

pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]

HONEST = mixer("return self.project(x)")
SLOWLY = "if self.training and len(x) == 2:\n    for _ in range({}): pass\nreturn self.project(x)"
"""With the profile's batch only, for the checks call a mixer many times."""


async def test_the_same_source_and_seed_give_the_same_bits_whatever_runs_beside_it(
    lab: LocalLab, order: MakeOrder
) -> None:
    source = baselines.load("gated_delta_net").source
    alone, weights = await lab.run(order(source), lambda _: None)
    beside = await asyncio.gather(*(lab.run(order(source), lambda _: None) for _ in range(3)))
    assert isinstance(alone.outcome, Measured)
    for run, other in beside:
        assert other == weights
        assert (run.losses, run.score) == (alone.losses, alone.score)


async def test_another_seed_gives_other_numbers(lab: LocalLab, order: MakeOrder) -> None:
    first, _ = await lab.run(order(HONEST, seed=0), lambda _: None)
    second, _ = await lab.run(order(HONEST, seed=1), lambda _: None)
    assert first.losses != second.losses


async def test_steps_and_tokens_are_counted_and_shown(lab: LocalLab, order: MakeOrder, profile: Profile) -> None:
    seen: list[int] = []
    run, _ = await lab.run(order(HONEST), lambda progress: seen.append(progress.step))
    stage = profile.language
    assert seen == list(range(1, stage.steps + 1))
    assert (run.steps, run.tokens) == (stage.steps, stage.steps * stage.batch * stage.context)
    assert run.parameters > 0
    assert run.cpu_s > 0


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (mixer("raise ValueError('boom')"), "ValueError: boom"),
        (mixer("import os\nos._exit(0)", top="import math\n"), "`os` may not be imported"),
        (mixer("return x[:, :-1]"), "RuntimeError"),
        ("def broken(:\n", "line 1: not valid Python"),
        ("x = 1\n", "there is no class `Mixer`"),
        (HONEST + HONEST, "2 classes `Mixer`"),
        (mixer("return x", top="raise SystemExit(3)\n"), "exit code"),
        (mixer("torch._C._set_grad_enabled.__self__\nreturn torch.nonexistent"), "AttributeError"),
    ],
)
async def test_what_a_candidate_raises_is_its_outcome(lab: LocalLab, order: MakeOrder, source: str, part: str) -> None:
    run, weights = await lab.run(order(source), lambda _: None)
    assert isinstance(run.outcome, Crashed)
    assert part in run.outcome.reason + run.outcome.log
    assert run.score is None
    assert weights == b""


async def test_a_crash_shows_the_candidates_lines_and_none_of_ours(lab: LocalLab, order: MakeOrder) -> None:
    run, _ = await lab.run(order(mixer("return missing_name")), lambda _: None)
    assert isinstance(run.outcome, Crashed)
    assert "return missing_name" in run.outcome.log
    assert "training.py" not in run.outcome.log


# Writes far outside of a tensor's memory, without any import.
SEGFAULT = mixer("torch.empty(1).as_strided((1 << 20,), (1 << 20,)).fill_(1.0)\nreturn self.project(x)")


async def test_a_crash_in_c_is_the_candidates_and_the_next_one_runs(lab: LocalLab, order: MakeOrder) -> None:
    run, _ = await lab.run(order(SEGFAULT), lambda _: None)
    assert isinstance(run.outcome, Crashed)
    run, _ = await lab.run(order(HONEST), lambda _: None)
    assert isinstance(run.outcome, Measured)


async def test_an_endless_loop_is_ended_and_leaves_no_process(lab: LocalLab, order: MakeOrder) -> None:
    run, _ = await lab.run(order(mixer("while True:\n    pass")), lambda _: None)
    assert isinstance(run.outcome, TimedOut)
    assert await left_alive(lab) == set()


async def test_a_machine_that_was_suspended_is_not_blamed_on_the_candidate(lab: LocalLab, order: MakeOrder) -> None:
    slow = mixer(SLOWLY.format(2 * 10**6))
    task = asyncio.create_task(lab.run(order(slow), lambda _: None))
    for _ in range(200):
        assert lab.parent_pid is not None
        below = processes.descendants(lab.parent_pid)
        if below - lab.spare_pids:
            break
        await asyncio.sleep(0.01)
    for pid in below:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(2.0)
    for pid in below:
        os.kill(pid, signal.SIGCONT)
    run, _ = await task
    assert isinstance(run.outcome, Measured)


async def test_time_without_a_core_is_not_blamed_on_the_candidate(
    lab: LocalLab, order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = order(
        mixer(
            "if self.training and len(x) == 2 and not hasattr(self, 'slept'):\n"
            "    self.slept = torch.random.warnings.sys.modules['time'].sleep(1.5)\n"
            "return self.project(x)"
        )
    )
    patient = Conversation.hear

    async def hear(talk: Conversation, timeout_s: float, *rest: int) -> object:
        return await patient(talk, 0.4, *rest)

    monkeypatch.setattr(Conversation, "hear", hear)
    run, _ = await lab.run(slow, lambda _: None)
    assert isinstance(run.outcome, TimedOut)
    monkeypatch.setattr(processes, "waited_s", lambda _pid: time.monotonic() * 0.9)
    run, _ = await lab.run(slow, lambda _: None)
    assert not isinstance(run.outcome, TimedOut)


async def test_a_candidate_that_keeps_the_cores_busy_itself_can_not_go_on_for_ever(
    lab: LocalLab, order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_MOST_TIMES", 2)
    monkeypatch.setattr(processes, "waited_s", lambda _pid: time.monotonic() * 9)
    run, _ = await asyncio.wait_for(lab.run(order(mixer("while True:\n    pass")), lambda _: None), 60)
    assert isinstance(run.outcome, TimedOut)


async def test_a_loss_that_is_not_finite_ends_the_run(lab: LocalLab, order: MakeOrder) -> None:
    run, _ = await lab.run(order(mixer("return self.project(x) * float('nan')")), lambda _: None)
    assert isinstance(run.outcome, Diverged)
    assert run.outcome.step == 1


async def test_a_check_that_does_not_end_says_so(lab: LocalLab) -> None:
    report = await lab.check(mixer("while True:\n    pass"))
    assert not report.is_passed
    assert report.findings[0].check == "deadline"
    assert await left_alive(lab) == set()


OPENS_IN_TRAINING = mixer(
    "y = self.project(x)\n"
    "if self.training and torch.is_grad_enabled():\n"
    "    return y, (1 - self.gate).square()\n"
    "return torch.where(self.gate > 1e-4, y + 1e-5 * x.roll(-1, 1), y)"
).replace("        self.project = nn", "        self.gate = nn.Parameter(torch.zeros(()))\n        self.project = nn")


async def test_trained_weights_are_checked_again(lab: LocalLab, order: MakeOrder) -> None:
    run, weights = await lab.run(order(OPENS_IN_TRAINING), lambda _: None)
    assert isinstance(run.outcome, Rejected)
    assert run.outcome.stage is StageName.LANGUAGE
    assert run.findings[0].check == run.outcome.check
    assert run.check_cpu_s > 0
    assert run.score is None and weights == b""


FOUND = "[o for o in torch.random.warnings.sys.modules['gc'].get_objects() if type(o).__name__ == '{}'][0]"
TAMPERS = mixer(
    "self.calls = getattr(self, 'calls', 0) + 1\nif self.calls == 3:\n    CHANGE\nreturn self.project(x)",
    top="from torch.nn import functional as F\n",
)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("F.cross_entropy = F.mse_loss", "torch.nn.functional.cross_entropy"),
        ("torch.set_default_dtype(torch.float64)", "the default dtype"),
        (f"type({FOUND.format('AdamW')}).step = lambda self: None", "AdamW.step"),
        ("torch.manual_seed(3)", "the seed of torch's random numbers"),
        (
            FOUND.format("AdamW") + ".param_groups[0]['betas'] = (0, 0)",
            "the optimizer's settings",
        ),
        (
            FOUND.format("SwiGLU") + ".forward = lambda x: x",
            "how blocks.0.mlp is called",
        ),
    ],
)
async def test_a_trainer_that_was_tampered_with_leaves_no_score(
    lab: LocalLab, order: MakeOrder, change: str, named: str
) -> None:
    run, weights = await lab.run(order(TAMPERS.replace("CHANGE", change)), lambda _: None)
    assert isinstance(run.outcome, Rejected)
    assert run.outcome.check == "tampering"
    assert f"changed {named}" in run.outcome.reason and "while it was trained" in run.outcome.reason
    assert run.score is None and weights == b""


async def test_tampering_at_import_is_seen_before_the_first_step(lab: LocalLab, order: MakeOrder) -> None:
    run, _ = await lab.run(
        order(mixer("return self.project(x)", top="import torch\ntorch.relu = abs\n")), lambda _: None
    )
    assert isinstance(run.outcome, Rejected)
    assert "torch.relu when it was loaded or built" in run.outcome.reason
    assert run.steps == 0


async def test_a_mixer_that_can_not_fit_is_rejected_with_the_numbers(lab: LocalLab) -> None:
    top = "import torch\nfrom torch import nn\n"
    large = HONEST.replace("nn.Linear(hidden_size, hidden_size)", "nn.Linear(hidden_size, 64 * hidden_size)")
    report = await lab.check(
        top + large.replace("return self.project(x)", "return self.project(x)[..., : x.shape[-1]]")
    )
    assert not report.is_passed
    found = next(finding for finding in report.findings if finding.check == "parameters")
    assert any(character.isdigit() for character in found.message)


async def test_a_flood_of_output_is_capped(lab: LocalLab, order: MakeOrder) -> None:
    run, _ = await lab.run(order(mixer("print('y' * (1 << 22))\nraise ValueError('boom')")), lambda _: None)
    assert isinstance(run.outcome, Crashed)
    assert len(run.outcome.log) < 100_000


async def test_a_cancelled_run_leaves_no_process(lab: LocalLab, order: MakeOrder) -> None:
    began = asyncio.Event()
    slow = mixer("for _ in range(10**7): pass\nreturn self.project(x)")
    task = asyncio.create_task(lab.run(order(slow), lambda _: began.set()))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await left_alive(lab) == set()


async def test_a_killed_warm_parent_is_replaced_and_nobody_is_blamed(lab: LocalLab, order: MakeOrder) -> None:
    slow = mixer(SLOWLY.format(3 * 10**6))
    task = asyncio.create_task(lab.run(order(slow), lambda _: None))
    await asyncio.sleep(0.3)
    assert lab.parent_pid is not None
    os.kill(lab.parent_pid, signal.SIGKILL)
    run, _ = await task
    assert isinstance(run.outcome, Measured)


async def test_no_held_out_token_reaches_a_worker(
    lab: LocalLab, order: MakeOrder, monkeypatch: pytest.MonkeyPatch, profile: Profile
) -> None:
    said: dict[int, list[object]] = {}
    say = Conversation.say

    async def record(self: Conversation, message: object, arrays: object = None) -> None:
        said.setdefault(self.pid, []).append((message, arrays))
        await say(self, message, arrays)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Conversation, "say", record)
    await lab.run(order(HONEST), lambda _: None)
    by_kind = {type(messages[0][0]).__name__: messages for messages in said.values()}  # type: ignore[index]
    worker, scorer = by_kind["TrainJob"], by_kind["ScoreJob"]
    assert isinstance(worker[0][0], TrainJob)  # type: ignore[index]
    train = {arrays["inputs"].tobytes() for message, arrays in worker[1:] if isinstance(message, Tokens)}  # type: ignore[misc]
    asked = [arrays for message, arrays in scorer if isinstance(message, Tokens)]  # type: ignore[misc]
    held_out = {row.tobytes() for arrays in asked for row in arrays["inputs"]}
    assert held_out
    assert len(train) == profile.language.steps
    assert not any(row in batch for row in held_out for batch in train)
    assert all(set(arrays) == {"inputs"} for arrays in asked)


async def test_children_inherit_no_key(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-9f3b")
    tasks = build_tasks(profile, Path.home() / ".cache" / "asi-arch")
    own = LocalLab(profile, tasks, reference_source=HONEST, protocol="p")
    await own.start()
    try:
        assert own.parent_pid is not None
        tree = {own.parent_pid} | processes.descendants(own.parent_pid)
        text = b"".join(Path(f"/proc/{pid}/environ").read_bytes() for pid in tree)
    finally:
        await own.close()
    assert b"OMP_NUM_THREADS=1" in text
    assert b"canary" not in text
    assert b"HOME=" not in text


CONTROLLER = """
import asyncio, sys
from pathlib import Path
from asi_arch.lab.client import LocalLab
from asi_arch.mixers import baselines
from asi_arch.settings import load_profile
from asi_arch.tasks.catalog import build_tasks

async def main():
    profile = load_profile("smoke")
    source = baselines.load("delta_net").source
    tasks = build_tasks(profile, Path.home() / ".cache" / "asi-arch")
    lab = LocalLab(profile, tasks, reference_source=source, protocol="p")
    await lab.start()
    print(lab.parent_pid, flush=True)
    await lab.check("while True: pass")

asyncio.run(main())
"""


async def test_a_killed_controller_leaves_no_process() -> None:
    controller = subprocess.Popen([sys.executable, "-c", CONTROLLER], stdout=subprocess.PIPE, text=True)
    assert controller.stdout is not None
    parent = int(controller.stdout.readline())
    deadline = time.monotonic() + 5
    while not processes.descendants(parent) and time.monotonic() < deadline:
        time.sleep(0.02)
    tree = {parent} | processes.descendants(parent)
    assert len(tree) > 1
    controller.kill()
    controller.wait()
    controller.stdout.close()
    deadline = time.monotonic() + 5
    while any(processes.is_alive(pid) for pid in tree) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in tree if processes.is_alive(pid)] == []


def _far_ahead(order: RunOrder, profile: Profile) -> Run:
    """A baseline that no candidate comes near."""
    steps = profile.language.steps
    return Run(key=order.key, outcome=Measured(), losses=(0.1,) * steps, steps=steps, tokens=1, cpu_s=100.0)


@pytest.mark.parametrize(("is_audited", "kind"), [(False, "stopped_early"), (True, "measured")])
async def test_more_seeds_than_workers_can_wait_for_each_other_at_a_rung(
    lab: LocalLab, order: MakeOrder, profile: Profile, is_audited: bool, kind: str
) -> None:
    seeds = (0, 1, 2)
    agreement = Agreement(seeds, is_audited=is_audited)
    orders = [
        order(HONEST, seed=seed)._replace(
            baseline=_far_ahead(order(HONEST, seed=seed), profile), ballot=agreement.ballot(seed)
        )
        for seed in seeds
    ]
    found = await asyncio.wait_for(asyncio.gather(*(lab.run(o, lambda _: None) for o in orders)), 60)
    for run, weights in found:
        assert run.outcome.kind == kind
        assert (run.would_stop is not None) == is_audited == bool(weights)


async def test_without_a_ballot_an_early_stop_stands(lab: LocalLab, order: MakeOrder, profile: Profile) -> None:
    lone = order(HONEST)
    run, _ = await lab.run(lone._replace(baseline=_far_ahead(lone, profile)), lambda _: None)
    assert run.outcome.kind == "stopped_early"
    assert run.steps == round(profile.watch.rungs[0].fraction * profile.language.steps)


async def test_an_order_under_another_protocol_is_refused(lab: LocalLab, order: MakeOrder) -> None:
    foreign = order(HONEST)
    foreign = foreign._replace(key=foreign.key.model_copy(update={"protocol": "other"}))
    with pytest.raises(LabError, match="measures under protocol p, not other"):
        await lab.run(foreign, lambda _: None)


async def test_a_gpu_that_is_not_there_is_asked_for_in_vain(profile: Profile) -> None:
    import torch

    if torch.cuda.is_available():
        return
    tasks = build_tasks(profile, Path.home() / ".cache" / "asi-arch")
    source = baselines.load("delta_net").source
    on_gpu = LocalLab(profile.model_copy(update={"device": "cuda"}), tasks, reference_source=source, protocol="p")
    with pytest.raises(UserError, match="no usable GPU; try --profile cpu"):
        await on_gpu.start()
