"""Honest mixers must pass: a false alarm is a defect as well."""

from collections.abc import Callable

import pytest

from asi_arch.domain.outcome import Severity
from asi_arch.domain.profile import CheckSpec, ModelSpec
from asi_arch.lab.checks import CheckSetting, run_checks
from asi_arch.mixers import baselines

pytestmark = pytest.mark.torch

_CANDIDATES = [name for name in baselines.names() if baselines.load(name).is_candidate]

_DROPOUT = ("y = self.drop(y)", "self.drop = nn.Dropout(0.2)")
_HONEST = {
    "float32_only": ("y = torch.cat([part.float() for part in y.split(7, 1)], 1) @ torch.eye(width)", ""),
    "growing_state": ("y = v.cumsum(1)", ""),
}


def _complaints(source: str, setting: CheckSetting) -> list[str]:
    return [f"{found.check}: {found.message}" for found in run_checks(source, setting).findings]


@pytest.mark.parametrize("name", _CANDIDATES)
def test_a_baseline_passes_without_a_word(name: str, setting: CheckSetting) -> None:
    assert _complaints(baselines.load(name).source, setting) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", _CANDIDATES)
def test_a_baseline_passes_from_any_seed(name: str, seed: int, setting: CheckSetting) -> None:
    from asi_arch.lab.checks.running import report_on

    assert report_on(baselines.load(name).source, setting, seed=seed).findings == ()


def test_softmax_attention_fails_by_its_growth_alone(setting: CheckSetting) -> None:
    report = run_checks(baselines.load("softmax_attention").source, setting)
    assert {finding.check for finding in report.findings} == {"growth"}
    assert report.footprint is not None and report.footprint.growth > 1.5


def test_softmax_attention_fails_in_a_wide_model_as_well() -> None:
    setting = CheckSetting(
        spec=CheckSpec(lengths=(33,)), model=ModelSpec(depth=1, width=256, heads=4), vocabulary=256, context=64
    )
    report = run_checks(baselines.load("softmax_attention").source, setting)
    assert {finding.check for finding in report.findings} == {"growth"}


@pytest.mark.parametrize("name", _HONEST)
def test_an_honest_mixer_passes(name: str, setting: CheckSetting, mixer_source: Callable[..., str]) -> None:
    report = run_checks(mixer_source(*_HONEST[name]), setting)
    assert [found for found in report.findings if found.severity is Severity.ERROR] == []
    assert report.is_passed and report.footprint is not None


def test_dropout_is_reported_but_not_refused(setting: CheckSetting, mixer_source: Callable[..., str]) -> None:
    report = run_checks(mixer_source(*_DROPOUT), setting)
    assert [finding.severity for finding in report.findings] == [Severity.WARNING]
    assert "dropout" in report.findings[0].message


def test_a_leak_behind_dropout_is_still_seen(setting: CheckSetting, mixer_source: Callable[..., str]) -> None:
    leak = "y = self.drop(y)\nif self.training:\n    y = y + v.mean(1, keepdim=True)"
    report = run_checks(mixer_source(leak, "self.drop = nn.Dropout(0.2)"), setting)
    assert "future" in {finding.check for finding in report.findings}


def test_a_profile_with_one_layer_and_a_short_context_is_checked(mixer_source: Callable[..., str]) -> None:
    spec = CheckSpec(lengths=(31, 33), growth_lengths=(8, 16, 32, 64))
    setting = CheckSetting(spec=spec, model=ModelSpec(depth=1), vocabulary=256, context=2)
    assert _complaints(mixer_source(), setting) == []


def test_indexing_in_a_loop_is_explained(setting: CheckSetting, mixer_source: Callable[..., str]) -> None:
    loop = "y = torch.stack([v[:, t] * v[:, t].sigmoid() for t in range(time)], 1)"
    report = run_checks(mixer_source(loop), setting)
    (finding,) = report.findings
    assert report.is_passed and finding.severity is Severity.WARNING
    assert finding.check == "growth" and "unbind" in finding.message


def test_work_that_grows_in_the_backward_pass_alone_is_refused(
    setting: CheckSetting, mixer_source: Callable[..., str]
) -> None:
    pairs = "if y.requires_grad:\n    y.register_hook(lambda g: g + (g @ g.mT @ g) * 0)"
    finding = next(found for found in run_checks(mixer_source(pairs), setting).findings if found.check == "growth")
    assert finding.severity is Severity.ERROR and "mm" in finding.message


def test_an_output_that_is_not_finite_for_zeros_is_a_warning(
    setting: CheckSetting, mixer_source: Callable[..., str]
) -> None:
    report = run_checks(mixer_source("y = y / v.norm(dim=-1, keepdim=True)"), setting)
    assert report.is_passed
    assert [finding.check for finding in report.findings] == ["finite"]


def test_a_saturated_gate_whose_logarithm_overflows_is_a_warning(
    setting: CheckSetting, mixer_source: Callable[..., str]
) -> None:
    report = run_checks(mixer_source("y = y * torch.log(1 - torch.sigmoid(v / 4))"), setting)
    assert report.is_passed
    assert [finding.check for finding in report.findings] == ["finite"]
    assert "100 times the usual size" in report.findings[0].message
    assert run_checks(mixer_source("y = y * F.logsigmoid(-v / 4)"), setting).findings == ()
