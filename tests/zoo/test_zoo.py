"""Every cheat is stopped by the defence that it names, and every honest mixer passes.

A cheat's docstring says its idea, then `Defence: static|executed|blind|process`, then `Check: <name>` for two of them.
The table at the end of the run counts what became of them.
"""

import ast
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import pytest_asyncio
import torch
from numpy.typing import NDArray

from asi_arch.domain.outcome import CheckReport, Leaking, Measured, Run, RunKey, Severity
from asi_arch.domain.ports import RunOrder
from asi_arch.domain.profile import CheckSpec, ModelSpec, OptimizerSpec, Profile, StageName
from asi_arch.domain.record import sha256
from asi_arch.lab import watch
from asi_arch.lab.checks import CheckSetting
from asi_arch.lab.checks.registry import CHECKS
from asi_arch.lab.checks.running import report_on
from asi_arch.lab.checks.setting import Shape
from asi_arch.lab.client import LocalLab
from asi_arch.lab.loading import load_mixer
from asi_arch.lab.worker.training import Trainer
from asi_arch.mixers import baselines
from asi_arch.mixers.model import LanguageModel
from asi_arch.settings import load_profile
from asi_arch.tasks.catalog import build_tasks

pytestmark = pytest.mark.torch

Record = Callable[[str, str], None]

_SETTING = CheckSetting(
    spec=CheckSpec(),
    model=ModelSpec(depth=2),
    vocabulary=256,
    context=128,
    batches=(Shape(rows=8, length=128),),
    target_parameters=97_000,
)
_DEFENCES = ("static", "executed", "blind", "process")
_STEPS = 60
_PROTOCOL = "zoo"


class Cheat(NamedTuple):
    name: str
    idea: str
    defence: str
    check: str
    source: str


def _read(path: Path) -> Cheat:
    source = path.read_text(encoding="utf-8")
    idea, defence, *rest = (ast.get_docstring(ast.parse(source)) or "").splitlines()
    check = rest[0].removeprefix("Check: ") if rest and rest[0].startswith("Check: ") else ""
    return Cheat(path.stem, idea, defence.removeprefix("Defence: "), check, source)


_HERE = Path(__file__).parent
CHEATS = [_read(path) for path in sorted((_HERE / "cheats").glob("*.py"))]
HONEST = {path.stem: path.read_text(encoding="utf-8") for path in sorted((_HERE / "honest").glob("*.py"))}


def _stopped_by(*defences: str) -> pytest.MarkDecorator:
    found = [cheat for cheat in CHEATS if cheat.defence in defences]
    return pytest.mark.parametrize("cheat", found, ids=[cheat.name for cheat in found])


def _errors(report: CheckReport) -> set[str]:
    return {finding.check for finding in report.findings if finding.severity is Severity.ERROR}


def _trained(source: str) -> Mapping[str, torch.Tensor]:
    """Weights after a short training on noise."""
    with torch.random.fork_rng(devices=[]):
        model = LanguageModel(load_mixer(source), _SETTING.model, vocabulary=256, mlp_width=8, seed=0)
        trainer = Trainer(model, OptimizerSpec(warmup_steps=0), steps=_STEPS, device="cpu", precision="float32")
        model.train()
        for _ in range(_STEPS):
            tokens = torch.randint(256, (4, 17))
            trainer.step(tokens[:, :-1], tokens[:, 1:])
        return model.state_dict()


def _checked_again(source: str, until: str = "") -> CheckReport:
    weights = {name: value.detach().float().numpy() for name, value in _trained(source).items()}
    return report_on(source, _SETTING, weights=weights, until=until)


def test_the_zoo_is_well_labelled() -> None:
    checks = {check.name for check in CHECKS} | {"tampering"}
    assert len(CHEATS) >= 56 and len(HONEST) >= 14
    assert len({cheat.idea for cheat in CHEATS}) == len(CHEATS)
    for cheat in CHEATS:
        assert cheat.defence in _DEFENCES, cheat.name
        assert cheat.check in checks if cheat.defence in ("static", "executed") else not cheat.check, cheat.name
        assert (cheat.defence == "static") == (cheat.check == "static"), cheat.name


@_stopped_by("static", "executed")
def test_a_cheat_is_refused_by_the_check_that_it_names(cheat: Cheat, verdict: Record) -> None:
    report = report_on(cheat.source, _SETTING, until=cheat.check)
    kind = cheat.defence
    if cheat.check not in _errors(report):
        report, kind = _checked_again(cheat.source, cheat.check), "trained"
    is_caught = cheat.check in _errors(report)
    verdict(kind if is_caught else "missed", cheat.name)
    assert is_caught, report.findings
    assert all(len(finding.message) > 30 for finding in report.findings)


@pytest.mark.parametrize("name", ["divided_by_the_length", "all_pairs", "parameters_in_a_list", "mean_over_time"])
def test_no_other_check_complains_about_a_cheat(name: str) -> None:
    (cheat,) = (cheat for cheat in CHEATS if cheat.name == name)
    assert _errors(report_on(cheat.source, _SETTING)) == {cheat.check}


class Blind(NamedTuple):
    """A lab that trains on real text for long enough to make use of a leak, and what the reference lost there."""

    lab: LocalLab
    losses: NDArray[np.float32]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def blind() -> AsyncIterator[Blind]:
    cpu = load_profile("cpu")
    short = {"steps": 120, "batch": 4, "context": 128}
    profile = cpu.model_copy(update={"language": cpu.language.model_copy(update=short)})
    kept: list[NDArray[np.float32]] = []
    async with _lab(profile) as lab:
        await lab.run(_order(baselines.load("delta_net").source)._replace(keep_losses=kept.append), lambda _: None)
        yield Blind(lab, kept[0])


@pytest.mark.asyncio(loop_scope="module")
@_stopped_by("blind")
async def test_what_no_check_can_see_is_found_by_blind_scoring(cheat: Cheat, blind: Blind, verdict: Record) -> None:
    report = report_on(cheat.source, _SETTING)
    assert report.is_passed, f"label it `Check: {report.findings[0].check}`"
    run, _ = await blind.lab.run(_order(cheat.source)._replace(baseline_losses=blind.losses), lambda _: None)
    verdict("blind" if run.outcome.kind == "leaking" else "missed", cheat.name)
    assert isinstance(run.outcome, Leaking), run.outcome
    assert run.score is None


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_mixer_passes(name: str, verdict: Record) -> None:
    report = report_on(HONEST[name], _SETTING)
    verdict("passed" if report.is_passed else "alarm", name)
    assert report.is_passed, report.findings


@pytest.mark.parametrize("name", ["balanced_experts", "dropout", "hard_routing", "hybrid", "retention_with_a_step"])
def test_an_honest_mixer_passes_again_after_training(name: str) -> None:
    report = _checked_again(HONEST[name])
    assert report.is_passed, report.findings
    assert {"repeatable", "batch", "future", "length", "model"} <= set(report.passed_checks)


@asynccontextmanager
async def _lab(profile: Profile) -> AsyncGenerator[LocalLab]:
    found = LocalLab(
        profile,
        build_tasks(profile, Path.home() / ".cache" / "asi-arch"),
        reference_source=baselines.load("delta_net").source,
        protocol=_PROTOCOL,
    )
    await found.start()
    try:
        yield found
    finally:
        await found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab() -> AsyncIterator[LocalLab]:
    smoke = load_profile("smoke")
    async with _lab(smoke.model_copy(update={"watch": smoke.watch.model_copy(update={"stall_s": 1.5})})) as found:
        yield found


def _order(source: str) -> RunOrder:
    key = RunKey(sha=sha256(source), protocol=_PROTOCOL, stage=StageName.LANGUAGE, seed=0)
    return RunOrder(source=source, key=key, mlp_width=16)


@pytest.mark.asyncio(loop_scope="module")
@_stopped_by("process")
async def test_no_score_comes_from_a_cheat_that_works_against_its_process(
    cheat: Cheat, lab: LocalLab, verdict: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GRACE_CPU_S", 1.0)
    order = _order(cheat.source)
    # Watched beside a baseline that took a third of a second.
    baseline = Run(key=order.key, outcome=Measured(), losses=(5.5,) * 6, steps=6, tokens=384, cpu_s=0.3)
    run, weights = await lab.run(order._replace(baseline=baseline), lambda _: None)
    verdict("process" if run.score is None else "missed", cheat.name)
    assert run.score is None and weights == b"", run.outcome


@pytest.mark.asyncio(loop_scope="module")
async def test_an_honest_mixer_is_scored_under_the_same_watch(lab: LocalLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "GRACE_CPU_S", 1.0)
    run, weights = await lab.run(_order(HONEST["running_mean"]), lambda _: None)
    assert run.score is not None and weights, run.outcome
