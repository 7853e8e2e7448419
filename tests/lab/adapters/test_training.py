"""Adapted programs through the whole lab: check, train, score in real children."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from asi_arch.domain.candidate import Adapter, candidate_sha
from asi_arch.domain.outcome import Crashed, Measured, RunKey
from asi_arch.domain.ports import RunOrder
from asi_arch.domain.profile import StageName
from asi_arch.lab.client import LocalLab
from asi_arch.mixers import baselines
from asi_arch.settings import load_profile
from asi_arch.tasks.catalog import build_tasks

from .conftest import PROGRAMS, layer

FAST = {"auxiliary_loss", "half_precision", "item_schedule"}
"""What `make test` trains: the three that ask most of the adapter."""
pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab() -> AsyncIterator[LocalLab]:
    profile = load_profile("smoke")
    tasks = build_tasks(profile, Path.home() / ".cache" / "asi-arch")
    reference = baselines.load("delta_net").source
    found = LocalLab(profile, tasks, reference_source=reference, protocol="p")
    await found.start()
    yield found
    await found.close()


def ordered(source: str, mlp_width: int, adapter: Adapter = Adapter.FLA) -> RunOrder:
    key = RunKey(sha=candidate_sha(source, adapter), protocol="p", stage=StageName.LANGUAGE, seed=0)
    return RunOrder(source=source, key=key, mlp_width=mlp_width, adapter=adapter)


@pytest.mark.parametrize(
    "path",
    [
        path if path.stem in FAST else pytest.param(path, marks=pytest.mark.slow)
        for path in sorted(PROGRAMS, key=lambda path: path.stem not in FAST)
    ],
    ids=lambda path: path.stem,
)
async def test_a_program_is_checked_trained_and_scored(path: Path, lab: LocalLab) -> None:
    source = path.read_text()
    report = await lab.check(source, Adapter.FLA)
    assert report.is_passed, report.findings
    assert report.footprint is not None
    run, weights = await lab.run(ordered(source, report.footprint.mlp_width), lambda _: None)
    assert isinstance(run.outcome, Measured)
    assert run.score is not None
    assert weights
    assert (run.auxiliary > 0) == (path.stem in ("auxiliary_loss", "gpu_leftovers"))


async def test_without_its_adapter_a_program_is_refused(lab: LocalLab) -> None:
    source = layer()
    report = await lab.check(source)
    assert ["there is no class `Mixer`" in finding.message for finding in report.findings] == [True]
    run, _ = await lab.run(ordered(source, 16, Adapter.MIXER), lambda _: None)
    assert isinstance(run.outcome, Crashed)


async def test_a_count_at_the_end_of_training_is_scored(lab: LocalLab) -> None:
    """Six steps: the output is silenced from the sixth on, which the scorer must see."""
    import torch
    from safetensors.torch import load

    body = "self.calls += 1\ny = y * float(self.calls < 6)"
    run, weights = await lab.run(ordered(layer(body, init="self.calls = 0"), 16), lambda _: None)
    silent, _ = await lab.run(ordered(layer("y = y * 0"), 16), lambda _: None)
    assert load(weights)["blocks.0.mixer.counts"] == torch.tensor([6.0])
    assert run.score is not None
    assert silent.score is not None
    assert run.losses != silent.losses
