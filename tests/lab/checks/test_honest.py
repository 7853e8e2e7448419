"""Honest mixers must pass: a false alarm is a defect as well."""

from collections.abc import Callable

import pytest

from asi_arch.domain.outcome import Severity
from asi_arch.domain.profile import CheckSpec, ModelSpec
from asi_arch.lab.checks import CheckSetting, run_checks
from asi_arch.mixers import baselines

pytestmark = pytest.mark.torch

_CANDIDATES = [name for name in baselines.names() if baselines.load(name).is_candidate]

_HONEST = {
    "dropout": ("y = self.drop(y)", "self.drop = nn.Dropout(0.2)"),
    "float32_inside": ("y = (y.float() + v.float().cumsum(1) / 16).to(x.dtype)", ""),
    "float32_only": ("y = torch.cat([part.float() for part in y.split(7, 1)], 1) @ torch.eye(width)", ""),
    "padded_convolution": (
        """
kernel = self.kernel * torch.exp(-torch.arange(time, dtype=v.dtype) / 30)[:, None]
spectrum = torch.fft.rfft(v, n=2 * time, dim=1) * torch.fft.rfft(kernel, n=2 * time, dim=0)
y = torch.fft.irfft(spectrum, n=2 * time, dim=1)[:, :time]""",
        "self.kernel = nn.Parameter(torch.randn(1, hidden_size) / 8)",
    ),
    "running_mean": ("y = y + v.cumsum(1) / torch.arange(1, time + 1, dtype=v.dtype)[:, None]", ""),
    "running_maximum": ("y = y + v.cummax(1).values", ""),
    "hard_routing": (
        "best = self.route(v).topk(2, -1)\n"
        "y = y * torch.zeros_like(self.route(v)).scatter(-1, best.indices, best.values.softmax(-1)).repeat(1, 1, 8)",
        "self.route = nn.Linear(hidden_size, hidden_size // 8)",
    ),
    "auxiliary_loss": ("return self.out(y), 0.01 * y.square().mean()", ""),
    "recurrence_over_unbound_steps": (
        """
state, parts = torch.zeros_like(v[:, 0]), []
for step in v.unbind(1):
    state = 0.9 * state + step
    parts.append(state)
y = torch.stack(parts, 1)""",
        "",
    ),
    "masks_cached_by_length": (
        """
if 16 not in self.masks:
    self.masks[16] = torch.ones(16, 16, dtype=torch.bool).tril()
q = F.pad(v, (0, 0, 0, -time % 16)).view(batch, -1, 16, width)
scores = (q @ q.mT / 8).masked_fill(~self.masks[16], -math.inf).softmax(-1)
y = (scores @ q).reshape(batch, -1, width)[:, :time]""",
        "self.masks = {}",
    ),
    "growing_state": ("y = v.cumsum(1)", ""),
    "saturated_gates": ("y = y * (40 * v).sigmoid()", ""),
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
    report = run_checks(mixer_source(*_HONEST["dropout"]), setting)
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
    (finding,) = run_checks(mixer_source(loop), setting).findings
    assert finding.check == "growth" and "unbind" in finding.message


def test_an_output_that_is_not_finite_for_zeros_is_a_warning(
    setting: CheckSetting, mixer_source: Callable[..., str]
) -> None:
    report = run_checks(mixer_source("y = y / v.norm(dim=-1, keepdim=True)"), setting)
    assert report.is_passed
    assert [finding.check for finding in report.findings] == ["finite"]
